/* SPDX-License-Identifier: MIT
 *
 * shmcreate: create a POSIX shared memory object of zeros, all of its memory
 * reserved.
 */
#include "draft.h"
#include "object.h"
#include "options.h"
#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

static bool if_missing;
static mode_t mode = OBJECT_MODE_DEFAULT;
static struct owner_names owner;

static const struct option_row options[] = {
    {'i', "if-missing", NULL, "an existing one of this size and owner will do",
     .flag = &if_missing},
    OPTION_MODE(mode),
    OPTION_USER(owner),
    OPTION_GROUP(owner),
    {0},
};

static const struct tool tool = {
    .name = "shmcreate",
    .operands = "NAME SIZE",
    .purpose = "Create a POSIX shared memory object of SIZE bytes, all of them zero.",
    .options = options,
    .least_operands = 2,
    .most_operands = 2,
};

/* For one that a program has only given a size. NO_OBJECT as below. */
static enum status reserve_rest(const struct name *name, uint64_t size)
{
    struct object object;

    int error = object_try_open(&object, name, OBJECT_TO_WRITE);
    if (error == ENOENT)
        return STATUS_NO_OBJECT;
    if (error == 0)
        error = object_reserve(object.fd, 0, size);
    object_close(&object);
    return error == 0 ? STATUS_DONE : object_no_room("reserve", name, size, error);
}

/* Whether the existing object is what would have been created; NO_OBJECT, without
 * a word, if it is not there any more. */
static enum status compare(const struct name *name, uint64_t size)
{
    struct stat status;

    int error = object_look(name, &status);
    if (error == ENOENT)
        return STATUS_NO_OBJECT;
    if (error != 0)
        return fail(object_error_status(error), "cannot create shared memory object %s: %s",
                    shown(name->text), object_error(error));
    if (!if_missing)
        return fail(STATUS_EXISTS,
                    "cannot create shared memory object %s: it exists already (--if-missing "
                    "accepts it)",
                    shown(name->text));
    if ((uint64_t)status.st_size != size)
        return fail(
            STATUS_EXISTS, "shared memory object %s exists already, with a size of %llu, not %llu",
            shown(name->text), (unsigned long long)status.st_size, (unsigned long long)size);
    enum status result = owner_compare(&owner, &status, mode, "shared memory object", name);
    bool sparse = (uint64_t)status.st_blocks * 512 < size;
    return result == STATUS_DONE && sparse ? reserve_rest(name, size) : result;
}

/* 0, EEXIST, or the status after saying why not. */
static enum status create(const struct name *name, uint64_t size)
{
    struct draft draft;
    uid_t user;
    gid_t group;

    owner_resolve(&owner, &user, &group);
    int error = draft_start(&draft, name);
    if (error != 0)
        return object_no_room("create", name, size, error);
    error = object_reserve(draft.fd, 0, size);
    enum status status = STATUS_DONE;
    if (error != 0) {
        status = object_no_room("create", name, size, error);
    } else if ((error = draft_attributes(&draft, user, group, mode)) != 0) {
        status = owner_refused("shared memory object", name, error);
    } else if ((error = draft_publish(&draft, name)) != 0) {
        status = error == EEXIST ? STATUS_EXISTS : object_not_made("create", name, error);
    }
    draft_discard(&draft);
    return status;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = object_name(argv[first]);
    struct stat there;
    uint64_t size;

    if (!parse_size(argv[first + 1], INT64_MAX, &size))
        usage_error("invalid size '%s': it is in bytes, or with K, M, G or T",
                    shown(argv[first + 1]));
    signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE is then an error that can be told */
    signals_hold();
    enum status status;
    do {
        /* Looked at first: there may be no room to reserve what is there already. */
        status = object_look(&name, &there) != ENOENT ? STATUS_EXISTS : create(&name, size);
        if (status == STATUS_EXISTS)
            status = compare(&name, size);
    } while (status == STATUS_NO_OBJECT);
    if (status == STATUS_DONE)
        remark("shared memory object %s is there", shown(name.text));
    return (int)status;
}
