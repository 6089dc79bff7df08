/* SPDX-License-Identifier: MIT
 *
 * Numbers, sizes, modes and durations as a user writes them. Each parser takes
 * the whole text or nothing: no sign, no blank, no trailing junk, no wrap.
 * On false the target is unchanged. ipcutils(7) documents the forms.
 */
#ifndef IPCUTILS_PARSE_H
#define IPCUTILS_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A span or a point of CLOCK_MONOTONIC, in nanoseconds. */
typedef int64_t nanoseconds;

#define NO_LIMIT INT64_MAX /* a wait without end */
#define SECOND   INT64_C(1000000000)

/* A decimal whole number from LEAST to MOST. */
bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* Bytes, or with K, M, G or T (powers of 1024; KiB and so on too). */
bool parse_size(const char *text, uint64_t most, uint64_t *bytes);

/* Permission bits in octal, 0 to 0777. */
bool parse_mode(const char *text, mode_t *mode);

/* Seconds with decimals, or with ms, s, m, h or d; "inf" is NO_LIMIT. */
bool parse_duration(const char *text, nanoseconds *duration);

#endif
