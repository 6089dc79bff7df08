/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* splice */
#include "bulk.h"

#include "copy.h"
#include "object.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

/* One step of a copy where there is no splice(2) between the two files. */
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

struct passage {
    int ends[2];
    size_t size; /* 0: there is no pipe */
    size_t held; /* bytes in it */
};

/* One step through a pipe: sendfile(2) does the same, 16 pages at a time. */
static ssize_t splice_through(struct passage *pipe, int from, int to, size_t step)
{
    if (pipe->held == 0) {
        ssize_t filled = splice(from, NULL, pipe->ends[1], NULL, step, 0);
        if (filled <= 0)
            return filled;
        pipe->held = (size_t)filled;
    }
    ssize_t moved = splice(pipe->ends[0], NULL, to, NULL, pipe->held, 0);
    if (moved > 0)
        pipe->held -= (size_t)moved;
    return moved;
}

static uint64_t copy_by(struct passage *pipe, int from, int to, uint64_t length)
{
    bool by_kernel = pipe->size > 0;
    uint64_t copied = 0;

    while (copied < length) {
        size_t most = by_kernel ? pipe->size : OBJECT_CHUNK;
        size_t step = length - copied < most ? (size_t)(length - copied) : most;
        ssize_t moved =
            by_kernel ? splice_through(pipe, from, to, step) : read_and_write(from, to, step);
        if (moved > 0) {
            copied += (uint64_t)moved;
            progress_show(copied, copied, length);
        } else if (moved < 0 && by_kernel && (errno == EINVAL || errno == ENOSYS)) {
            by_kernel = false;
            lseek(from, -(off_t)pipe->held, SEEK_CUR);
        } else if (moved == 0 || errno != EINTR) {
            errno = moved == 0 ? 0 : errno;
            break;
        }
    }
    return copied;
}

uint64_t bulk_copy(int from, int to, uint64_t at, uint64_t length)
{
    struct passage passage = {{-1, -1}, 0, 0};

    if (lseek(to, (off_t)at, SEEK_SET) < 0)
        return 0;
    if (pipe(passage.ends) == 0)
        passage.size = pipe_enlarge(passage.ends[0]);
    progress_start("byte");
    uint64_t copied = copy_by(&passage, from, to, length);
    int error = errno;
    progress_end();
    close(passage.ends[0]);
    close(passage.ends[1]);
    errno = error;
    return copied;
}
