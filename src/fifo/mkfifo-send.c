/* SPDX-License-Identifier: MIT
 *
 * mkfifo-send: write to a FIFO, made if need be, once it has a reader: the
 * MESSAGEs as whole records, or standard input as records or as a bulk stream.
 */
#define _GNU_SOURCE /* F_OFD_SETLK; POSIX.1-2024 has it */
#include "copy.h"
#include "fifo.h"
#include "frame.h"
#include "name.h"
#include "options.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORD_LONGEST = 16 << 20
};

static struct patience patience = PATIENCE_DEFAULT;
static struct fifo_wishes wishes = {.mode = FIFO_MODE_DEFAULT};
static struct records records;
static bool confirm;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience),
    {'C', "confirm", NULL, "do not exit before the reader has read everything", .flag = &confirm},
    OPTION_EXISTING(wishes),
    OPTION_MODE(wishes.mode),
    OPTION_UNLINK(wishes),
    {'l', "lines", NULL, "records are lines (the default for MESSAGEs)", .choice = &records.framing,
     .value = FRAME_LINES},
    OPTION_NULL(records),
    OPTION_RAW(records, "bytes as they are (the default for standard input)"),
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "mkfifo-send",
    .operands = "FIFO [MESSAGE]...",
    .purpose =
        "Write to a FIFO once it has a reader: each MESSAGE as a record, or standard input.\n"
        "Options come before FIFO; what follows it is sent as it is.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
};

static struct fifo fifo;
static struct record_reader reader; /* of standard input */
static uint64_t written; /* bytes */
static uint64_t sent;    /* records */

static enum status connect_to_reader(const char *path)
{
    return fifo_open(&fifo, path, O_WRONLY, &wishes, &patience);
}

/* After EPIPE. Before the first byte was written nothing is lost: another
 * reader will do. */
static enum status reader_gone(void)
{
    if (written == 0) {
        close(fifo.descriptor);
        return connect_to_reader(fifo.path);
    }
    uint64_t unread = fifo_unread(&fifo);
    uint64_t taken = unread < written ? written - unread : 0;
    return fail(STATUS_PARTIAL, "the reader of FIFO %s went away: it took %llu byte%s",
                shown(fifo.path), (unsigned long long)taken, plural(taken));
}

/* ---- Records ---------------------------------------------------------------- */

/* Among mkfifo-sends, a record longer than PIPE_BUF is alone: it locks every
 * byte that there could be. A shorter one, which the kernel keeps whole by
 * itself, locks one of its own: it stays out of a long one, and in nobody's way. */
static bool lock_writers(short type, bool alone)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};

    range.l_start = alone ? 0 : getpid();
    range.l_len = alone ? 0 : 1;
    return fcntl(fifo.descriptor, F_OFD_SETLK, &range) == 0 || (errno != EAGAIN && errno != EACCES);
}

static enum status wait_for_lock(bool alone, nanoseconds deadline)
{
    struct pause pause = {0};

    while (!lock_writers(F_WRLCK, alone)) {
        if (patience.nonblock)
            return STATUS_WOULD_WAIT;
        if (pause_before_looking(&pause, SECOND / 200, deadline) == WAIT_TIMED_OUT)
            return STATUS_TIMED_OUT;
    }
    return STATUS_DONE;
}

/* Within a record, a signal has to wait for as long as the reader goes on
 * reading: others would take the rest of the record for one of their own. */
static enum status wait_for_room(bool within_record, nanoseconds deadline)
{
    struct pollfd room = {.fd = fifo.descriptor, .events = POLLOUT};

    if (within_record && poll(&room, 1, 1000) > 0)
        return STATUS_DONE;
    enum status status = STATUS_DONE;
    if (patience.nonblock)
        status = STATUS_WOULD_WAIT;
    else if (wait_for(&room, 1, deadline) == WAIT_TIMED_OUT)
        status = STATUS_TIMED_OUT;
    if (status == STATUS_DONE || !within_record)
        return status;
    return fail(STATUS_PARTIAL, "FIFO %s stayed full in the middle of a record: %llu bytes written",
                shown(fifo.path), (unsigned long long)written);
}

static enum status write_failed(bool within_record, nanoseconds deadline)
{
    switch (errno) {
    case EINTR:
        return STATUS_DONE;
    case EAGAIN:
        return wait_for_room(within_record, deadline);
    case EPIPE:
        return reader_gone();
    default:
        return fail(STATUS_SYSTEM, "cannot write to FIFO %s: %s", shown(fifo.path),
                    strerror(errno));
    }
}

/* Writes one record, or several whole ones that PIPE_BUF has room for. */
static enum status write_records(const char *bytes, size_t length)
{
    bool alone = length > PIPE_BUF;
    nanoseconds deadline = deadline_after(patience.timeout);
    enum status status = STATUS_DONE;
    size_t done = 0;

    while (done < length && status == STATUS_DONE) {
        if (done == 0)
            status = wait_for_lock(alone, deadline);
        if (status != STATUS_DONE)
            return status;
        ssize_t wrote = write(fifo.descriptor, bytes + done, length - done);
        if (wrote > 0) {
            done += (size_t)wrote;
            written += (uint64_t)wrote;
            deadline = deadline_after(patience.timeout);
            continue;
        }
        int error = errno;
        if (done == 0)
            lock_writers(F_UNLCK, alone); /* nobody is kept off a FIFO that has no room */
        errno = error;
        status = write_failed(done > 0, deadline);
    }
    lock_writers(F_UNLCK, alone);
    return status;
}

/* Records that are complete and not yet written, PIPE_BUF at most. */
static struct {
    struct buffer bytes;
    uint64_t records;
    off_t input; /* bytes of standard input that they are, and the record in hand */
} burst;

static enum status flush_burst(void)
{
    enum status status = STATUS_DONE;

    if (burst.bytes.length > 0)
        status = write_records(burst.bytes.bytes, burst.bytes.length);
    if (status != STATUS_DONE)
        return status;
    sent += burst.records;
    burst.bytes.length = 0;
    burst.records = 0;
    burst.input = 0;
    return STATUS_DONE;
}

static enum status add_record(const struct record *record, off_t input)
{
    enum status status = STATUS_DONE;

    if (burst.bytes.length + record->length + 1 > PIPE_BUF)
        status = flush_burst();
    burst.input += input;
    if (status != STATUS_DONE)
        return status;
    frame_add(&burst.bytes, (enum framing)records.framing, NULL, record->bytes, record->length);
    burst.records++;
    return burst.bytes.length > PIPE_BUF ? flush_burst() : STATUS_DONE;
}

static enum status send_operands(char **operands)
{
    enum status status = STATUS_DONE;

    for (; *operands != NULL && status == STATUS_DONE; operands++) {
        const struct record record = {*operands, strlen(*operands)};
        status = add_record(&record, 0);
    }
    return status == STATUS_DONE ? flush_burst() : status;
}

/* The next record of standard input; what is complete is written before it
 * is waited for. */
static enum record_result next_record(struct record *record, enum status *status)
{
    enum record_result result = record_take(&reader, record);

    if (result != RECORD_PENDING)
        return result;
    *status = flush_burst();
    if (*status != STATUS_DONE)
        return RECORD_PENDING;
    return record_next(&reader, record);
}

static enum status send_input_records(void)
{
    struct record record;
    enum record_result result;
    enum status status = STATUS_DONE;

    record_reader_start(&reader, STDIN_FILENO, (enum framing)records.framing, RECORD_LONGEST);
    while ((result = next_record(&record, &status)) == RECORD_READY) {
        size_t end = reader.next;
        status = add_record(&record, (off_t)(end - reader.start));
        if (status != STATUS_DONE)
            break;
    }
    if (status == STATUS_DONE)
        status = flush_burst();
    record_leave_offset(&reader, true);
    if (reader.regular && burst.input > 0)
        lseek(STDIN_FILENO, -burst.input, SEEK_CUR);
    if (status == STATUS_DONE && result == RECORD_TOO_LONG)
        return fail(STATUS_DATA,
                    "a record on standard input is longer than %d bytes; --raw sends any stream",
                    RECORD_LONGEST);
    if (status == STATUS_DONE && result == RECORD_FAILED)
        return fail(STATUS_STREAM, "cannot read standard input: %s", strerror(errno));
    return status;
}

/* ---- A stream --------------------------------------------------------------- */

static enum status wait_for_input(void)
{
    struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fifo.descriptor}};

    wait_for(polled, 2, NO_LIMIT);
    return (polled[1].revents & POLLERR) != 0 ? reader_gone() : STATUS_DONE;
}

static enum status send_stream(void)
{
    enum status status = STATUS_DONE;
    enum copied copied;
    struct copy copy;

    copy_start(&copy, STDIN_FILENO, fifo.descriptor);
    while (status == STATUS_DONE && (copied = copy_some(&copy)) != COPY_END) {
        written = copy.moved;
        if (copied == COPY_NEEDS_INPUT)
            status = wait_for_input();
        else if (copied == COPY_NEEDS_OUTPUT)
            status = wait_for_room(false, deadline_after(patience.timeout));
        else if (copied == COPY_CANNOT_WRITE)
            status = write_failed(false, NO_LIMIT);
        else if (copied == COPY_CANNOT_READ)
            status = fail(STATUS_STREAM, "cannot read standard input: %s", strerror(errno));
        copy.to = fifo.descriptor; /* another one, if that reader went before the first byte */
    }
    written = copy.moved;
    copy_stop(&copy);
    return status;
}

/* Until the reader has taken all: there is no event for that. */
static enum status wait_until_read(void)
{
    nanoseconds deadline = deadline_after(patience.timeout);
    struct pause pause = {0};

    for (;;) {
        struct pollfd other = {.fd = fifo.descriptor};
        bool gone = poll(&other, 1, 0) > 0 && (other.revents & POLLERR) != 0;
        if (fifo_unread(&fifo) == 0)
            return STATUS_DONE;
        if (gone)
            return reader_gone();
        if (patience.nonblock)
            return STATUS_WOULD_WAIT;
        if (pause_before_looking(&pause, SECOND / 50, deadline) == WAIT_TIMED_OUT)
            return STATUS_TIMED_OUT;
    }
}

static void report_counts(enum status status, bool stream)
{
    void (*say)(const char *, ...) __attribute__((format(printf, 1, 2))) =
        status == STATUS_DONE ? remark : note;

    if (status != STATUS_DONE && written == 0)
        return;
    if (stream)
        say("%llu byte%s written to FIFO %s", (unsigned long long)written, plural(written),
            shown(fifo.path));
    else
        say("%llu record%s sent to FIFO %s", (unsigned long long)sent, plural(sent),
            shown(fifo.path));
    if (confirm && (status == STATUS_WOULD_WAIT || status == STATUS_TIMED_OUT))
        note("%zu bytes in the FIFO have not been read", fifo_unread(&fifo));
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    char **operands = argv + first + 1;
    bool stream = *operands == NULL &&
                  (records.framing == FRAME_RAW || !(option_given('l') || option_given('0')));

    signal(SIGPIPE, SIG_IGN); /* a write must come back with EPIPE, to say what the reader took */
    if (*operands == NULL && isatty(STDIN_FILENO))
        note("reading from the terminal; Ctrl-D ends");
    enum status status = connect_to_reader(argv[first]);
    if (status == STATUS_DONE && !stream)
        signals_hold();
    if (status == STATUS_DONE)
        status = stream              ? send_stream()
                 : *operands != NULL ? send_operands(operands)
                                     : send_input_records();
    if (status == STATUS_DONE && confirm)
        status = wait_until_read();
    report_counts(status, stream);
    if (status == STATUS_DONE && wishes.unlink)
        status = fifo_remove(&fifo);
    return (int)status;
}
