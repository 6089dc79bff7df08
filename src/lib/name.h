/* SPDX-License-Identifier: MIT
 *
 * Names of objects, one rule for all primitives, checked before any system
 * call: shm_open(3) and sem_open(3) accept what mq_open(3) refuses, and the
 * other way round. And text from outside, made safe to show on a terminal.
 */
#ifndef IPCUTILS_NAME_H
#define IPCUTILS_NAME_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define NAME_LONGEST 255 /* bytes without the slash: NAME_MAX */

/* Always with its leading slash. */
struct name {
    char text[NAME_LONGEST + 2];
};

/* Reads an operand, with or without its slash, or ends the process (64).
 * KIND is what a message calls the object; LONGEST is in bytes without slash. */
struct name name_require(const char *operand, const char *kind, size_t longest);

/* TEXT with everything but printable characters escaped (\n, \t, \\, \xHH), a
 * space too: unambiguous, and on one line. Characters beyond ASCII are kept
 * where the locale's encoding is UTF-8; what is very long is cut ("...").
 * Valid until the fourth call after it. */
const char *shown(const char *text);

/* The same, added to OUT. */
void show_bytes(struct buffer *out, const char *bytes, size_t length);

/* Whether the locale's encoding is UTF-8. */
bool terminal_is_utf8(void);

#endif
