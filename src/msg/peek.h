/* SPDX-License-Identifier: MIT
 *
 * Messages shown without being taken, by MSG_COPY of msgrcv(2), which copies
 * the message at a position. It never waits, and knows nothing of types.
 */
#ifndef IPCUTILS_PEEK_H
#define IPCUTILS_PEEK_H

#include "receive.h"
#include "sysv.h"

/* Delivers copies of the messages that would be received, in that order: as
 * many as are wanted, once so many are there; or those that there are, when it
 * may not wait any longer. LONGEST is what deliver_start was told. */
enum status peek(const struct sysv_queue *queue, const struct sysv_selection *selection,
                 const struct receiving *receiving, size_t longest);

#endif
