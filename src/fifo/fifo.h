/* SPDX-License-Identifier: MIT
 *
 * FIFOs (fifo(7)): making and opening one without ever sleeping in open(2),
 * where a process would wait for ever on a FIFO that has been unlinked and
 * made again; and without touching what is not a FIFO, or not one's own.
 */
#ifndef IPCUTILS_FIFO_H
#define IPCUTILS_FIFO_H

#include "report.h"
#include "wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FIFO_MODE_DEFAULT 0600

/* What a user says about a FIFO. */
struct fifo_wishes {
    bool existing; /* do not make it; and take it whoever it belongs to */
    bool unlink;   /* remove it when done */
    mode_t mode;   /* where it is made */
};

/* The rows of an options table (options.h) that set the struct fifo_wishes W. */
#define OPTION_EXISTING(w)                                                                         \
    {                                                                                              \
        'e', "existing", NULL, "do not make the FIFO; accept anybody's", .flag = &(w).existing     \
    }
#define OPTION_UNLINK(w)                                                                           \
    {                                                                                              \
        'u', "unlink", NULL, "remove the FIFO when done", .flag = &(w).unlink                      \
    }

struct fifo {
    const char *path; /* the operand */
    int descriptor;   /* non-blocking */
    int turn;         /* the one that holds the readers' lock; -1: none does */
    dev_t device;
    ino_t inode;
};

/* Opens the FIFO at PATH with ACCESS, O_RDONLY or O_WRONLY, as the wishes say,
 * and for writing waits for a reader. Returns 0; WOULD_WAIT or TIMED_OUT, which
 * nobody has been told; or ends the process with the reason: not a FIFO (65),
 * missing (66), somebody else's or not permitted (77). */
enum status fifo_open(struct fifo *fifo, const char *path, int access,
                      const struct fifo_wishes *wishes, const struct patience *patience);

/* Opens it anew for reading, so that poll(2) waits for a next writer instead
 * of reporting the end of the last. What was written since stays in it. Returns
 * 0; ENOENT if the FIFO is no longer at its path; or why it cannot be opened. */
int fifo_renew(struct fifo *fifo);

void fifo_close(struct fifo *fifo);

/* What is there instead of a FIFO: "a directory". */
const char *fifo_instead(mode_t mode);

/* Whether its path still leads to it, as far as can be told. */
bool fifo_in_place(const struct fifo *fifo);

/* Whether there is another FIFO at its path by now. */
bool fifo_replaced(const struct fifo *fifo);

/* Unlinks it, unless its path leads elsewhere by now. Says why not. */
enum status fifo_remove(struct fifo *fifo);

/* The turn of one reader among those that take turns, and of one remover:
 * flock(2), until it is closed. False if another has it. */
bool fifo_lock_readers(struct fifo *fifo);

/* Bytes written and not yet read. */
size_t fifo_unread(const struct fifo *fifo);

#endif
