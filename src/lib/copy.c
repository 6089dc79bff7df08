/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* splice, F_SETPIPE_SZ, fstatfs */
#include "copy.h"

#include "report.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PIPE_WANTED = 1 << 20, BLOCK = 128 << 10, SOCKET_BLOCK = 16 << 10, TAIL_LEAST = 4 << 20 };

size_t pipe_enlarge(int fd)
{
    int size = fcntl(fd, F_GETPIPE_SZ);

    if (size >= 0 && size < PIPE_WANTED && fcntl(fd, F_SETPIPE_SZ, PIPE_WANTED) >= 0)
        size = fcntl(fd, F_GETPIPE_SZ);
    return size > 0 ? (size_t)size : 0;
}

bool file_may_stall(int fd)
{
    static const unsigned long magics[] = {
        0x65735546,                     /* FUSE */
        0x6969,                         /* NFS */
        0xff534d42,                     /* CIFS, SMB */
        0xfe534d42, 0x517b, 0x01021997, /* 9P */
        0x00c36400,                     /* Ceph */
        0x5346414f,                     /* AFS */
    };
    struct statfs system;

    if (fstatfs(fd, &system) != 0)
        return true;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (((unsigned long)system.f_type & 0xffffffff) == magics[i])
            return true;
    return false;
}

/* In splice(2) the kernel sleeps with the pipe locked, and whoever looks at that FIFO
 * beyond SIGKILL, where the other side waits: it must not be able to. Nor is it for
 * writing to a file: without the lock that write(2) takes on the offset, those who
 * share the file would overwrite each other. */
static bool may_splice(const struct copy *copy, size_t in, size_t out)
{
    struct stat status;
    bool to_file = fstat(copy->to, &status) == 0 && S_ISREG(status.st_mode);
    bool from_waits = in == 0 && (!copy->regular || file_may_stall(copy->from));
    bool to_waits = out == 0 && (fcntl(copy->to, F_GETFL) & O_NONBLOCK) == 0 &&
                    !(copy->to == STDOUT_FILENO && output_never_waits());

    return (in > 0 || out > 0) && !from_waits && !to_waits && !to_file;
}

/* How many bytes to read at once: out of a pipe, where another could have them, no more
 * than an output that waits for its reader has room for when it says that it has some;
 * a socket then has a third or more of its buffer. */
static size_t block_size(const struct copy *copy)
{
    struct stat to;

    if (!copy->from_pipe || fstat(copy->to, &to) != 0 || S_ISREG(to.st_mode))
        return BLOCK;
    return S_ISSOCK(to.st_mode) ? SOCKET_BLOCK : PIPE_BUF;
}

void copy_start(struct copy *copy, int from, int to)
{
    struct stat status;
    size_t in = pipe_enlarge(from);
    size_t out = pipe_enlarge(to);

    *copy = (struct copy){.from = from, .to = to};
    copy->regular = fstat(from, &status) == 0 && S_ISREG(status.st_mode);
    copy->from_pipe = in > 0;
    copy->splices = may_splice(copy, in, out);
    copy->block_size = block_size(copy);
    off_t offset = copy->regular ? lseek(from, 0, SEEK_CUR) : -1;
    copy->size = offset >= 0 && offset < status.st_size ? (uint64_t)(status.st_size - offset) : 0;
    copy->nonblocking = (fcntl(from, F_GETFL) & O_NONBLOCK) != 0;
    copy->chunk = out > 0 ? out : in;
    /* Four pipes of this size: this one, two behind it, and one to spare. */
    copy->tail = (off_t)(4 * out) > TAIL_LEAST ? (off_t)(4 * out) : TAIL_LEAST;
}

/* How many bytes may be spliced next: none of a file's tail. */
static size_t spliceable(const struct copy *copy)
{
    struct stat status;

    if (!copy->splices || !copy->regular)
        return copy->splices ? copy->chunk : 0;
    off_t offset = lseek(copy->from, 0, SEEK_CUR);
    if (offset < 0 || fstat(copy->from, &status) != 0 || status.st_size - offset <= copy->tail)
        return 0;
    off_t left = status.st_size - offset - copy->tail;
    return left < (off_t)copy->chunk ? (size_t)left : copy->chunk;
}

bool copy_ended(const struct copy *copy)
{
    struct pollfd from = {.fd = copy->from, .events = POLLIN};
    struct stat status;

    if (copy->held > 0)
        return false;
    if (!copy->regular)
        return poll(&from, 1, 0) > 0 && from.revents == POLLHUP;
    off_t offset = lseek(copy->from, 0, SEEK_CUR);
    return offset >= 0 && fstat(copy->from, &status) == 0 && offset >= status.st_size;
}

/* Which end keeps the other waiting; COPY_SOME if neither does (any more);
 * COPY_CANNOT_WRITE if there is something for a reader that has gone. */
static enum copied what_is_missing(const struct copy *copy)
{
    struct pollfd ends[] = {{.fd = copy->from, .events = POLLIN},
                            {.fd = copy->to, .events = POLLOUT}};

    poll(ends, 2, 0);
    if (ends[0].revents == 0 && !copy->regular && !copy->nonblocking)
        return COPY_NEEDS_INPUT; /* and no room is needed for what is not there */
    if (copy->from_pipe && (ends[0].revents & POLLIN) != 0 &&
        (ends[1].revents & (POLLERR | POLLHUP)) != 0) {
        errno = EPIPE; /* known without taking anything from the input */
        return COPY_CANNOT_WRITE;
    }
    if (ends[1].revents == 0)
        return copy_ended(copy) ? COPY_END : COPY_NEEDS_OUTPUT;
    return ends[0].revents == 0 ? COPY_NEEDS_INPUT : COPY_SOME;
}

/* Nothing is read before it can be written on. Input that does not block is
 * not polled: of a FIFO whose last writer went before it was opened, poll(2)
 * never reports the end, and read(2) does. */
static enum copied what_a_read_waits_for(const struct copy *copy)
{
    enum copied missing = what_is_missing(copy);

    return missing == COPY_NEEDS_INPUT && (copy->regular || copy->nonblocking) ? COPY_SOME
                                                                               : missing;
}

static enum copied write_held(struct copy *copy)
{
    ssize_t wrote = output_write(copy->to, copy->block + copy->start, copy->held);

    if (wrote < 0 && errno == EAGAIN)
        return COPY_NEEDS_OUTPUT;
    if (wrote < 0 && errno != EINTR)
        return COPY_CANNOT_WRITE;
    if (wrote > 0) {
        copy->start += (size_t)wrote;
        copy->held -= (size_t)wrote;
        copy->moved += (uint64_t)wrote;
    }
    return COPY_SOME;
}

static enum copied read_and_write(struct copy *copy)
{
    enum copied missing = what_a_read_waits_for(copy);

    if (missing != COPY_SOME)
        return missing;
    if (copy->block == NULL && (copy->block = malloc(copy->block_size)) == NULL)
        die_of_memory();
    ssize_t got = read(copy->from, copy->block, copy->block_size);
    if (got == 0)
        return COPY_END;
    if (got < 0 && errno == EINTR)
        return COPY_SOME;
    if (got < 0)
        return errno == EAGAIN ? COPY_NEEDS_INPUT : COPY_CANNOT_READ;
    copy->start = 0;
    copy->held = (size_t)got;
    return write_held(copy);
}

/* Without room splice(2) does not say that the writers have gone, and poll(2) may
 * never do so (above): asked again with room, splice(2) does. */
static enum copied why_nothing_moved(struct copy *copy)
{
    enum copied missing = what_is_missing(copy);

    copy->had_room = copy->nonblocking && !copy->had_room && missing == COPY_NEEDS_INPUT;
    return copy->had_room ? COPY_SOME : missing;
}

enum copied copy_some(struct copy *copy)
{
    if (copy->held > 0)
        return write_held(copy);
    size_t size = spliceable(copy);
    if (size == 0)
        return read_and_write(copy);
    ssize_t moved = splice(copy->from, NULL, copy->to, NULL, size, SPLICE_F_NONBLOCK);
    if (moved >= 0) {
        copy->moved += (uint64_t)moved;
        copy->had_room = false;
        return moved > 0 ? COPY_SOME : COPY_END;
    }
    switch (errno) {
    case EINTR:
        return COPY_SOME;
    case EAGAIN:
        return why_nothing_moved(copy);
    case EPIPE:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return COPY_CANNOT_WRITE; /* known without taking anything from the input */
    default:
        copy->splices = false; /* read and write will do, or say which of them cannot */
        return COPY_SOME;
    }
}

void copy_stop(struct copy *copy)
{
    if (copy->regular && copy->held > 0)
        lseek(copy->from, -(off_t)copy->held, SEEK_CUR);
    free(copy->block);
    copy->block = NULL;
}
