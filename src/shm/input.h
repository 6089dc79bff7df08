/* SPDX-License-Identifier: MIT
 *
 * What shmput writes: an operand, or standard input, whose end is waited for
 * before anything is locked.
 */
#ifndef IPCUTILS_INPUT_H
#define IPCUTILS_INPUT_H

#include "draft.h"

#include <stdbool.h>
#include <stdint.h>

struct input {
    const char *bytes; /* all of it; NULL where it is in a file */
    uint64_t size;
    off_t start;        /* in standard input, where that is a regular file */
    struct draft draft; /* holds it, if draft.fd is not -1 */
};

/* DATA as it is, with STRING its NUL too. */
struct input input_of_operand(const char *data, bool string);

/* Standard input to its end, for the object of that name; with STRING a NUL
 * after it. Up to OBJECT_IN_MEMORY it is kept in memory, beyond that in an
 * unnamed file, and a regular file other than the object stays where it is. Ends
 * the process where it cannot be read (74), has a NUL within a string (65) or is
 * too much (75). */
struct input input_of_stdin(const struct name *name, bool string);

/* Writes it to a file at an offset. Returns how many bytes: if fewer than
 * size, errno says why, 0 meaning that the input has shrunk. */
uint64_t input_write(const struct input *input, int fd, uint64_t at);

#endif
