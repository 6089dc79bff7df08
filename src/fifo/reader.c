/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* tee, pipe2 */
#include "reader.h"

#include "name.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static enum status open_at_path(struct reader *reader)
{
    return fifo_open(&reader->fifo, reader->path, O_RDONLY, reader->wishes, reader->patience);
}

static enum status wait_for_turn(struct reader *reader)
{
    nanoseconds deadline = deadline_after(reader->patience->timeout);
    struct pause pause = {0};

    while (!fifo_lock_readers(&reader->fifo)) {
        if (reader->patience->nonblock)
            return STATUS_WOULD_WAIT;
        if (!pause_or_die(&pause, SECOND / 50, deadline))
            return STATUS_TIMED_OUT;
        /* What was sent before it was replaced is for whoever has it open. */
        if (!fifo_replaced(&reader->fifo) || fifo_unread(&reader->fifo) > 0)
            continue;
        fifo_close(&reader->fifo); /* writers come to the other one */
        enum status status = open_at_path(reader);
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

enum status reader_open(struct reader *reader)
{
    enum status status = open_at_path(reader);

    reader->connected = reader->displaced = false;
    return status == STATUS_DONE && reader->takes_turns ? wait_for_turn(reader) : status;
}

enum status reader_reopen(struct reader *reader)
{
    fifo_close(&reader->fifo);
    enum status status = reader_open(reader);
    return status == STATUS_DONE ? reader_wait(reader) : status;
}

enum status reader_wait(struct reader *reader)
{
    const struct patience *patience = reader->patience;
    nanoseconds deadline = deadline_after(patience->nonblock ? 0 : patience->timeout);

    if (reader->last_call)
        deadline = NO_LIMIT;
    for (;;) {
        struct pollfd polled[] = {{.fd = reader->fifo.descriptor, .events = POLLIN},
                                  {.fd = STDOUT_FILENO}};
        enum waited waited = wait_for(polled, 2, deadline_within(deadline, SECOND / 5));
        if (signals_caught() != 0)
            signals_die(signals_caught()); /* nothing is in hand */
        if (polled[0].revents != 0) {
            reader->connected = true;
            return STATUS_DONE;
        }
        if (waited == WAIT_READY && output_reader_gone())
            return fail(STATUS_STREAM, "the reader of standard output has gone");
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return patience->nonblock ? STATUS_WOULD_WAIT : STATUS_TIMED_OUT;
        if (!reader->connected && !reader->displaced && !fifo_in_place(&reader->fifo)) {
            reader->displaced = true;
            return STATUS_DONE;
        }
    }
}

enum status reader_next_writer(struct reader *reader)
{
    int error = fifo_renew(&reader->fifo);

    reader->connected = false;
    if (error == 0)
        return reader_wait(reader);
    if (error != ENOENT)
        return fail(status_of_error(error), "cannot open FIFO %s anew, for its next writer: %s",
                    shown(reader->path), error_text(error));
    reader->displaced = true;
    return STATUS_DONE;
}

enum status reader_displace(struct reader *reader)
{
    reader->displaced = true;
    return fifo_remove(&reader->fifo);
}

/* Through a pipe: the kernel copies into it without taking anything out. */
ssize_t reader_look(const struct reader *reader, struct ahead *ahead)
{
    static int through[2] = {-1, -1};

    ahead->consumed = false;
    if (through[0] < 0 && pipe2(through, O_CLOEXEC | O_NONBLOCK) != 0)
        die(STATUS_SYSTEM, "cannot make a pipe: %s", error_text(errno));
    ssize_t got = tee(reader->fifo.descriptor, through[1], sizeof ahead->bytes, SPLICE_F_NONBLOCK);
    if (got > 0) {
        got = read(through[0], ahead->bytes, (size_t)got);
    } else if (got < 0 && (errno == EINVAL || errno == ENOSYS)) {
        got = read(reader->fifo.descriptor, ahead->bytes, 1);
        ahead->consumed = true;
    }
    ahead->length = got > 0 ? (size_t)got : 0;
    return got;
}

bool reader_consume(const struct reader *reader, struct ahead *ahead)
{
    char taken[PIPE_BUF];
    size_t length = 0, same = 0;
    int error = EAGAIN;

    if (ahead->consumed)
        return true;
    while (length < ahead->length) {
        ssize_t got = read(reader->fifo.descriptor, taken + length, ahead->length - length);
        if (got < 0 && errno != EINTR)
            error = errno;
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    while (same < length && taken[same] == ahead->bytes[same])
        same++;
    if (same == ahead->length)
        return true;
    ahead->length = length - same;
    memcpy(ahead->bytes, taken + same, ahead->length);
    ahead->consumed = true;
    errno = error;
    return false;
}
