/* SPDX-License-Identifier: MIT
 *
 * Bytes that grow. A tool that holds messages reserves the worst case before
 * it takes the first one, so that no later addition can fail.
 */
#ifndef IPCUTILS_BUFFER_H
#define IPCUTILS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *bytes; /* owned; NULL while capacity is 0 */
    size_t length;
    size_t capacity;
};

/* Makes room for MORE bytes beyond length, or ends the process (71). */
void buffer_reserve(struct buffer *buffer, size_t more);

/* The same where there is a way out: false if there is no memory. */
bool buffer_try_reserve(struct buffer *buffer, size_t more);

void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void buffer_free(struct buffer *buffer);

#endif
