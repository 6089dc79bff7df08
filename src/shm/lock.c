/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* makedev */
#include "lock.h"

#include "buffer.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "FD:DEVICE:INODE:PID", with blanks between where there is more than one. */
#define VARIABLE "SHMRUN_LOCKS"

/* ---- Taking one ---- */

struct flocking {
    int fd, lock;
};

static int flock_once(void *context)
{
    const struct flocking *flocking = context;

    return flock(flocking->fd, flocking->lock) == 0 ? 0 : errno;
}

enum lock_taken lock_take(int fd, const char *object, int lock, bool nonblock, nanoseconds deadline)
{
    struct flocking now = {fd, lock | LOCK_NB};
    struct flocking later = {fd, lock};
    int error;

    while ((error = flock_once(&now)) == EINTR)
        continue;
    if (error == EWOULDBLOCK && nonblock)
        return LOCK_BUSY;
    if (error == EWOULDBLOCK && deadline != NO_LIMIT && clock_now() >= deadline)
        return LOCK_TIMED_OUT;
    if (error == EWOULDBLOCK && wait_in_call(flock_once, &later, deadline, &error) != WAIT_READY)
        return LOCK_TIMED_OUT;
    if (error != 0)
        die(STATUS_SYSTEM, "cannot lock shared memory object %s: %s", object, error_text(error));
    return LOCK_TAKEN;
}

/* ---- Those of the system ---- */

/* A line of /proc/locks; false if it is of another kind, or of a process that
 * waits ("1: -> FLOCK …"). */
static bool parse_lock(const char *line, struct lock *lock)
{
    char kind[8];
    unsigned major_number, minor_number;
    unsigned long long inode;
    int pid;

    if (sscanf(line, "%*u: FLOCK %*s %7s %d %x:%x:%llu", kind, &pid, &major_number, &minor_number,
               &inode) != 5)
        return false;
    *lock = (struct lock){.device = makedev(major_number, minor_number),
                          .inode = (ino_t)inode,
                          .pid = pid,
                          .kind = strcmp(kind, "WRITE") == 0 ? LOCK_EX : LOCK_SH};
    return true;
}

static int by_inode(const void *one, const void *other)
{
    const struct lock *a = one, *b = other;

    return (a->inode > b->inode) - (a->inode < b->inode);
}

struct lock_list lock_list(void)
{
    struct buffer locks = {0};
    char line[256];
    struct lock lock;

    FILE *file = fopen("/proc/locks", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (parse_lock(line, &lock))
            buffer_add(&locks, &lock, sizeof lock);
    if (file != NULL)
        fclose(file);
    struct lock_list list = {(struct lock *)(void *)locks.bytes, locks.length / sizeof lock,
                             file == NULL};
    if (list.count > 0)
        qsort(list.locks, list.count, sizeof lock, by_inode);
    return list;
}

const struct lock *lock_list_find(const struct lock_list *list, dev_t device, ino_t inode)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->locks[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < list->count && list->locks[low].inode == inode; low++)
        if (list->locks[low].device == device)
            return &list->locks[low];
    return NULL;
}

/* ---- From shmrun to the tools within ---- */

void lock_announce(int fd, const struct stat *status)
{
    const char *around = getenv(VARIABLE);
    struct buffer value = {0};

    if (around != NULL && *around != '\0') {
        buffer_add_text(&value, around);
        buffer_add_text(&value, " ");
    }
    buffer_add_format(&value, "%d:%llu:%llu:%ld", fd, (unsigned long long)status->st_dev,
                      (unsigned long long)status->st_ino, (long)getpid());
    buffer_add(&value, "", 1);
    if (setenv(VARIABLE, value.bytes, 1) != 0)
        die_of_memory();
    buffer_free(&value);
}

/* What an inherited descriptor holds. Its number can have come to mean another
 * file since; and an attempt to take the lock, rather than this look, could
 * take one that nobody gives up. */
static int held_by_descriptor(int fd, const struct stat *status)
{
    char path[48], line[256];
    struct stat there;
    struct lock lock;
    int held = 0;

    if (fstat(fd, &there) != 0 || there.st_dev != status->st_dev || there.st_ino != status->st_ino)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "re");
    while (file != NULL && held == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "lock:\t", 6) == 0 && parse_lock(line + 6, &lock))
            held = lock.kind;
    if (file != NULL)
        fclose(file);
    return held;
}

/* What the process holds that wrote the environment: a COMMAND may have closed
 * what it inherited, and may outlive the shmrun that its environment names. */
static int held_by_process(pid_t pid, const struct stat *status)
{
    struct lock_list list = lock_list();
    int held = 0;

    if (list.unknown) /* to wait for the lock could be to wait for ourselves */
        die(STATUS_SYSTEM, "cannot see whether the shmrun around this has the lock: /proc/locks "
                           "cannot be read");
    for (size_t i = 0; i < list.count && held == 0; i++)
        if (list.locks[i].pid == pid && list.locks[i].inode == status->st_ino &&
            list.locks[i].device == status->st_dev)
            held = list.locks[i].kind;
    free(list.locks);
    return held;
}

int lock_held_around(const struct stat *status)
{
    const char *entry = getenv(VARIABLE);
    int held = 0;

    while (entry != NULL && held == 0) {
        unsigned long long device, inode;
        long pid;
        int fd;
        if (sscanf(entry, "%d:%llu:%llu:%ld", &fd, &device, &inode, &pid) == 4 &&
            device == status->st_dev && inode == status->st_ino && fd >= 0) {
            held = held_by_descriptor(fd, status);
            if (held == 0)
                held = held_by_process((pid_t)pid, status);
        }
        entry = strchr(entry, ' ');
        if (entry != NULL)
            entry++;
    }
    return held;
}
