/* SPDX-License-Identifier: MIT
 *
 * Messages on their way from a queue to standard output. Those that were taken
 * are in hand until they have been written, in bursts of at most PIPE_BUF bytes
 * and never blocking in a write; whatever ends the tool meanwhile, an error or
 * a signal, what is in hand is rescued first. What went into a pipe is remembered
 * until it has been read (in memory of its size), and rescued too if the reader
 * goes before. A process has one hand.
 */
#ifndef IPCUTILS_DELIVER_H
#define IPCUTILS_DELIVER_H

#include "frame.h"
#include "report.h"
#include "rescue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery {
    const struct records *records;
    bool json;
    bool one;           /* no more than one message is taken */
    const char *queue;  /* in JSON, unescaped */
    const char *number; /* what JSON calls a message's number: "priority", "type" */
    size_t header;      /* bytes that the receiving call puts before a message */
    bool copies;        /* they are still in the queue: what was written is of no interest */
    bool confirm;       /* a pipe's reader is waited for before the tool ends */
    /* Saves messages, says where they are, and returns the status to end with;
     * STATUS_DONE if there are none. */
    enum status (*rescue)(const struct message *messages, size_t count);
};

/* Opens the output and reserves all memory that a burst of messages of up to
 * LONGEST bytes can need: once one is in hand there is no good moment to run
 * out of it. After output_require and signals_catch. */
void deliver_start(const struct delivery *delivery, size_t longest);

/* For longer messages than were foreseen; writes what is in hand first. */
void deliver_enlarge(size_t longest);

/* Where to receive the next message: room for the header and LONGEST bytes,
 * already touched. Writes what is in hand if there is no room beside it. */
char *deliver_room(void);

/* What has been received there is in hand now. */
void deliver_add(size_t length, uint64_t number);

/* Writes all that is in hand. */
void deliver_all(void);

/* Messages in hand, and messages written so far. */
size_t deliver_in_hand(void);
uint64_t deliver_count(void);

/* Ends the tool by the signal that was caught: puts back what is in hand, and what
 * is in a pipe whose reader has gone; to confirm, it waits for the reader first,
 * or for another signal. */
_Noreturn void deliver_end_by_signal(void);

/* With nothing in hand: waits for the reader to confirm, and rescues what one that
 * has gone did not read. Returns the status of that, STATUS_DONE if there was
 * nothing to rescue. */
enum status deliver_settle(void);

/* Closes standard output, for the end of main: returns STATUS, or STATUS_LOST
 * if what was written may not have been stored. */
enum status deliver_finish(enum status status);

#endif
