/* SPDX-License-Identifier: MIT
 *
 * The names of all queues of this IPC namespace (mq_overview(7), "Mounting the
 * message queue filesystem").
 */
#ifndef IPCUTILS_LISTING_H
#define IPCUTILS_LISTING_H

#include "name.h"

#include <stddef.h>

/* A descriptor of a directory that shows the queues: a mount of our own that
 * nobody else sees, where we may make one; else the one on the system. -1 with
 * errno EPERM if there is neither. */
int queue_directory(void);

/* The queues in it, sorted by name; owned by the caller. */
struct name *queue_list(int directory, size_t *count);

#endif
