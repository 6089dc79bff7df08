/* SPDX-License-Identifier: MIT
 *
 * flock(2) locks: taken within a time, handed from shmrun to the tools that
 * its COMMAND starts, and listed as /proc/locks has them (proc(5)).
 */
#ifndef IPCUTILS_LOCK_H
#define IPCUTILS_LOCK_H

#include "wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

enum lock_taken { LOCK_TAKEN, LOCK_BUSY, LOCK_TIMED_OUT };

/* Takes LOCK, LOCK_SH or LOCK_EX, on a descriptor: LOCK_BUSY only with
 * NONBLOCK. Held signals (wait.h) act while it waits. */
enum lock_taken lock_take(int fd, const char *object, int lock, bool nonblock,
                          nanoseconds deadline);

/* Tells the tools that a COMMAND of this process runs that FD holds a lock on
 * the object of STATUS; the environment is that of the process from here on. */
void lock_announce(int fd, const struct stat *status);

/* What a shmrun around this process holds on that object: LOCK_EX, LOCK_SH,
 * or 0. Believed only if the kernel says the same. */
int lock_held_around(const struct stat *status);

struct lock {
    dev_t device;
    ino_t inode;
    pid_t pid; /* of the process that took it; others can hold it with it */
    int kind;  /* LOCK_SH or LOCK_EX */
};

struct lock_list {
    struct lock *locks; /* by inode; owned by whoever asked */
    size_t count;
    bool unknown; /* they cannot be read */
};

/* The flock(2) locks held now, of the processes that this one can see. */
struct lock_list lock_list(void);

/* A lock on that object (if there are several, all are LOCK_SH), or NULL. */
const struct lock *lock_list_find(const struct lock_list *list, dev_t device, ino_t inode);

#endif
