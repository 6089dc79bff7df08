/* SPDX-License-Identifier: MIT
 *
 * Which processes have an object open or mapped, as /proc tells (proc(5)).
 */
#ifndef IPCUTILS_PROCS_H
#define IPCUTILS_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct object_id {
    dev_t device;
    ino_t inode;
    bool mappable; /* look for mappings too: they outlive the descriptor */
};

struct process_use {
    size_t object; /* its place in the array asked about */
    pid_t pid;
    bool reads, writes;
    char command[64]; /* comm, unescaped */
};

struct process_uses {
    struct process_use *rows; /* by object, then PID; owned */
    size_t count;
    size_t hidden; /* processes that may not be looked into */
};

/* Looks once through /proc for all the objects. */
struct process_uses processes_using(const struct object_id *objects, size_t count);

void process_uses_free(struct process_uses *uses);

/* "r", "w" or "rw". */
const char *process_access(const struct process_use *use);

#endif
