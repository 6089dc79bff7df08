/* SPDX-License-Identifier: MIT */
#include "bulk.h"

#include "object.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <unistd.h>

int bulk_write_at(int fd, const char *bytes, size_t length, uint64_t at)
{
    while (length > 0) {
        size_t step = length < OBJECT_CHUNK ? length : OBJECT_CHUNK;
        ssize_t wrote = pwrite(fd, bytes, step, (off_t)at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return errno;
        bytes += wrote;
        length -= (size_t)wrote;
        at += (uint64_t)wrote;
    }
    return 0;
}

int bulk_write_out(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(STDOUT_FILENO, bytes, length);
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            wait_for(&output, 1, NO_LIMIT);
        }
        if (wrote < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (wrote < 0)
            return errno;
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

/* One step of a copy where there is no sendfile(2) between the two files. */
static ssize_t read_and_write(int from, int to, size_t step)
{
    static char chunk[OBJECT_CHUNK];

    ssize_t got = read(from, chunk, step < sizeof chunk ? step : sizeof chunk);
    off_t at = got > 0 ? lseek(to, got, SEEK_CUR) - got : 0;
    int error = got > 0 ? bulk_write_at(to, chunk, (size_t)got, (uint64_t)at) : 0;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return got;
}

uint64_t bulk_copy(int from, int to, uint64_t at, uint64_t length)
{
    enum {
        STEP = 16 * OBJECT_CHUNK
    }; /* sendfile(2) itself moves page by page */
    bool by_kernel = true;
    uint64_t copied = 0;

    if (lseek(to, (off_t)at, SEEK_SET) < 0)
        return 0;
    while (copied < length) {
        size_t step = length - copied < STEP ? (size_t)(length - copied) : STEP;
        ssize_t moved = by_kernel ? sendfile(to, from, NULL, step) : read_and_write(from, to, step);
        if (moved < 0 && by_kernel && (errno == EINVAL || errno == ENOSYS)) {
            by_kernel = false;
            continue;
        }
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0) {
            errno = moved == 0 ? 0 : errno;
            break;
        }
        copied += (uint64_t)moved;
    }
    return copied;
}
