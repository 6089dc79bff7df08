/* SPDX-License-Identifier: MIT
 *
 * Limits of the system, from /proc/sys (proc(5)), and of the process (getrlimit(2)).
 */
#ifndef IPCUTILS_LIMIT_H
#define IPCUTILS_LIMIT_H

#include <stdint.h>

/* The number in /proc/sys/NAME ("kernel/msgmax"); 0 if it cannot be read. */
uint64_t system_limit(const char *name);

/* The soft limit of a RESOURCE (RLIMIT_NOFILE); UINT64_MAX if there is none. */
uint64_t resource_limit(int resource);

#endif
