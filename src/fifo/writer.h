/* SPDX-License-Identifier: MIT
 *
 * The writing end of a FIFO: connected to a reader, and to the next one as long
 * as nothing has been written; whole records, whoever else writes; and what
 * became of it when the reader goes away.
 */
#ifndef IPCUTILS_WRITER_H
#define IPCUTILS_WRITER_H

#include "fifo.h"
#include "report.h"
#include "wait.h"

#include <stddef.h>
#include <stdint.h>

struct writer {
    const char *path; /* the operand */
    const struct fifo_wishes *wishes;
    const struct patience *patience; /* for each wait */
    struct fifo fifo;
    uint64_t written; /* bytes; the caller's to add to, where it writes by itself */
};

/* The status that these return is 0; WOULD_WAIT or TIMED_OUT, which nobody has
 * been told; or another, after saying why. */

/* Waits for a reader. */
enum status writer_connect(struct writer *writer);

/* Writes one record, or several that PIPE_BUF has room for. Signals are to be
 * held (wait.h): they act before a record, or when its reader has stalled. */
enum status writer_put(struct writer *writer, const char *bytes, size_t length);

/* For a caller that writes by itself: keeps what it writes out of the long records of
 * others, from writer_enter, which may wait, to writer_leave, which keeps errno. */
enum status writer_enter(struct writer *writer);
void writer_leave(struct writer *writer);

/* Likewise: waits for room in the FIFO. */
enum status writer_wait_for_room(struct writer *writer);

/* Likewise, after a write that failed with ERROR: 0 if it may be tried again,
 * perhaps on another descriptor, to another reader. */
enum status writer_failed(struct writer *writer, int error);

/* Waits until all that is in the FIFO has been read. */
enum status writer_wait_until_read(struct writer *writer);

#endif
