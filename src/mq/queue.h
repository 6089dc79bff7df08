/* SPDX-License-Identifier: MIT
 *
 * POSIX message queues (mq_overview(7)): opening, creating, waiting, and what
 * the kernel's errors mean. On Linux a queue descriptor is a file descriptor:
 * it can be polled, and fstat(2) tells owner, mode and whether the queue has
 * been unlinked.
 */
#ifndef IPCUTILS_QUEUE_H
#define IPCUTILS_QUEUE_H

#include "name.h"
#include "report.h"
#include "wait.h"

#include <mqueue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PRIORITY_HIGHEST = 32767 }; /* MQ_PRIO_MAX - 1 */

#define QUEUE_MODE_DEFAULT 0600

/* How long one that is made for another owner is given to get it. */
#define QUEUE_GIVEN_AWAY SECOND

struct queue {
    struct name name;
    mqd_t descriptor; /* non-blocking */
    bool writable;
    size_t max_messages;
    size_t message_size; /* bytes */
};

/* What a queue is created with. */
struct queue_attributes {
    uint64_t max_messages; /* 0: the system's default */
    uint64_t message_size; /* 0: the system's default */
    mode_t mode;
    uid_t user;  /* (uid_t)-1: whoever creates it */
    gid_t group; /* (gid_t)-1: likewise */
};

struct name queue_name(const char *operand);

enum queue_access {
    QUEUE_TO_SEND,
    QUEUE_OF_DEAD_LETTERS, /* the same; messages say which queue is meant */
    QUEUE_TO_RECEIVE,      /* for writing too where permitted, to be able to put back */
    QUEUE_TO_LOOK_AT
};

/* Opens the queue an operand names, or ends the process; with patience->await
 * once it is there, with CREATE also where it is not (default attributes). */
struct queue queue_open(const char *operand, enum queue_access access,
                        const struct patience *patience, bool create);

/* Opens an existing queue without waiting: 0, or an errno value. */
int queue_try_open(struct queue *queue, const struct name *name, int flags);

/* The same in whichever way the ACCESS can be had. */
int queue_try_access(struct queue *queue, const struct name *name, enum queue_access access);

/* Creates a queue that is not there yet, and closes it. Returns 0, or the
 * status after saying why not; EXISTS is not said, the caller knows better. */
enum status queue_create(const struct name *name, struct queue_attributes attributes);

/* Fills in the system's defaults for what is 0. */
void queue_fill_defaults(struct queue_attributes *attributes);

/* A number from /proc/sys/fs/mqueue; 0 if it cannot be read. */
uint64_t queue_system_limit(const char *name);

/* Messages in the queue now. */
size_t queue_depth(const struct queue *queue);

bool queue_unlinked(const struct queue *queue);

enum queue_waited {
    QUEUE_READY,
    QUEUE_TIMED_OUT,
    QUEUE_REMOVED,    /* the queue has been unlinked; it may be ready all the same */
    QUEUE_SIGNALLED,  /* as WAIT_SIGNALLED */
    QUEUE_OUTPUT_GONE /* standard output has lost its reader */
};

/* Waits for POLLIN or POLLOUT, or for the deadline, looking about once a second
 * whether the queue is still there: an unlink wakes nobody. With
 * WATCH_OUTPUT also for the end of standard output's reader. Another process
 * may be faster: the next call can still find the queue empty or full. */
enum queue_waited queue_wait(const struct queue *queue, short events, nanoseconds deadline,
                             bool watch_output);

#endif
