/* SPDX-License-Identifier: MIT */
#include "feed.h"

#include "name.h"
#include "options.h"
#include "progress.h"
#include "stream.h"
#include "wait.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct record_reader reader;
static size_t sent, dropped;

void feed_waits(void)
{
    record_leave_offset(&reader, false);
}

void feed_ends(void)
{
    record_leave_offset(&reader, true);
}

enum status feed_too_long(const char *queue, size_t length, const char *limit, size_t longest)
{
    return fail(STATUS_DATA, "cannot send to queue %s: message of %zu bytes is larger than %s %zu",
                shown(queue), length, limit, longest);
}

static enum status send_message(const struct feed *feed, const struct record *message,
                                uint64_t number)
{
    if (message->length > feed->longest)
        return feed_too_long(feed->queue, message->length, feed->limit, feed->longest);
    enum status status = feed->send(message, number);
    if (status == STATUS_DONE)
        sent++;
    if (status != STATUS_PARTIAL)
        return status;
    dropped++;
    return STATUS_DONE;
}

/* A C string ends at its first NUL: one inside would cut it short. */
static enum status send_string(const struct feed *feed, const struct record *record,
                               uint64_t number)
{
    static struct buffer string;

    if (memchr(record->bytes, '\0', record->length) != NULL)
        return fail(STATUS_DATA,
                    "cannot send to queue %s: a record with a NUL in it is no C string",
                    shown(feed->queue));
    string.length = 0;
    buffer_add(&string, record->bytes, record->length);
    buffer_add(&string, "", 1);
    const struct record message = {string.bytes, string.length};
    return send_message(feed, &message, number);
}

static enum status send_record(const struct feed *feed, struct record *record)
{
    uint64_t number = feed->number;

    if (feed->records->prefix && !record_split_prefix(record, feed->least, feed->most, &number))
        return fail(STATUS_DATA,
                    "malformed record: with --prefix it begins with %s (%llu to %llu) and a TAB",
                    feed->number_name, (unsigned long long)feed->least,
                    (unsigned long long)feed->most);
    return feed->records->string ? send_string(feed, record, number)
                                 : send_message(feed, record, number);
}

static enum status send_operands(const struct feed *feed, char **operands)
{
    enum status status = STATUS_DONE;

    for (; *operands != NULL && status == STATUS_DONE; operands++) {
        struct record record = {*operands, strlen(*operands)};
        if (signals_checkpoint())
            signals_die(signals_caught());
        if (feed->removed != NULL && feed->removed()) /* what it takes now is lost */
            return fail(STATUS_GONE, "queue %s has been removed", shown(feed->queue));
        status = send_record(feed, &record);
    }
    return status;
}

/* What was sent to a queue without a name is lost, and the kernel may not say
 * so: looked at before each operand and once for each read. */
static bool removed_meanwhile(const struct feed *feed)
{
    static unsigned long looked_at_read;

    if (feed->removed == NULL || reader.reads == looked_at_read)
        return false;
    looked_at_read = reader.reads;
    return feed->removed();
}

static enum status next_record(const struct feed *feed, struct record *record)
{
    switch (record_next(&reader, record)) {
    case RECORD_TOO_LONG:
        return fail(STATUS_DATA,
                    "cannot send to queue %s: message of %zu bytes or more is larger than %s %zu",
                    shown(feed->queue), record->length, feed->limit, feed->longest);
    case RECORD_MALFORMED:
        return fail(STATUS_DATA, "malformed record on standard input: %s", record->bytes);
    case RECORD_FAILED:
        return fail(STATUS_STREAM, "cannot read standard input: %s", error_text(errno));
    case RECORD_NONE:
        record->bytes = NULL;
        return STATUS_DONE;
    default:
        break;
    }
    if (removed_meanwhile(feed))
        return fail(STATUS_GONE, "queue %s has been removed", shown(feed->queue));
    return STATUS_DONE;
}

static enum status send_input(const struct feed *feed)
{
    enum { PREFIX_LONGEST = 20 }; /* of 2^63-1, with its TAB */
    struct record record;
    enum status status;

    input_require();
    if (isatty(STDIN_FILENO))
        note("reading messages from the terminal%s; Ctrl-D ends",
             feed->records->framing == FRAME_LINES ? ", one per line" : "");
    record_reader_start(&reader, STDIN_FILENO, (enum framing)feed->records->framing,
                        feed->longest + (feed->records->prefix ? PREFIX_LONGEST : 0));
    progress_start("message");
    while ((status = next_record(feed, &record)) == STATUS_DONE && record.bytes != NULL) {
        if ((status = send_record(feed, &record)) != STATUS_DONE)
            break;
        progress_show(sent, record_position(&reader), reader.size);
    }
    progress_end();
    record_leave_offset(&reader, status == STATUS_DONE);
    return status;
}

static const struct feed *feeding;

static void note_sent(void)
{
    note("%zu message%s sent to queue %s", sent, plural(sent), shown(feeding->queue));
}

/* For die(): nothing is in hand, but how many were sent is to be said. */
static enum status say_count(void)
{
    record_leave_offset(&reader, false);
    if (sent > 0)
        note_sent();
    return STATUS_DONE;
}

enum status feed_queue(const struct feed *feed, char **operands)
{
    feeding = feed;
    reporting.rescue = say_count;
    bool many = *operands == NULL || operands[1] != NULL;
    enum status status = *operands != NULL ? send_operands(feed, operands) : send_input(feed);
    bool would_wait = status == STATUS_WOULD_WAIT || status == STATUS_TIMED_OUT;

    if (status != STATUS_DONE && (sent > 0 || (many && !would_wait)))
        note_sent();
    if (status == STATUS_DONE && reporting.verbose)
        remark("%zu message%s sent to queue %s", sent, plural(sent), shown(feed->queue));
    if (dropped == 0)
        return status;
    note("%zu of %zu messages dropped: queue %s was full", dropped, sent + dropped,
         shown(feed->queue));
    return status == STATUS_DONE ? STATUS_PARTIAL : status;
}
