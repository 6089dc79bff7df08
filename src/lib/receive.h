/* SPDX-License-Identifier: MIT
 *
 * The loop of a receiving tool: one message, so many, until the queue is
 * empty, or until it is gone; waiting only when all that was taken is written.
 */
#ifndef IPCUTILS_RECEIVE_H
#define IPCUTILS_RECEIVE_H

#include "deliver.h"
#include "frame.h"
#include "wait.h"

#include <stdbool.h>
#include <stdint.h>

/* What a user says about receiving. */
struct receiving {
    struct patience patience;
    struct records records;
    uint64_t wanted;
    bool drain, follow, json, confirm;
};

/* clang-format off */
#define RECEIVING_DEFAULT {.patience = PATIENCE_DEFAULT, .wanted = 1}
/* clang-format on */

/* The rows of an options table (options.h) that set the struct receiving R. */
#define OPTION_COUNT(r)                                                                            \
    {                                                                                              \
        'N', "count", "N", "receive this many messages (default 1)",                               \
            .number = &(r).wanted, .least = 1, .most = UINT64_MAX                                  \
    }
#define OPTION_DRAIN(r)                                                                            \
    {                                                                                              \
        'd', "drain", NULL, "until the queue is empty, never waiting", .flag = &(r).drain          \
    }
#define OPTION_FOLLOW(r)                                                                           \
    {                                                                                              \
        'f', "follow", NULL, "go on until the queue is removed", .flag = &(r).follow               \
    }
#define OPTION_MESSAGE_JSON(r)                                                                     \
    {                                                                                              \
        'j', "json", NULL, "write each message as a JSON object", .flag = &(r).json                \
    }
#define OPTION_CONFIRM(r)                                                                          \
    {                                                                                              \
        'C', "confirm", NULL, "do not exit before the reader has read everything",                 \
            .flag = &(r).confirm                                                                   \
    }

/* Those that contradict each other. */
/* clang-format off */
#define RECEIVING_CONFLICTS {'n', 't'}, {'f', 'd'}, {'f', 'N'}, {'P', 'j'}
/* clang-format on */

/* Whether it is one message that is asked for. */
bool receives_one(const struct receiving *receiving);

/* What a look at the queue, or a wait, came to. */
enum received {
    RECEIVED,         /* a message is in hand, or may be there */
    RECEIVED_NOTHING, /* the queue is empty */
    RECEIVED_REMOVED, /* there is no queue any more, nor a message of it */
    RECEIVED_TIMED_OUT,
    RECEIVED_SIGNALLED,
    RECEIVED_OUTPUT_GONE /* standard output has lost its reader */
};

/* A family's way to a queue. */
struct source {
    const char *queue;           /* its name, unescaped */
    const char *did;             /* "received", for counts */
    enum received (*take)(void); /* takes a message into the hand, without waiting */
    enum received (*wait)(nanoseconds deadline); /* called with nothing in hand */
};

/* Receives as asked and writes it all; returns the status after saying what
 * there is to say. deliver_start comes first. */
enum status receive(const struct source *source, const struct receiving *receiving);

/* For a tool that is done: says how many were received, under --verbose. */
void receive_done(const struct source *source);

/* For a tool that stops early: says how many were received; returns STATUS. */
enum status receive_stopped(const struct source *source, const struct receiving *receiving,
                            enum status status);

#endif
