/* SPDX-License-Identifier: MIT
 *
 * The reading end of a FIFO: waiting for a writer and for the next one, also
 * where the FIFO is removed or made again meanwhile; and a look at what is in
 * it that leaves it there.
 */
#ifndef IPCUTILS_READER_H
#define IPCUTILS_READER_H

#include "fifo.h"
#include "report.h"
#include "wait.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct reader {
    const char *path; /* the operand */
    const struct fifo_wishes *wishes;
    const struct patience *patience; /* for each wait */
    struct fifo fifo;
    bool takes_turns; /* with other readers that do, each for as long as it runs */
    bool connected;   /* to a writer, as far as is known */
    bool displaced;   /* not at its path any more: nobody new can come, but those
                         who came before that are to be read to their end */
    bool last_call;   /* it is displaced since nobody came in time: one who came at that
                         moment is heard, however long that takes */
};

/* The status that these return is 0; WOULD_WAIT or TIMED_OUT, which nobody has
 * been told; or another, after saying why. */

/* Opens the FIFO and waits for the turn. */
enum status reader_open(struct reader *reader);

/* The same anew, at the path, and waits for a writer. */
enum status reader_reopen(struct reader *reader);

/* Waits until it is worth a read: for bytes, for the end of the last writer, or
 * because the FIFO has been displaced. */
enum status reader_wait(struct reader *reader);

/* After the end of the last writer, waits for the next one. */
enum status reader_next_writer(struct reader *reader);

/* Removes the FIFO. A sender that had opened it before keeps what is read from
 * ending until it is done: what it sends is not lost. */
enum status reader_displace(struct reader *reader);

/* What is next in a FIFO. */
struct ahead {
    char bytes[PIPE_BUF];
    size_t length;
    bool consumed; /* by the look itself, where the kernel knows no other */
};

/* Returns what read(2) would, without waiting. */
ssize_t reader_look(const struct reader *reader, struct ahead *ahead);

/* Takes that out. False if another process has taken some of it meanwhile, or it
 * cannot be read (errno): then AHEAD is what was taken here instead, beyond what
 * it was before. */
bool reader_consume(const struct reader *reader, struct ahead *ahead);

#endif
