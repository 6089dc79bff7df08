/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_GETPIPE_SZ */
#include "stream.h"

#include "report.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void streams_secure(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* The wrong way round, so that its use is EBADF as for a closed one. */
        int access = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (open("/dev/null", access | O_CLOEXEC) != fd)
            exit(STATUS_SYSTEM);
    }
}

static bool is_null(const struct stat *status)
{
    struct stat null;

    return S_ISCHR(status->st_mode) && stat("/dev/null", &null) == 0 &&
           status->st_rdev == null.st_rdev;
}

/* Looked at once, since a burst to it should cost one call. */
bool output_never_waits(void)
{
    static enum { UNKNOWN, TAKES_ALL, MAY_WAIT } kind;
    struct stat status;

    if (kind == UNKNOWN) {
        kind = MAY_WAIT;
        if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISREG(status.st_mode) || is_null(&status)))
            kind = TAKES_ALL;
    }
    return kind == TAKES_ALL;
}

bool output_reader_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};

    if (output_never_waits())
        return false;
    return poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

void input_require(void)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY)
        die(STATUS_STREAM, "cannot read standard input: %s", error_text(EBADF));
}

void output_require(void)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);

    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        die(STATUS_STREAM, "standard output is closed; nothing was taken");
    if (output_reader_gone())
        die(STATUS_STREAM, "the reader of standard output has gone; nothing was taken");
}

void output_require_confirmable(void)
{
    struct stat status;

    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISSOCK(status.st_mode))
        die(STATUS_DATA,
            "cannot confirm on standard output: it is a socket, and how much of it has "
            "been read cannot be told; use a pipe; nothing was taken");
}

size_t output_pipe_capacity(void)
{
    int capacity = fcntl(STDOUT_FILENO, F_GETPIPE_SZ);

    return capacity > 0 ? (size_t)capacity : 0;
}

size_t output_pipe_unread(void)
{
    int unread;

    return ioctl(STDOUT_FILENO, FIONREAD, &unread) == 0 && unread > 0 ? (size_t)unread : 0;
}

int output_without_blocking(void)
{
    struct stat status;
    int fd = -1;

    /* Reopening gives an open file description of our own. Not for a regular
     * file: that one would start at offset 0, and never blocks anyway. */
    if (fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || isatty(STDOUT_FILENO)))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : STDOUT_FILENO;
}

struct burst {
    int output;
    const void *bytes;
    size_t length;
    ssize_t wrote;
};

static int write_burst(void *context)
{
    struct burst *burst = context;

    burst->wrote = write(burst->output, burst->bytes, burst->length);
    return burst->wrote < 0 ? errno : 0;
}

ssize_t output_write(int output, const void *bytes, size_t length)
{
    struct pollfd room = {.fd = output, .events = POLLOUT};

    if (output != STDOUT_FILENO || output_never_waits())
        return write(output, bytes, length);
    ssize_t sent = send(output, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != ENOTSOCK)
        return sent;
    if (poll(&room, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    /* A pipe that is ready has room for as much, if nobody else fills it meanwhile;
     * a terminal may have less. A signal must end the call even then. */
    struct burst burst = {output, bytes, length < PIPE_BUF ? length : PIPE_BUF, -1};
    int error = 0;
    if (wait_in_call(write_burst, &burst, NO_LIMIT, &error) != WAIT_READY)
        error = EAGAIN;
    errno = error;
    return error == 0 ? burst.wrote : -1;
}

int output_finish(int status)
{
    int failed = ferror(stdout) | fflush(stdout);

    /* Some file systems report a failed write only now. */
    if (failed == 0 && close(STDOUT_FILENO) != 0 && errno != EINTR)
        failed = 1;
    if (failed == 0 || status != STATUS_DONE)
        return status;
    return (int)fail(STATUS_STREAM, "cannot write to standard output: %s", error_text(errno));
}
