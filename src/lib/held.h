/* SPDX-License-Identifier: MIT
 *
 * Messages that were taken from a queue, oldest first, until it is known that
 * they can be forgotten: their bytes in one store, each after the header that
 * its receiving call puts there, and where its record ends in the output.
 */
#ifndef IPCUTILS_HELD_H
#define IPCUTILS_HELD_H

#include "buffer.h"
#include "rescue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held {
    size_t header;            /* bytes */
    size_t longest;           /* message there must be room for, in bytes */
    size_t most_bytes;        /* of the store, before there is no room */
    size_t most;              /* messages, likewise */
    size_t first;             /* message not forgotten */
    size_t count;             /* of messages: those from FIRST up to here are held */
    size_t capacity;          /* of the arrays, in messages */
    struct message *messages; /* owned; their bytes are set by held_messages */
    uint64_t *ends;           /* owned: bytes of output up to the end of each record */
    uint64_t forgotten;       /* where the record of the last one forgotten ends */
    size_t start;             /* of the first message's header in the store */
    struct buffer store;
};

/* Reserves memory for so many MESSAGES at first, and BYTES of them besides the
 * longest, or ends the process. It grows up to most_bytes and most, which the
 * caller sets. */
void held_start(struct held *held, size_t header, size_t longest, size_t messages, size_t bytes);

/* For longer messages than were foreseen. */
void held_enlarge(struct held *held, size_t longest);

/* Whether there is room for one more message. */
bool held_has_room(const struct held *held);

/* Makes room: drops what is forgotten, or grows. False where that is not enough. */
bool held_make_room(struct held *held);

/* Where to receive that message: already touched, so that the kernel never
 * meets a page that it cannot have while it holds a message. */
char *held_room(const struct held *held);

/* It has been received there; returns its bytes, valid until held_make_room. */
const char *held_add(struct held *held, size_t length, uint64_t number);

/* The record of the last message ends there. */
void held_set_end(struct held *held, uint64_t end);

/* Forgets those whose records end by END, but not the last BUT. */
void held_forget(struct held *held, uint64_t end, size_t but);

/* How many are held; and they, valid until held_make_room. */
size_t held_count(const struct held *held);
const struct message *held_messages(struct held *held);

#endif
