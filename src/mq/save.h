/* SPDX-License-Identifier: MIT
 *
 * Messages that were taken and cannot be delivered: put back, each at the tail
 * of its priority, or kept in a file that mqsend -S -P reads.
 */
#ifndef IPCUTILS_SAVE_H
#define IPCUTILS_SAVE_H

#include "queue.h"

#include <stddef.h>

struct message {
    const char *bytes;
    size_t length;
    unsigned priority;
};

/* What became of the messages saved so far. */
struct saved {
    size_t put_back;
    size_t kept; /* in the file */
    size_t lost;
    int file;    /* -1 before the first message is kept */
    char path[256];
};

#define SAVED_NONE {.file = -1}

/* Saves messages in the order in which they were taken. Once one had to be
 * kept in the file, so are those after it, to keep that order. */
void save_messages(struct saved *saved, const struct queue *queue, const struct message *messages,
                   size_t count);

/* Says where the messages are, and returns STATUS_SAVED or STATUS_LOST;
 * STATUS_DONE, silently, if nothing had to be saved. */
enum status save_report(const struct saved *saved, const struct queue *queue);

#endif
