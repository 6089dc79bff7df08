/* SPDX-License-Identifier: MIT
 *
 * shmput: write a POSIX shared memory object. The input is waited for first,
 * then memory is reserved, and only then is the object locked and written.
 */
#include "draft.h"
#include "frame.h"
#include "input.h"
#include "lock.h"
#include "object.h"
#include "options.h"
#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t offset;
static bool atomic, no_lock;
static mode_t mode = OBJECT_MODE_DEFAULT;

enum { KEY_ATOMIC = OPTION_LONG_ONLY, KEY_NO_LOCK };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "object"),
    {'o', "offset", "N", "write in place from byte N on, growing if needed", .size = &offset,
     .most = INT64_MAX},
    {KEY_ATOMIC, "atomic", NULL, "replace it: the new content appears at once", .flag = &atomic},
    {KEY_NO_LOCK, "no-lock", NULL, "do not take the object's lock", .flag = &no_lock},
    OPTION_MODE(mode),
    OPTION_STRING(records, "a C string: append a NUL"),
    {0},
};

static const struct option_conflict conflicts[] = {
    {'n', 't'}, {'n', 'a'}, {'a', 'm'}, {'o', KEY_ATOMIC}, {0}};

static const struct tool tool = {
    .name = "shmput",
    .operands = "NAME [DATA]",
    .purpose = "Write DATA, or standard input, to a POSIX shared memory object.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 2,
    .data_operands = true,
};

static struct name name;
static struct input input;

static void refuse_atomic_within_shmrun(const struct object *object)
{
    if (atomic && lock_held_around(&object->status) != 0)
        die(STATUS_USAGE,
            "--atomic would replace shared memory object %s, whose lock the shmrun around this "
            "holds",
            shown(name.text));
}

/* What is wrong with the object is told before the input is read; and with
 * --await, that is when to read it. */
static void look_at_object(void)
{
    struct object object;

    enum object_found found = object_open(&object, &name, OBJECT_TO_WRITE, 0, &patience);
    if (found == OBJECT_MISSING)
        return;
    if (found != OBJECT_FOUND)
        object_give_up(found, &name, "shmcreate makes it");
    refuse_atomic_within_shmrun(&object);
    object_close(&object);
}

static _Noreturn void no_room(int error)
{
    exit((int)object_no_room("write", &name, offset + input.size, error));
}

/* A draft is given up where its memory does not suffice, and nothing has
 * changed: so it is not reserved, which takes the kernel longer than finding
 * each page as it is written. That it cannot do is known before it is tried. */
static int begin_draft(struct draft *draft)
{
    struct statvfs system;
    int error = draft_start(draft, &name);

    if (error == 0 && statvfs(OBJECT_DIRECTORY, &system) == 0 && system.f_blocks > 0 &&
        (offset + input.size) / system.f_frsize > system.f_bavail)
        error = ENOSPC;
    return error != 0 ? error : object_reserve(draft->fd, 0, offset);
}

static _Noreturn void no_room_for(struct draft *draft, int error)
{
    draft_discard(draft); /* and its memory is free again */
    no_room(error);
}

/* The input in an object that has no name yet, cut to what came of it. */
static struct draft make_whole(void)
{
    struct draft draft = input.draft;

    if (draft.fd >= 0 && !draft.nameless && offset == 0)
        return draft; /* it has been gathered there */
    int error = begin_draft(&draft);
    if (error != 0)
        no_room_for(&draft, error);
    uint64_t wrote = input_write(&input, draft.fd, offset);
    error = wrote < input.size ? errno : 0;
    if (error == ENOSPC || error == EFBIG || error == EDQUOT)
        no_room_for(&draft, error);
    if (error != 0) {
        draft_discard(&draft);
        die(STATUS_STREAM, "cannot read standard input: %s", error_text(error));
    }
    if (wrote < input.size && ftruncate(draft.fd, (off_t)(offset + wrote)) != 0)
        no_room_for(&draft, errno);
    return draft;
}

static void require(int error, struct draft *draft)
{
    if (error == 0)
        return;
    draft_discard(draft);
    exit((int)object_not_made("write", &name, error));
}

/* False if somebody else was faster. */
static bool create(void)
{
    struct draft draft = make_whole();

    require(draft_attributes(&draft, (uid_t)-1, (gid_t)-1, mode), &draft);
    int error = draft_publish(&draft, &name);
    if (error != EEXIST)
        require(error, &draft);
    if (draft.fd != input.draft.fd)
        draft_discard(&draft);
    return error == 0;
}

/* False if the object has been removed or replaced by somebody without a lock. */
static bool replace(struct object *object)
{
    struct draft draft = make_whole();
    struct stat made;

    if (fstat(draft.fd, &made) != 0)
        require(errno, &draft);
    bool same_owner = made.st_uid == object->status.st_uid && made.st_gid == object->status.st_gid;
    require(draft_attributes(&draft, same_owner ? (uid_t)-1 : object->status.st_uid,
                             same_owner ? (gid_t)-1 : object->status.st_gid,
                             object->status.st_mode & 07777),
            &draft);
    signals_hold();
    bool still_there = object_still_named(object);
    if (still_there)
        require(draft_replace(&draft, &name), &draft);
    signals_checkpoint(); /* nothing is half done any more */
    /* Its lock with it, before there is more to say. */
    if (still_there || draft.fd != input.draft.fd)
        draft_discard(&draft);
    return still_there;
}

static enum status write_in_place(const struct object *object)
{
    uint64_t size = (uint64_t)object->status.st_size;
    uint64_t gap = offset > size ? offset - size : 0; /* to be mapped as safely as the rest */

    signals_hold(); /* what is begun is finished */
    int error = input.size == 0 ? 0 : object_reserve(object->fd, offset - gap, gap + input.size);
    if (error != 0)
        no_room(error);
    uint64_t wrote = input_write(&input, object->fd, offset);
    error = wrote < input.size ? errno : 0;
    if (wrote == 0 && (error == ENOSPC || error == EFBIG || error == EDQUOT))
        no_room(error);
    if (error != 0 && wrote == 0 && ftruncate(object->fd, (off_t)size) == 0)
        return fail(STATUS_STREAM, "cannot read standard input: %s", error_text(error));
    if (error != 0)
        return fail(STATUS_PARTIAL,
                    "cannot go on writing shared memory object %s: %s; %llu of %llu bytes written",
                    shown(name.text), error_text(error), (unsigned long long)wrote,
                    (unsigned long long)input.size);
    /* An input that has become shorter does not need all that was reserved. */
    bool less = wrote < input.size;
    uint64_t end =
        option_given('o') && (wrote == 0 || offset + wrote < size) ? size : offset + wrote;
    if ((less || !option_given('o')) && ftruncate(object->fd, (off_t)end) != 0)
        return fail(STATUS_PARTIAL, "cannot shorten shared memory object %s: %s", shown(name.text),
                    error_text(errno));
    input.size = wrote;
    return STATUS_DONE;
}

/* Once more whenever the object has come or gone meanwhile. */
static enum status put(void)
{
    struct object object;

    for (;;) {
        enum object_found found =
            object_open(&object, &name, OBJECT_TO_WRITE, no_lock ? 0 : LOCK_EX, &patience);
        if (found == OBJECT_MISSING && create())
            return STATUS_DONE;
        if (found == OBJECT_MISSING)
            continue;
        if (found != OBJECT_FOUND)
            object_give_up(found, &name, "shmcreate makes it");
        refuse_atomic_within_shmrun(&object);
        bool done = !atomic || replace(&object);
        enum status status = atomic ? STATUS_DONE : write_in_place(&object);
        object_close(&object); /* and frees the lock, before there is more to say */
        if (done)
            return status;
    }
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    const char *data = argv[first + 1];

    name = object_name(argv[first]);
    signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE is then an error that can be told */
    look_at_object();
    input = data != NULL ? input_of_operand(data, records.string)
                         : input_of_stdin(&name, records.string);
    enum status status = put();
    if (status == STATUS_DONE)
        remark("%llu byte%s written to shared memory object %s", (unsigned long long)input.size,
               plural(input.size), shown(name.text));
    return (int)status;
}
