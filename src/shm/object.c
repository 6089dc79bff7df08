/* SPDX-License-Identifier: MIT */
#include "object.h"

#include "limit.h"
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

struct name object_name(const char *operand)
{
    struct name name = name_require(operand, "shared memory object", NAME_LONGEST);

    if (strncmp(name.text, "/sem.", 5) == 0)
        die(STATUS_DATA, "%s is where semaphore /%s is kept, not a shared memory object",
            shown(name.text), shown(name.text + 5));
    return name;
}

struct object_path object_path(const struct name *name)
{
    struct object_path path;

    snprintf(path.text, sizeof path.text, "%s%s", OBJECT_DIRECTORY, name->text);
    return path;
}

/* Not to wait for the other end of a FIFO that somebody planted there. */
static int open_as(const struct name *name, int access)
{
    return shm_open(name->text, access | O_NONBLOCK, 0);
}

/* What it is instead, as an errno value, or 0. */
static int wrong_kind(const struct stat *status)
{
    return S_ISREG(status->st_mode)   ? 0
           : S_ISLNK(status->st_mode) ? ELOOP
           : S_ISDIR(status->st_mode) ? EISDIR
                                      : ENXIO;
}

int object_try_open(struct object *object, const struct name *name, enum object_access access)
{
    *object = (struct object){.name = *name};
    object->fd = open_as(name, access == OBJECT_TO_WRITE ? O_WRONLY : O_RDONLY);
    if (object->fd < 0 && errno == EACCES && access == OBJECT_TO_LOCK)
        object->fd = open_as(name, O_WRONLY);
    if (object->fd < 0)
        return errno == EINVAL ? EISDIR : errno; /* what glibc makes of it */
    int error = fstat(object->fd, &object->status) != 0 ? errno : wrong_kind(&object->status);
    if (error != 0)
        object_close(object);
    return error;
}

int object_look(const struct name *name, struct stat *status)
{
    if (lstat(object_path(name).text, status) != 0)
        return errno;
    return wrong_kind(status);
}

void object_close(struct object *object)
{
    if (object->fd >= 0)
        close(object->fd);
    object->fd = -1;
}

bool object_still_named(struct object *object)
{
    struct stat now;

    return lstat(object_path(&object->name).text, &now) == 0 &&
           now.st_dev == object->status.st_dev && now.st_ino == object->status.st_ino &&
           fstat(object->fd, &object->status) == 0;
}

static bool held_already(struct object *object, int lock)
{
    object->held = lock_held_around(&object->status);
    if (object->held == LOCK_SH && lock == LOCK_EX)
        die(STATUS_USAGE,
            "shmrun --shared around this holds shared memory object %s for reading; "
            "to write, use shmrun without --shared",
            shown(object->name.text));
    return object->held != 0;
}

/* Sleeps until it is time to look for the object again. */
static enum object_found look_again(struct pause *pause, nanoseconds deadline)
{
    return pause_before_looking(pause, SECOND / 20, deadline) == WAIT_TIMED_OUT ? OBJECT_TIMED_OUT
                                                                                : OBJECT_FOUND;
}

enum object_found object_open(struct object *object, const struct name *name,
                              enum object_access access, int lock, const struct patience *patience)
{
    nanoseconds appears = deadline_after(patience->timeout);
    nanoseconds locked = 0; /* that wait has not begun */
    struct pause pause = {0};

    for (;;) {
        int error = object_try_open(object, name, access);
        if (error == ENOENT && !patience->await)
            return OBJECT_MISSING;
        if (error == ENOENT) {
            if (look_again(&pause, appears) == OBJECT_TIMED_OUT)
                return OBJECT_TIMED_OUT;
            continue;
        }
        if (error != 0)
            die(object_error_status(error), "cannot open shared memory object %s: %s",
                shown(name->text), object_error(error));
        if (lock == 0 || held_already(object, lock))
            return OBJECT_FOUND;
        if (locked == 0)
            locked = deadline_after(patience->timeout);
        enum lock_taken taken =
            lock_take(object->fd, shown(name->text), lock, patience->nonblock, locked);
        if (taken == LOCK_TAKEN && object_still_named(object))
            return OBJECT_FOUND;
        object_close(object);
        if (taken != LOCK_TAKEN)
            return taken == LOCK_BUSY ? OBJECT_BUSY : OBJECT_TIMED_OUT;
    }
}

_Noreturn void object_give_up(enum object_found found, const struct name *name, const char *way_out)
{
    if (found == OBJECT_BUSY)
        exit(STATUS_WOULD_WAIT);
    if (found == OBJECT_TIMED_OUT)
        exit(STATUS_TIMED_OUT);
    die(STATUS_NO_OBJECT, "cannot open shared memory object %s: no such object; %s",
        shown(name->text), way_out);
}

const char *object_error(int error)
{
    switch (error) {
    case ENOENT:
        return "no such object";
    case EBUSY:
        return "all hidden names for a replacement are taken, " OBJECT_DIRECTORY "/.ipcutils.*";
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EISDIR:
        return "it is a directory";
    case ENXIO:
        return "it is a FIFO, a socket or a device, not a regular file";
    default:
        return error_text(error);
    }
}

enum status object_error_status(int error)
{
    bool other_kind = error == ELOOP || error == EISDIR || error == ENXIO;

    return other_kind ? STATUS_DATA : status_of_error(error);
}

enum status object_not_made(const char *attempt, const struct name *name, int error)
{
    bool nowhere = error == ENOENT;

    return fail(nowhere ? STATUS_SYSTEM : object_error_status(error),
                "cannot %s shared memory object %s: %s", attempt, shown(name->text),
                nowhere ? "there is no directory " OBJECT_DIRECTORY : object_error(error));
}

int object_reserve(int fd, uint64_t from, uint64_t length)
{
    int error;

    if (length == 0)
        return 0;
    if (from > INT64_MAX || length > INT64_MAX - from)
        return EFBIG;
    /* fallocate(2) minds it only where the object grows, write(2) everywhere. */
    if (from + length > resource_limit(RLIMIT_FSIZE))
        return EFBIG;
    do
        error = posix_fallocate(fd, (off_t)from, (off_t)length);
    while (error == EINTR);
    return error;
}

enum status object_no_room(const char *attempt, const struct name *name, uint64_t asked, int error)
{
    if (error == ENOENT)
        return object_not_made(attempt, name, error);
    return fail(status_of_error(error),
                "cannot %s shared memory object %s: %s; nothing was changed", attempt,
                shown(name->text), no_room_text(OBJECT_DIRECTORY, asked, error));
}
