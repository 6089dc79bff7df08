/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_OFD_SETLK; POSIX.1-2024 has it */
#include "writer.h"

#include "name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum status writer_connect(struct writer *writer)
{
    return fifo_open(&writer->fifo, writer->path, O_WRONLY, writer->wishes, writer->patience);
}

/* Before the first byte was written nothing is lost: another reader will do. */
static enum status connect_anew(struct writer *writer)
{
    fifo_close(&writer->fifo);
    return writer_connect(writer);
}

static enum status reader_gone(struct writer *writer)
{
    if (writer->written == 0)
        return connect_anew(writer);
    uint64_t unread = fifo_unread(&writer->fifo);
    uint64_t taken = unread < writer->written ? writer->written - unread : 0;
    return fail(STATUS_PARTIAL, "the reader of FIFO %s went away: it took %llu byte%s",
                shown(writer->path), (unsigned long long)taken, plural(taken));
}

/* ---- The lock ---------------------------------------------------------------- */

/* Among mkfifo-sends, a record longer than PIPE_BUF is alone: it locks every
 * byte that there could be. A shorter one, which the kernel keeps whole by
 * itself, locks one of its own: it stays out of a long one, and in nobody's way.
 * Receivers that take turns use flock(2), which knows nothing of this. */
static bool lock(const struct writer *writer, short type, bool alone)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};

    range.l_start = alone ? 0 : getpid();
    range.l_len = alone ? 0 : 1;
    return fcntl(writer->fifo.descriptor, F_OFD_SETLK, &range) == 0 ||
           (errno != EAGAIN && errno != EACCES);
}

static enum status wait_for_lock(struct writer *writer, bool alone, nanoseconds deadline)
{
    bool nonblock = writer->patience->nonblock;
    struct pause pause = {0};
    enum status status = STATUS_DONE;

    if (nonblock) /* a short record, or a piece of a stream, is out of the way at once */
        deadline = deadline_after(SECOND / 100);
    while (status == STATUS_DONE && !lock(writer, F_WRLCK, alone)) {
        if (pause_before_looking(&pause, SECOND / 200, deadline) == WAIT_TIMED_OUT)
            return nonblock ? STATUS_WOULD_WAIT : STATUS_TIMED_OUT;
        if (writer->written == 0 && fifo_replaced(&writer->fifo))
            status = connect_anew(writer);
    }
    return status;
}

enum status writer_enter(struct writer *writer)
{
    return wait_for_lock(writer, false, deadline_after(writer->patience->timeout));
}

void writer_leave(struct writer *writer)
{
    int error = errno;

    lock(writer, F_UNLCK, false);
    errno = error;
}

/* ---- Room -------------------------------------------------------------------- */

static enum status wait_for_room(struct writer *writer, nanoseconds deadline)
{
    if (writer->patience->nonblock)
        return STATUS_WOULD_WAIT;
    for (;;) {
        struct pollfd room = {.fd = writer->fifo.descriptor, .events = POLLOUT};
        bool may_go_elsewhere = writer->written == 0;
        nanoseconds look_again =
            may_go_elsewhere ? deadline_within(deadline, SECOND / 5) : deadline;
        if (wait_for(&room, 1, look_again) != WAIT_TIMED_OUT)
            return STATUS_DONE;
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return STATUS_TIMED_OUT;
        if (may_go_elsewhere && fifo_replaced(&writer->fifo))
            return connect_anew(writer);
    }
}

enum status writer_wait_for_room(struct writer *writer)
{
    return wait_for_room(writer, deadline_after(writer->patience->timeout));
}

/* Within a record, a signal has to wait for as long as the reader goes on reading:
 * others would take the rest of the record for one of their own. It may go on without
 * there being room: that comes by whole pages. */
static enum status wait_for_rest(const struct writer *writer)
{
    nanoseconds deadline = deadline_after(writer->patience->timeout);
    struct pollfd room = {.fd = writer->fifo.descriptor, .events = POLLOUT};

    for (;;) {
        size_t before = fifo_unread(&writer->fifo);
        if (poll(&room, 1, 1000) > 0)
            return STATUS_DONE;
        if (fifo_unread(&writer->fifo) < before) {
            deadline = deadline_after(writer->patience->timeout);
            continue;
        }
        signals_checkpoint();
        if (writer->patience->nonblock || (deadline != NO_LIMIT && clock_now() >= deadline))
            break;
    }
    return fail(STATUS_PARTIAL, "FIFO %s stayed full in the middle of a record: %llu bytes written",
                shown(writer->path), (unsigned long long)writer->written);
}

enum status writer_failed(struct writer *writer, int error)
{
    switch (error) {
    case EINTR:
        return STATUS_DONE;
    case EAGAIN:
        return writer_wait_for_room(writer);
    case EPIPE:
        return reader_gone(writer);
    default:
        return fail(STATUS_SYSTEM, "cannot write to FIFO %s: %s", shown(writer->path),
                    error_text(error));
    }
}

/* ---- Records ----------------------------------------------------------------- */

/* The first bytes of a record, or all: nobody is kept off a FIFO that has no
 * room. Where something is written, the lock is kept. */
static enum status begin(struct writer *writer, const char *bytes, size_t length, size_t *done)
{
    nanoseconds deadline = deadline_after(writer->patience->timeout);
    bool alone = length > PIPE_BUF;

    for (;;) {
        signals_checkpoint();
        enum status status = wait_for_lock(writer, alone, deadline);
        if (status != STATUS_DONE)
            return status;
        ssize_t wrote = write(writer->fifo.descriptor, bytes, length);
        if (wrote > 0) {
            *done = (size_t)wrote;
            return STATUS_DONE;
        }
        int error = errno;
        lock(writer, F_UNLCK, alone);
        status = error == EAGAIN ? wait_for_room(writer, deadline) : writer_failed(writer, error);
        if (status != STATUS_DONE)
            return status;
    }
}

enum status writer_put(struct writer *writer, const char *bytes, size_t length)
{
    size_t done = 0;

    enum status status = begin(writer, bytes, length, &done);
    if (status != STATUS_DONE)
        return status;
    writer->written += done;
    while (done < length && status == STATUS_DONE) {
        ssize_t wrote = write(writer->fifo.descriptor, bytes + done, length - done);
        if (wrote > 0) {
            done += (size_t)wrote;
            writer->written += (uint64_t)wrote;
        } else if (errno == EAGAIN) {
            status = wait_for_rest(writer);
        } else {
            status = writer_failed(writer, errno);
        }
    }
    lock(writer, F_UNLCK, length > PIPE_BUF);
    return status;
}

/* There is no event for it. */
enum status writer_wait_until_read(struct writer *writer)
{
    nanoseconds deadline = deadline_after(writer->patience->timeout);
    struct pause pause = {0};

    for (;;) {
        struct pollfd other = {.fd = writer->fifo.descriptor};
        bool gone = poll(&other, 1, 0) > 0 && (other.revents & POLLERR) != 0;
        if (fifo_unread(&writer->fifo) == 0 || (gone && writer->written == 0))
            return STATUS_DONE;
        if (gone)
            return reader_gone(writer);
        if (writer->patience->nonblock)
            return STATUS_WOULD_WAIT;
        if (pause_before_looking(&pause, SECOND / 50, deadline) == WAIT_TIMED_OUT)
            return STATUS_TIMED_OUT;
    }
}
