/* SPDX-License-Identifier: MIT
 *
 * Limits of the system, from /proc/sys (proc(5)), of the process (getrlimit(2)), and
 * of a file system (statvfs(3)).
 */
#ifndef IPCUTILS_LIMIT_H
#define IPCUTILS_LIMIT_H

#include <stdint.h>

/* The number in /proc/sys/NAME ("kernel/msgmax"); 0 if it cannot be read. */
uint64_t system_limit(const char *name);

/* The soft limit of a RESOURCE (RLIMIT_NOFILE); UINT64_MAX if there is none. */
uint64_t resource_limit(int resource);

/* Why a file of ASKED bytes cannot be had in DIRECTORY, with the limit and its value,
 * for an errno value (ENOSPC, EFBIG or any other). Valid until the next call. */
const char *no_room_text(const char *directory, uint64_t asked, int error);

#endif
