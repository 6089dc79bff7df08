/* SPDX-License-Identifier: MIT
 *
 * JSON (RFC 8259), always valid UTF-8: bytes that are not go into a member
 * whose key ends in "_base64" (RFC 4648) instead. A comma is put before a
 * member or element wherever one is needed.
 */
#ifndef IPCUTILS_JSON_H
#define IPCUTILS_JSON_H

#include "buffer.h"

#include <stddef.h>

/* Begins an object that stands by itself. */
void json_start(struct buffer *out);

/* One inside another: BRACKET is "{" or "["; KEY is NULL inside an array. */
void json_open(struct buffer *out, const char *key, const char *bracket);
void json_close(struct buffer *out, const char *bracket);

void json_bytes(struct buffer *out, const char *key, const char *bytes, size_t length);
void json_text(struct buffer *out, const char *key, const char *text);
void json_number(struct buffer *out, const char *key, unsigned long long number);
void json_digits(struct buffer *out, const char *key, const char *digits, size_t length);
void json_null(struct buffer *out, const char *key);

/* The most bytes that json_bytes adds for LENGTH bytes, key apart. */
size_t json_bytes_bound(size_t length);

#endif
