/* SPDX-License-Identifier: MIT
 *
 * Messages that were taken from a POSIX queue and cannot be delivered: put
 * back, each at the tail of its priority, or kept in a file (rescue.h).
 */
#ifndef IPCUTILS_SAVE_H
#define IPCUTILS_SAVE_H

#include "queue.h"
#include "rescue.h"

/* As rescue_messages and rescue_report. */
void save_messages(struct saved *saved, const struct queue *queue, const struct message *messages,
                   size_t count);

/* Just back to the queue; false if that cannot be. */
bool save_put_back(const struct queue *queue, const struct message *message);

enum status save_report(const struct saved *saved, const struct queue *queue);

#endif
