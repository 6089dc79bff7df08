/* SPDX-License-Identifier: MIT
 *
 * shmget: copy a POSIX shared memory object, or a range of it, to standard
 * output. It reads and never maps: an object that is truncated meanwhile ends
 * the copy, where a mapping would end the process.
 */
#include "bulk.h"
#include "copy.h"
#include "frame.h"
#include "object.h"
#include "options.h"
#include "progress.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t offset;
static uint64_t longest = UINT64_MAX;
static bool no_lock;

enum { KEY_NO_LOCK = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    {'a', "await", NULL, "wait for the object to exist and to have content",
     .flag = &patience.await},
    {'o', "offset", "N", "begin at byte N (default 0)", .size = &offset, .most = INT64_MAX},
    {'L', "length", "N", "copy at most N bytes", .size = &longest, .most = INT64_MAX},
    {KEY_NO_LOCK, "no-lock", NULL, "do not take the object's lock", .flag = &no_lock},
    OPTION_STRING(records, "stop before the first NUL"),
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "shmget",
    .operands = "NAME",
    .purpose = "Copy a POSIX shared memory object to standard output.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

static struct object object;

static size_t read_at(char *bytes, size_t length, uint64_t at)
{
    ssize_t got;

    do
        got = pread(object.fd, bytes, length, (off_t)at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        die(status_of_error(errno), "cannot read shared memory object %s: %s",
            shown(object.name.text), error_text(errno));
    return (size_t)got;
}

/* Creating an object and filling it are two steps for a C program. */
static bool has_content(void)
{
    char first = '\0';

    if (!records.string)
        return (uint64_t)object.status.st_size > offset;
    return read_at(&first, 1, offset) == 1 && first != '\0';
}

/* Looks without a lock: waiting must not get in the way of the writer. */
static void await_content(const struct name *name, nanoseconds deadline)
{
    struct pause pause = {0};

    for (;;) {
        int error = object_try_open(&object, name, OBJECT_TO_READ);
        if (error != 0 && error != ENOENT)
            die(object_error_status(error), "cannot open shared memory object %s: %s",
                shown(name->text), object_error(error));
        bool ready = error == 0 && has_content();
        if (error == 0)
            object_close(&object);
        if (ready)
            return;
        if (pause_before_looking(&pause, SECOND / 20, deadline) == WAIT_TIMED_OUT)
            exit(STATUS_TIMED_OUT);
    }
}

static void open_object(const struct name *name)
{
    nanoseconds deadline = deadline_after(patience.timeout);

    for (;;) {
        if (patience.await)
            await_content(name, deadline);
        enum object_found found =
            object_open(&object, name, OBJECT_TO_READ, no_lock ? 0 : LOCK_SH, &patience);
        if (found != OBJECT_FOUND)
            object_give_up(found, name, "shmcreate or shmput makes it, --await waits for it");
        if (!patience.await || has_content())
            return;
        object_close(&object); /* emptied before it was locked */
    }
}

/* The bytes to copy, as the size and the options have it. */
static uint64_t range_length(void)
{
    uint64_t size = (uint64_t)object.status.st_size;
    uint64_t left = size > offset ? size - offset : 0;

    return left < longest ? left : longest;
}

static enum status truncated(uint64_t copied, uint64_t length)
{
    return fail(
        STATUS_PARTIAL,
        "shared memory object %s was truncated while it was read: %llu of %llu bytes copied",
        shown(object.name.text), (unsigned long long)copied, (unsigned long long)length);
}

static enum status copy_out(uint64_t length)
{
    uint64_t written = 0;
    bool small = length <= OBJECT_IN_MEMORY;
    size_t room = small ? (size_t)length : OBJECT_CHUNK;
    char *bytes = malloc(room + 1);
    uint64_t copied = 0;

    if (bytes == NULL)
        die_of_memory();
    if (!small)
        pipe_enlarge(STDOUT_FILENO); /* the reader is woken less often */
    progress_start("byte");
    for (bool ended = false; copied < length && !ended;) {
        size_t step = length - copied < room ? (size_t)(length - copied) : room;
        size_t got = read_at(bytes, step, offset + copied);
        if (got == 0)
            break;
        if (small && got == length)
            object_close(&object); /* and its lock: whoever reads our output may be slow */
        size_t used = records.string ? strnlen(bytes, got) : got;
        ended = used < got;
        int error = bulk_write_out(bytes, used);
        if (error != 0)
            die(STATUS_STREAM, "cannot write to standard output: %s", error_text(error));
        written += used;
        copied = ended ? length : copied + got;
        progress_show(copied, copied, length);
    }
    progress_end();
    free(bytes);
    if (copied < length)
        return truncated(copied, length);
    remark("%llu byte%s copied from shared memory object %s", (unsigned long long)written,
           plural(written), shown(object.name.text));
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = object_name(argv[first]);

    output_require();
    open_object(&name);
    return output_finish((int)copy_out(range_length()));
}
