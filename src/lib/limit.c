/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include "parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

uint64_t system_limit(const char *name)
{
    char path[96], text[32];
    uint64_t value = 0;

    snprintf(path, sizeof path, "/proc/sys/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    parse_number(text, 0, UINT64_MAX, &value);
    return value;
}

uint64_t resource_limit(int resource)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}
