/* SPDX-License-Identifier: MIT
 *
 * The journal of mqrun: a file on a tmpfs, mapped, into which the kernel itself
 * copies each message, so that there is no moment at which the death of the
 * process, by SIGKILL even, could lose one that was taken. A slot per job.
 *
 * mq_receive(3) copies the priority and the bytes before it returns; the length
 * it returns only, and that is stored a moment later. For a process that was
 * killed in that moment, the length is found from the fill that was there
 * before: a byte that never occurs in UTF-8.
 */
#ifndef IPCUTILS_JOURNAL_H
#define IPCUTILS_JOURNAL_H

#include "queue.h"
#include "rescue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal {
    const char *path; /* NULL: there is none */
    int fd;           /* holds the lock, which no child inherits */
    char *map;
    size_t slots;
    size_t slot_size; /* bytes, whole pages */
    size_t message_size;
};

/* Opens the journal at PATH for that queue, or makes one there, with SLOTS
 * slots; all of its memory is there and stays there. Ends the process if it is
 * in use, damaged, another queue's, or not on a tmpfs. */
struct journal journal_open(const char *path, const struct queue *queue, size_t slots);

/* Where slot I's message is received. */
char *journal_bytes(const struct journal *journal, size_t i);

/* Receives a message into slot I, which is free; as mq_receive(3). */
ssize_t journal_receive(struct journal *journal, size_t i, mqd_t descriptor, unsigned *priority);

/* Whether slot I holds a message; if so, what is known of it. */
bool journal_holds(const struct journal *journal, size_t i, struct message *message,
                   unsigned long *attempts);

/* Slot I's message is about to be tried for that time. */
void journal_attempt(struct journal *journal, size_t i, unsigned long attempt);

/* Slot I's message is acknowledged, or is kept elsewhere: the slot is free. */
void journal_free(struct journal *journal, size_t i);

#endif
