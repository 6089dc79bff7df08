/* SPDX-License-Identifier: MIT
 *
 * UTF-8 as RFC 3629 defines it.
 */
#ifndef IPCUTILS_UTF8_H
#define IPCUTILS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of bytes (1 to 4) of the well-formed character that BYTES begins
 * with, and its code point; 0 if it begins with none. */
size_t utf8_character(const char *bytes, size_t length, uint32_t *code_point);

/* The columns that a code point takes on a terminal, 0 to 2, as wcwidth(3) knows them. */
unsigned utf8_columns(uint32_t code_point);

/* Whether all of BYTES is well-formed. */
bool utf8_valid(const char *bytes, size_t length);

#endif
