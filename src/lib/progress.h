/* SPDX-License-Identifier: MIT
 *
 * How far a tool has come, on one line that is drawn anew at most ten times a
 * second: under --verbose, and only where standard error is a terminal.
 */
#ifndef IPCUTILS_PROGRESS_H
#define IPCUTILS_PROGRESS_H

#include <stdint.h>

/* UNIT is "message" or "byte", or what else is counted. Costs nothing more where
 * nobody is to see it. */
void progress_start(const char *unit);

/* DONE units so far; PART of WHOLE, in whatever they are known (WHOLE is 0 where
 * it is not). */
void progress_show(uint64_t done, uint64_t part, uint64_t whole);

/* Takes the line away: before the tool says how it ended. */
void progress_end(void);

#endif
