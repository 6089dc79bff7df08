/* SPDX-License-Identifier: MIT
 *
 * shmrun: run a COMMAND while holding the lock of a POSIX shared memory
 * object. The lock is flock(2)'s, and COMMAND inherits it: no crash leaves it
 * behind, and it lasts until all that COMMAND has started is gone.
 */
#include "lock.h"
#include "object.h"
#include "options.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static struct patience patience = PATIENCE_DEFAULT;
static bool shared, create, close_in_command;
static uint64_t conflict_status;

enum { KEY_CLOSE = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    {'s', "shared", NULL, "a lock that others can share, for reading", .flag = &shared},
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    {'c', "create", NULL, "create the object, empty, if it does not exist", .flag = &create},
    {'E', "conflict-exit-code", "N", "exit N, not 1 or 124, if taken or timed out",
     .number = &conflict_status, .most = 255},
    {KEY_CLOSE, "close", NULL, "COMMAND does not inherit the lock", .flag = &close_in_command},
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {0}};

static const struct tool tool = {
    .name = "shmrun",
    .operands = "NAME COMMAND [ARG]...",
    .purpose = "Run COMMAND while holding the lock of a POSIX shared memory object.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 2,
    .most_operands = -1,
    .data_operands = true,
    .own_failure = STATUS_RUN_FAILED,
};

static void create_empty(const struct name *name)
{
    mode_t before = umask(0);
    int fd = shm_open(name->text, O_RDWR | O_CREAT | O_EXCL, OBJECT_MODE_DEFAULT);
    int error = errno;

    umask(before);
    if (fd >= 0)
        close(fd);
    else if (error != EEXIST)
        exit((int)(error == ENOSPC ? object_no_room("create", name, 0, error)
                                   : object_not_made("create", name, error)));
}

static struct object lock_object(const struct name *name)
{
    struct object object;

    for (;;) {
        enum object_found found =
            object_open(&object, name, OBJECT_TO_LOCK, shared ? LOCK_SH : LOCK_EX, &patience);
        if (found == OBJECT_FOUND)
            return object;
        if (found == OBJECT_MISSING && create)
            create_empty(name);
        else if (found == OBJECT_MISSING || !option_given('E'))
            object_give_up(found, name, "--create makes it");
        else
            exit((int)conflict_status);
    }
}

/* Moves the lock out of the way of the numbers that scripts use, as in
 * "exec 3>file", which would close it. */
static int hand_to_command(int fd)
{
    enum { ABOVE = 10 };

    int moved = fcntl(fd, close_in_command ? F_DUPFD_CLOEXEC : F_DUPFD, ABOVE);
    if (moved >= 0) {
        close(fd);
        return moved;
    }
    if (!close_in_command && fcntl(fd, F_SETFD, 0) != 0)
        die(STATUS_SYSTEM, "cannot hand the lock to the command: %s", error_text(errno));
    return fd;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = object_name(argv[first]);

    signals_hold();
    struct object object = lock_object(&name);
    remark("shared memory object %s is locked", shown(name.text));
    int lock = -1, error;
    if (object.held != 0)
        object_close(&object); /* a shmrun around this one has the lock */
    else
        lock_announce(lock = hand_to_command(object.fd), &object.status);
    signals_checkpoint(); /* there is no COMMAND yet that a signal could be for */
    int ended = run_and_wait(argv + first + 1, environ, &error);
    if (error == 0)
        return ended;
    close(lock);
    return run_cannot_start(argv[first + 1], error);
}
