/* SPDX-License-Identifier: MIT
 *
 * What --processes adds to a table (table.h): who has the objects open or
 * mapped (procs.h).
 */
#ifndef IPCUTILS_USERS_H
#define IPCUTILS_USERS_H

#include "procs.h"
#include "table.h"

/* The columns of the table that tell of a process. */
struct user_columns {
    size_t pid, access, command;
};

/* Whether one of them is to be shown. */
bool users_wanted(const struct table *table, const struct user_columns *columns);

/* A row per process for each object; with JSON a row per object, with an array
 * "processes". FILL begins the row of object I of OBJECTS and fills what it
 * knows. Says how many processes may not be looked into. */
void users_fill(struct table *table, const struct user_columns *columns, bool json,
                const struct object_id *ids, size_t count,
                void (*fill)(struct table *table, const void *objects, size_t i),
                const void *objects);

#endif
