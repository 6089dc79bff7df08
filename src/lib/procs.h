/* SPDX-License-Identifier: MIT
 *
 * Which processes have an object open or mapped, as /proc tells (proc(5)), and
 * the rows that show them in a table.
 */
#ifndef IPCUTILS_PROCS_H
#define IPCUTILS_PROCS_H

#include "table.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct object_id {
    dev_t device;
    ino_t inode;
};

struct process_use {
    size_t object; /* its place in the array asked about */
    pid_t pid;
    bool reads, writes; /* through a descriptor, or a mapping as it is protected now */
    int descriptor;     /* one that leads to it; 0 if only a mapping does */
    bool maps;          /* it does not need a descriptor any more */
    char command[64];   /* comm, unescaped */
};

struct process_uses {
    struct process_use *rows; /* by object, then PID; owned */
    size_t count;
    size_t hidden; /* processes that may not be looked into */
    size_t *first; /* for each object the first that is the same, which has the rows; owned */
};

/* Ends the process where /proc cannot be read for want of descriptors: nobody found
 * would look like nobody there. */
void proc_require_descriptors(int error);

/* Looks once through /proc for all the objects. */
struct process_uses processes_using(const struct object_id *objects, size_t count);

void process_uses_free(struct process_uses *uses);

/* "r", "w" or "rw", with "m" after it if it maps the object; "?" if unknown. */
const char *process_access(const struct process_use *use);

/* The columns of a table that show a process. */
struct process_columns {
    size_t pid, access, command;
};

/* Whether a table needs what table_processes() finds out. */
bool table_shows_processes(const struct table *table, const struct process_columns *columns);

/* Fills TABLE with a row per process for each of COUNT objects; with JSON, a
 * row per object, the processes in an array. FILL_ROW adds the row of object I
 * of CONTEXT. Notes how many processes may not be looked into. */
void table_processes(struct table *table, const struct process_columns *columns, bool json,
                     const struct object_id *objects, size_t count,
                     void (*fill_row)(struct table *table, const void *context, size_t i),
                     const void *context);

#endif
