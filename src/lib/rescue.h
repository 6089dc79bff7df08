/* SPDX-License-Identifier: MIT
 *
 * Messages that were taken and cannot be delivered: put back on their queue,
 * or kept in a private file of netstrings NUMBER<TAB>BYTES, which the sending
 * tool reads with -S -P.
 */
#ifndef IPCUTILS_RESCUE_H
#define IPCUTILS_RESCUE_H

#include "report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    const char *bytes;
    size_t length;
    uint64_t number; /* priority or type */
};

/* How a family puts back. */
struct rescuer {
    const char *queue;  /* its name, unescaped */
    const char *sender; /* the tool that reads the file: "mqsend" */
    const char *unable; /* why it may fail: "is full or removed" */
    bool (*put_back)(const void *context, const struct message *message);
    const void *context;
};

/* A file of messages: in the first directory that had room. Where it filled, the
 * rest is in another. */
struct kept {
    int file; /* open while there are messages */
    size_t messages;
    char path[256];
};

enum { KEPT_DIRECTORIES = 4 };

/* What became of the messages saved so far. */
struct saved {
    size_t put_back;
    size_t lost;
    int error;        /* errno of the last attempt to keep one that was lost */
    size_t directory; /* that messages are kept in now */
    struct kept kept[KEPT_DIRECTORIES];
};

/* clang-format off */
#define SAVED_NONE {.directory = 0}
/* clang-format on */

/* For a tool that is about to take: keeps a descriptor free for such a file. Ends the
 * process (75) if there is none. */
void rescue_prepare(void);

/* Saves messages in the order in which they were taken. Once one had to be
 * kept in a file, so are those after it, to keep that order. */
void rescue_messages(struct saved *saved, const struct rescuer *rescuer,
                     const struct message *messages, size_t count);

/* Keeps bytes of a SOURCE ("FIFO f", escaped) that has no way back, in such a file as
 * they are, says so, and returns STATUS_SAVED or STATUS_LOST. */
enum status rescue_bytes(const char *bytes, size_t length, const char *source);

/* Says where the messages are, and returns STATUS_SAVED or STATUS_LOST;
 * STATUS_DONE, silently, if nothing had to be saved. */
enum status rescue_report(const struct saved *saved, const struct rescuer *rescuer);

#endif
