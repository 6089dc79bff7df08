/* SPDX-License-Identifier: MIT
 *
 * mkfifo-send: write to a FIFO, made if need be, once it has a reader: the
 * MESSAGEs as whole records, or standard input as records or as a bulk stream.
 */
#include "copy.h"
#include "frame.h"
#include "name.h"
#include "options.h"
#include "owner.h"
#include "progress.h"
#include "stream.h"
#include "writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_LONGEST = 16 << 20 };

static struct patience patience = PATIENCE_DEFAULT;
static struct fifo_wishes wishes = {.mode = FIFO_MODE_DEFAULT};
static struct records records;
static bool confirm;
static bool stream; /* standard input as it is */

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "FIFO"),
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
    .purpose = "Write to a FIFO once it has a reader: each MESSAGE as a record, or standard\n"
               "input.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
};

static struct writer writer = {.wishes = &wishes, .patience = &patience};
static struct record_reader reader; /* of standard input */
static uint64_t sent;               /* records */

/* ---- Records ---------------------------------------------------------------- */

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
        status = writer_put(&writer, burst.bytes.bytes, burst.bytes.length);
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

    progress_start("record");
    record_reader_start(&reader, STDIN_FILENO, (enum framing)records.framing, RECORD_LONGEST);
    while ((result = next_record(&record, &status)) == RECORD_READY) {
        size_t end = reader.next;
        if (record.length > RECORD_LONGEST) {
            burst.input += (off_t)(end - reader.start); /* it is not sent */
            result = RECORD_TOO_LONG;
            break;
        }
        status = add_record(&record, (off_t)(end - reader.start));
        progress_show(sent, record_position(&reader), reader.size);
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
        return fail(STATUS_STREAM, "cannot read standard input: %s", error_text(errno));
    return status;
}

/* ---- A stream --------------------------------------------------------------- */

static enum status wait_for_input(void)
{
    struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = writer.fifo.descriptor}};

    wait_for(polled, 2, NO_LIMIT);
    return (polled[1].revents & POLLERR) != 0 ? writer_failed(&writer, EPIPE) : STATUS_DONE;
}

/* Where nothing may wait any longer, there may be nothing left to wait for. */
static enum status wait_for_room(const struct copy *copy)
{
    enum status status = writer_wait_for_room(&writer);

    return status == STATUS_TIMED_OUT && copy_ended(copy) ? STATUS_DONE : status;
}

/* Another FIFO, if the one before went, or its reader, before the first byte. */
static enum copied copy_piece(struct copy *copy, enum status *status)
{
    enum copied copied = COPY_SOME;

    *status = writer_enter(&writer);
    if ((*status == STATUS_WOULD_WAIT || *status == STATUS_TIMED_OUT) && copy_ended(copy)) {
        *status = STATUS_DONE; /* there is nothing left to wait for */
        return COPY_END;
    }
    copy->to = writer.fifo.descriptor;
    if (*status == STATUS_DONE) {
        copied = copy_some(copy);
        writer_leave(&writer);
    }
    writer.written = copy->moved;
    return copied;
}

static enum status send_stream(void)
{
    enum status status = STATUS_DONE;
    enum copied copied;
    struct copy copy;

    progress_start("byte");
    copy_start(&copy, STDIN_FILENO, writer.fifo.descriptor);
    while (status == STATUS_DONE && (copied = copy_piece(&copy, &status)) != COPY_END) {
        progress_show(copy.moved, copy.moved, copy.size);
        if (copied == COPY_NEEDS_INPUT)
            status = wait_for_input();
        else if (copied == COPY_NEEDS_OUTPUT)
            status = wait_for_room(&copy);
        else if (copied == COPY_CANNOT_WRITE)
            status = writer_failed(&writer, errno);
        else if (copied == COPY_CANNOT_READ)
            status = fail(STATUS_STREAM, "cannot read standard input: %s", error_text(errno));
    }
    copy_stop(&copy);
    return status;
}

static void report_counts(enum status status)
{
    progress_end();
    void (*say)(const char *, ...) __attribute__((format(printf, 1, 2))) =
        status == STATUS_DONE ? remark : note;

    if (status != STATUS_DONE && writer.written == 0)
        return;
    if (status == STATUS_PARTIAL && confirm)
        return; /* what was written is not what was read, and that has been said */
    if (stream)
        say("%llu byte%s written to FIFO %s", (unsigned long long)writer.written,
            plural(writer.written), shown(writer.path));
    else
        say("%llu record%s sent to FIFO %s", (unsigned long long)sent, plural(sent),
            shown(writer.path));
    if (confirm && (status == STATUS_WOULD_WAIT || status == STATUS_TIMED_OUT))
        note("%zu bytes in the FIFO have not been read", fifo_unread(&writer.fifo));
}

/* For die(): nothing is in hand, but how much was sent is to be said. */
static enum status say_counts(void)
{
    report_counts(STATUS_SYSTEM);
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    char **operands = argv + first + 1;

    stream = *operands == NULL &&
             (records.framing == FRAME_RAW || !(option_given('l') || option_given('0')));
    if (*operands == NULL)
        input_require();
    signal(SIGPIPE, SIG_IGN); /* a write must come back with EPIPE, to say what the reader took */
    if (*operands == NULL && isatty(STDIN_FILENO))
        note("reading from the terminal; Ctrl-D ends");
    writer.path = argv[first];
    reporting.rescue = say_counts;
    enum status status = writer_connect(&writer);
    if (status == STATUS_DONE && !stream)
        signals_hold();
    if (status == STATUS_DONE)
        status = stream              ? send_stream()
                 : *operands != NULL ? send_operands(operands)
                                     : send_input_records();
    if (status == STATUS_DONE && confirm)
        status = writer_wait_until_read(&writer);
    report_counts(status);
    if (status == STATUS_DONE && wishes.unlink)
        status = fifo_remove(&writer.fifo);
    return (int)status;
}
