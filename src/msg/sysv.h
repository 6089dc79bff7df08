/* SPDX-License-Identifier: MIT
 *
 * System V message queues (sysvipc(7)): how a user names one, opening and
 * creating, and what the kernel's errors mean. They have no descriptor: the
 * calls are made without waiting, and where there is something to wait for,
 * once more inside of wait_in_call (wait.h).
 */
#ifndef IPCUTILS_SYSV_H
#define IPCUTILS_SYSV_H

#include "report.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SYSV_QUEUE_MODE 0600
#define SYSV_TYPE_MOST  LONG_MAX /* the lowest is 1 */

struct sysv_queue {
    char name[24]; /* its key as ipcs(1) shows it, "0x0000002a", or "id:5" */
    int id;
};

/* What comes before a message's bytes in msgsnd(2) and msgrcv(2). */
typedef long sysv_type;

/* Which messages to receive, as msgrcv(2) selects them: 0 any, N those of
 * type N, -N those of the lowest type up to N; EXCEPT any but N. */
struct sysv_selection {
    sysv_type type;
    bool except;
};

/* Opens the queue that an operand names, with CREATE also where there is none;
 * or ends the process. Nothing is checked yet of the permission to use it. */
struct sysv_queue sysv_open(const char *operand, bool create);

/* Whether the queue has been removed. */
bool sysv_removed(const struct sysv_queue *queue);

/* The longest message that it takes, in bytes, and what says so ("kernel.msgmax"). */
size_t sysv_longest_message(const struct sysv_queue *queue, const char **limit);

#endif
