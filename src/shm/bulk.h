/* SPDX-License-Identifier: MIT
 *
 * Many bytes from one descriptor to another, or to and from memory.
 */
#ifndef IPCUTILS_BULK_H
#define IPCUTILS_BULK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Writes BYTES to a file at an offset: 0 or an errno value. */
int bulk_write_at(int fd, const char *bytes, size_t length, uint64_t at);

/* Writes BYTES to standard output: 0 or an errno value. */
int bulk_write_out(const char *bytes, size_t length);

/* Copies LENGTH bytes from FROM, a regular file at its offset, into the file TO
 * at offset AT. Returns how many were copied: if they are fewer, errno says why,
 * 0 meaning the end of FROM. */
uint64_t bulk_copy(int from, int to, uint64_t at, uint64_t length);

#endif
