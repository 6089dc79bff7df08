/* SPDX-License-Identifier: MIT
 *
 * Bulk bytes from one descriptor to another: by splice(2), which moves pages
 * instead of copying them, where one end is a pipe; by read and write into a
 * file, and where the kernel cannot. A page moved from a file stays shared with
 * the file until it is read, so the end of a file is copied: when all is written,
 * what still waits in this pipe and in two more behind it no longer follows the
 * file.
 */
#ifndef IPCUTILS_COPY_H
#define IPCUTILS_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct copy {
    int from, to;   /* the caller's; TO may be changed between calls */
    uint64_t moved; /* bytes written so far */
    uint64_t size;  /* bytes that there were to move at the start; 0 where that is not known */
    size_t held;    /* bytes read and not yet written: splice(2) leaves none */
    size_t start;   /* of those in the block */
    char *block;    /* owned; NULL until it is needed */
    size_t block_size;
    bool splices;
    bool nonblocking; /* FROM does not block */
    bool regular;     /* FROM is a regular file */
    bool from_pipe;   /* or a pipe */
    bool had_room;    /* TO, when splice(2) was about to be asked again */
    size_t chunk;     /* bytes moved at once */
    off_t tail;       /* bytes at the end of a regular file that are copied */
};

enum copied {
    COPY_SOME, /* there may be more */
    COPY_END,  /* end of input, all of it written */
    COPY_NEEDS_INPUT,
    COPY_NEEDS_OUTPUT,
    COPY_CANNOT_READ, /* errno says why */
    COPY_CANNOT_WRITE
};

/* Whether a file can keep whoever reads it waiting: another machine or another
 * process has to hand over its bytes. */
bool file_may_stall(int fd);

/* The capacity of a pipe or FIFO, raised if that is allowed; 0 for others. */
size_t pipe_enlarge(int fd);

/* Begins, making the pipes among the two larger where that is allowed. */
void copy_start(struct copy *copy, int from, int to);

/* Moves what can be moved at once. Does not wait for a pipe or for input; TO
 * should not block. A FIFO that never had a writer looks like its end. */
enum copied copy_some(struct copy *copy);

/* Whether nothing is left to be copied, as far as can be told without a read. */
bool copy_ended(const struct copy *copy);

/* Ends. Sets the offset of a regular file to the first byte not written. */
void copy_stop(struct copy *copy);

#endif
