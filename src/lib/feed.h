/* SPDX-License-Identifier: MIT
 *
 * What a sending tool sends: each MESSAGE operand, or each record of standard
 * input as soon as it is complete; and what it says when it stops early.
 */
#ifndef IPCUTILS_FEED_H
#define IPCUTILS_FEED_H

#include "frame.h"
#include "report.h"

#include <stddef.h>
#include <stdint.h>

/* A family's way into a queue. */
struct feed {
    const char *queue; /* its name, unescaped */
    const struct records *records;
    size_t longest;          /* message that it takes, in bytes */
    const char *limit;       /* what LONGEST is: "the queue's message size" */
    uint64_t number;         /* priority or type of a message without a prefix */
    uint64_t least, most;    /* what a prefix may say */
    const char *number_name; /* "a priority" */
    /* Sends a message of at most LONGEST bytes: 0, STATUS_PARTIAL if it was
     * dropped as asked, or the status to stop with, after saying why. Calls
     * feed_waits before it waits. */
    enum status (*send)(const struct record *message, uint64_t number);
    /* Whether the queue is gone: looked at before each operand and once for
     * each read, where sending does not tell. NULL if it does. */
    bool (*removed)(void);
};

/* Sends the OPERANDS (up to NULL), or standard input if there are none; says
 * what there is to say, and returns the status for the end of main. */
enum status feed_queue(const struct feed *feed, char **operands);

/* Says that a message is larger than LIMIT, "the queue's message size", allows. */
enum status feed_too_long(const char *queue, size_t length, const char *limit, size_t longest);

/* Leaves standard input's offset at the message that has to wait. */
void feed_waits(void);

/* Leaves it after that message, which has been sent: a signal is about to end
 * the process. */
void feed_ends(void);

#endif
