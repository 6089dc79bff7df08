/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include "parse.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
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

const char *no_room_text(const char *directory, uint64_t asked, int error)
{
    static char text[160];
    uint64_t most = resource_limit(RLIMIT_FSIZE);
    struct statvfs system;
    bool known = error == ENOSPC && statvfs(directory, &system) == 0;

    if (known && system.f_files > 0 && system.f_favail == 0)
        snprintf(text, sizeof text, "%s holds as many files as it can, %llu", directory,
                 (unsigned long long)system.f_files);
    else if (known)
        snprintf(text, sizeof text, "%llu bytes asked for, %llu free in %s",
                 (unsigned long long)asked, (unsigned long long)(system.f_bavail * system.f_frsize),
                 directory);
    else if (error == EFBIG && most != UINT64_MAX)
        snprintf(text, sizeof text,
                 "%llu bytes asked for, RLIMIT_FSIZE allows %llu (see ulimit -f)",
                 (unsigned long long)asked, (unsigned long long)most);
    else
        snprintf(text, sizeof text, "%llu bytes asked for: %s", (unsigned long long)asked,
                 error_text(error));
    return text;
}
