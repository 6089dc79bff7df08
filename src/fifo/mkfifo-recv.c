/* SPDX-License-Identifier: MIT
 *
 * mkfifo-recv: copy a FIFO, made if need be, to standard output: until the
 * last writer has gone, or for ever, or a number of records and not a byte more.
 */
#define _GNU_SOURCE /* tee, pipe2 */
#include "copy.h"
#include "fifo.h"
#include "frame.h"
#include "name.h"
#include "options.h"
#include "owner.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct fifo_wishes wishes = {.mode = FIFO_MODE_DEFAULT};
static struct records records;
static uint64_t wanted; /* records; 0: the stream */
static bool follow;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience),
    OPTION_EXISTING(wishes),
    OPTION_MODE(wishes.mode),
    OPTION_UNLINK(wishes),
    {'f', "follow", NULL, "go on when the last writer has gone, until the FIFO is removed",
     .flag = &follow},
    {'N', "count", "N", "stop after N records, consuming no byte beyond them", .number = &wanted,
     .least = 1, .most = UINT64_MAX},
    OPTION_LINES(records),
    OPTION_NULL(records),
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "mkfifo-recv",
    .operands = "FIFO",
    .purpose = "Copy a FIFO to standard output until its last writer has gone.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

static struct fifo fifo;
static int output;
static bool connected;    /* to a writer, as far as is known */
static uint64_t received; /* bytes */
static uint64_t ended;    /* records */
static bool within_record;

/* ---- Waiting ---------------------------------------------------------------- */

static enum status output_gone(void)
{
    return fail(STATUS_STREAM, "the reader of standard output has gone");
}

static enum status wait_for_room(void)
{
    struct pollfd room = {.fd = output, .events = POLLOUT};

    wait_for(&room, 1, NO_LIMIT);
    return (room.revents & (POLLERR | POLLHUP)) != 0 && output_reader_gone() ? output_gone()
                                                                             : STATUS_DONE;
}

/* What is to be done where no writer is connected and the FIFO is no longer at
 * its path, where the next writer would look for it. GONE: nothing, it is over. */
static enum status move_on(int lock)
{
    if (follow || lock >= 0)
        return STATUS_GONE;
    close(fifo.descriptor);
    return fifo_open(&fifo, fifo.path, O_RDONLY, &wishes, &patience);
}

/* Waits for bytes, or for the end of the last writer. */
static enum status wait_for_writer(int lock)
{
    nanoseconds deadline = deadline_after(patience.nonblock ? 0 : patience.timeout);

    for (;;) {
        struct pollfd polled[] = {{.fd = fifo.descriptor, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        enum waited waited = wait_for(polled, 2, deadline_within(deadline, SECOND / 5));
        if (polled[0].revents != 0) {
            connected = true;
            return STATUS_DONE;
        }
        if (waited == WAIT_READY && output_reader_gone())
            return output_gone();
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return patience.nonblock ? STATUS_WOULD_WAIT : STATUS_TIMED_OUT;
        if (connected || fifo_in_place(&fifo))
            continue;
        enum status status = move_on(lock);
        if (status != STATUS_DONE)
            return status;
    }
}

/* After the end of the last writer, for the next one. */
static enum status await_next_writer(int lock)
{
    connected = false;
    int before = fifo_renew(&fifo);
    if (before >= 0 && before != lock)
        close(before);
    return before >= 0 ? wait_for_writer(lock) : move_on(lock);
}

/* ---- The stream ------------------------------------------------------------- */

static enum status cannot_write(size_t held)
{
    if (held > 0)
        return fail(STATUS_LOST, "cannot write to standard output: %s; %zu bytes are lost",
                    strerror(errno), held);
    return fail(STATUS_STREAM, "cannot write to standard output: %s", strerror(errno));
}

/* A sender that opened the FIFO before it is removed keeps the stream from
 * ending until it is done: what it sends is not lost. */
static enum status remove_then_take_rest(bool *removed)
{
    *removed = true;
    return fifo_remove(&fifo);
}

static enum status receive_stream(void)
{
    enum status status = wait_for_writer(-1);
    bool removed = false;
    struct copy copy;

    copy_start(&copy, fifo.descriptor, output);
    while (status == STATUS_DONE) {
        copy.from = fifo.descriptor;
        enum copied copied = copy_some(&copy);
        received = copy.moved;
        if (copied == COPY_END && follow)
            status = await_next_writer(-1);
        else if (copied == COPY_END && wishes.unlink && !removed)
            status = remove_then_take_rest(&removed);
        else if (copied == COPY_END)
            break;
        else if (copied == COPY_NEEDS_INPUT)
            status = wait_for_writer(-1);
        else if (copied == COPY_NEEDS_OUTPUT)
            status = wait_for_room();
        else if (copied == COPY_CANNOT_READ)
            status =
                fail(STATUS_SYSTEM, "cannot read FIFO %s: %s", shown(fifo.path), strerror(errno));
        else if (copied == COPY_CANNOT_WRITE)
            status = cannot_write(copy.held);
    }
    copy_stop(&copy);
    return status;
}

/* ---- Records ---------------------------------------------------------------- */

/* What is next in the FIFO: looked at through a pipe, so that it stays there
 * until it has been written. */
static struct {
    char bytes[PIPE_BUF];
    size_t length;
    bool consumed; /* by the look itself, where the kernel knows no other */
} next;

static ssize_t look(void)
{
    static int through[2] = {-1, -1};

    next.consumed = false;
    if (through[0] < 0 && pipe2(through, O_CLOEXEC | O_NONBLOCK) != 0)
        die(STATUS_SYSTEM, "cannot make a pipe: %s", strerror(errno));
    ssize_t got = tee(fifo.descriptor, through[1], sizeof next.bytes, SPLICE_F_NONBLOCK);
    if (got > 0)
        return read(through[0], next.bytes, (size_t)got);
    if (got == 0 || (errno != EINVAL && errno != ENOSYS))
        return got;
    next.consumed = true;
    return read(fifo.descriptor, next.bytes, 1);
}

static void consume(size_t length)
{
    static char scratch[PIPE_BUF];

    while (!next.consumed && length > 0) {
        ssize_t got = read(fifo.descriptor, scratch, length);
        if (got <= 0 && errno != EINTR)
            die(STATUS_SYSTEM, "cannot read FIFO %s: %s", shown(fifo.path),
                got == 0 ? "another process took what was written here" : strerror(errno));
        length -= got > 0 ? (size_t)got : 0;
    }
}

/* Cuts what is next after the last record wanted. */
static void count_records(void)
{
    char delimiter = records.framing == FRAME_NULL ? '\0' : '\n';

    for (size_t i = 0; i < next.length; i++) {
        within_record = next.bytes[i] != delimiter;
        if (within_record || ++ended < wanted)
            continue;
        next.length = i + 1;
    }
}

static enum status write_next(void)
{
    enum status status = STATUS_DONE;

    for (size_t done = 0; done < next.length && status == STATUS_DONE;) {
        ssize_t wrote = write(output, next.bytes + done, next.length - done);
        if (wrote > 0)
            done += (size_t)wrote;
        else if (errno == EAGAIN)
            status = wait_for_room();
        else if (errno != EINTR)
            status = cannot_write(next.consumed ? next.length : 0);
    }
    return status;
}

/* The end of the last writer, before all is there. */
static enum status writers_gone(int lock)
{
    if (within_record)
        ended++;
    within_record = false;
    if (ended == wanted)
        return STATUS_DONE;
    if (follow || received == 0)
        return await_next_writer(lock);
    return fail(STATUS_GONE, "the last writer of FIFO %s has gone", shown(fifo.path));
}

static enum status take_some(int lock)
{
    ssize_t got = look();

    if (got == 0)
        return writers_gone(lock);
    if (got < 0 && errno == EAGAIN)
        return wait_for_writer(lock);
    if (got < 0)
        return fail(STATUS_SYSTEM, "cannot read FIFO %s: %s", shown(fifo.path), strerror(errno));
    next.length = (size_t)got;
    count_records();
    enum status status = write_next();
    if (status == STATUS_DONE) {
        consume(next.length);
        received += next.length;
    }
    return status;
}

/* Receivers of records take turns, each for as long as it runs. */
static enum status wait_for_turn(void)
{
    nanoseconds deadline = deadline_after(patience.timeout);
    struct pause pause = {0};

    while (!fifo_lock_readers(&fifo)) {
        if (patience.nonblock)
            return STATUS_WOULD_WAIT;
        if (pause_before_looking(&pause, SECOND / 50, deadline) == WAIT_TIMED_OUT)
            return STATUS_TIMED_OUT;
    }
    return STATUS_DONE;
}

static enum status receive_records(void)
{
    enum status status = wait_for_turn();
    int lock = fifo.descriptor;

    signals_hold();
    if (status == STATUS_DONE)
        status = wait_for_writer(lock);
    while (status == STATUS_DONE && ended < wanted) {
        signals_checkpoint();
        status = take_some(lock);
    }
    if (status == STATUS_DONE && wishes.unlink)
        status = fifo_remove(&fifo);
    return status;
}

static void report_counts(enum status status)
{
    if (wanted > 0 && ended > 0 && status != STATUS_DONE)
        note("%llu of %llu records received from FIFO %s", (unsigned long long)ended,
             (unsigned long long)wanted, shown(fifo.path));
    else if (received > 0 && status != STATUS_DONE)
        note("%llu byte%s received from FIFO %s", (unsigned long long)received, plural(received),
             shown(fifo.path));
    else if (status == STATUS_DONE)
        remark("%llu byte%s received from FIFO %s", (unsigned long long)received, plural(received),
               shown(fifo.path));
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    output_require();
    signal(SIGPIPE, SIG_IGN); /* a write must come back with EPIPE, to be told apart */
    enum status status = fifo_open(&fifo, argv[first], O_RDONLY, &wishes, &patience);
    if (status != STATUS_DONE)
        return (int)status;
    output = output_without_blocking();
    status = wanted > 0 ? receive_records() : receive_stream();
    if (status == STATUS_GONE && follow) /* the FIFO was removed: that is the end */
        status = STATUS_DONE;
    report_counts(status);
    if (close(STDOUT_FILENO) != 0 && received > 0)
        return (int)fail(STATUS_LOST,
                         "closing standard output failed: %s; of what was written "
                         "some may not have been stored",
                         strerror(errno));
    return (int)status;
}
