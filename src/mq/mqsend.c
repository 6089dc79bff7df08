/* SPDX-License-Identifier: MIT
 *
 * mqsend: send messages to a POSIX message queue, one per operand or per
 * record of standard input, each as soon as it is complete.
 */
#include "frame.h"
#include "options.h"
#include "queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t priority;
static bool create, drop;

enum { KEY_DROP = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience),
    {'c', "create", NULL, "create the queue (default attributes) if it is missing",
     .flag = &create},
    {'p', "priority", "N", "0 (the default) to 32767; higher is received first",
     .number = &priority, .most = PRIORITY_HIGHEST},
    {'P', "prefix", NULL, "each record is its priority, a TAB, and the message",
     .flag = &records.prefix},
    OPTION_LINES(records),
    OPTION_NULL(records),
    OPTION_NETSTRING(records),
    OPTION_RAW(records, "all of standard input is one message"),
    OPTION_STRING(records, "send C strings: append a NUL to each message"),
    {KEY_DROP, "drop", NULL, "discard what does not fit instead of waiting; 81 if any was",
     .flag = &drop},
    {0},
};

static const struct option_conflict conflicts[] = {
    {'n', 't'}, {'n', 'a'}, {KEY_DROP, 't'}, {KEY_DROP, 'a'}, {'p', 'P'}, {0}};

static const struct tool tool = {
    .name = "mqsend",
    .operands = "QUEUE [MESSAGE]...",
    .purpose = "Send messages to a POSIX message queue: each MESSAGE, or each record of standard\n"
               "input. Options come before QUEUE; what follows it is sent as it is.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
};

static struct queue queue;
static struct record_reader reader;
static size_t sent, dropped;

static enum status wait_for_room(nanoseconds *deadline)
{
    if (patience.nonblock)
        return STATUS_WOULD_WAIT;
    record_leave_offset(&reader, false);
    if (*deadline == 0)
        *deadline = deadline_after(patience.timeout);
    switch (queue_wait(&queue, POLLOUT, *deadline, false)) {
    case QUEUE_TIMED_OUT:
        return STATUS_TIMED_OUT;
    case QUEUE_REMOVED:
        return fail(STATUS_GONE, "queue %s has been removed", shown(queue.name.text));
    default:
        return STATUS_DONE;
    }
}

static enum status send_message(const struct record *message, unsigned at_priority)
{
    nanoseconds deadline = 0;

    if (message->length > queue.message_size)
        return fail(STATUS_DATA,
                    "cannot send to queue %s: message of %zu bytes is larger than the queue's "
                    "message size %zu",
                    shown(queue.name.text), message->length, queue.message_size);
    while (mq_send(queue.descriptor, message->bytes, message->length, at_priority) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail(status_of_error(errno), "cannot send to queue %s: %s",
                        shown(queue.name.text), strerror(errno));
        if (drop) {
            dropped++;
            return STATUS_DONE;
        }
        enum status status = wait_for_room(&deadline);
        if (status != STATUS_DONE)
            return status;
    }
    sent++;
    return STATUS_DONE;
}

/* A C string ends at its first NUL: one inside would cut it short. */
static enum status send_string(const struct record *record, unsigned at_priority)
{
    static struct buffer string;

    if (memchr(record->bytes, '\0', record->length) != NULL)
        return fail(STATUS_DATA, "cannot send to queue %s: a record with a NUL in it is no C string",
                    shown(queue.name.text));
    string.length = 0;
    buffer_add(&string, record->bytes, record->length);
    buffer_add(&string, "", 1);
    const struct record message = {string.bytes, string.length};
    return send_message(&message, at_priority);
}

static enum status send_record(struct record *record)
{
    uint64_t at_priority = priority;

    if (records.prefix && !record_split_prefix(record, 0, PRIORITY_HIGHEST, &at_priority))
        return fail(STATUS_DATA,
                    "malformed record: with --prefix it begins with a priority (0 to %d) and a TAB",
                    PRIORITY_HIGHEST);
    return records.string ? send_string(record, (unsigned)at_priority)
                          : send_message(record, (unsigned)at_priority);
}

static enum status send_operands(char **operands)
{
    enum status status = STATUS_DONE;

    for (; *operands != NULL && status == STATUS_DONE; operands++) {
        struct record record = {*operands, strlen(*operands)};
        signals_checkpoint();
        if (queue_unlinked(&queue)) /* what it takes now is lost */
            return fail(STATUS_GONE, "queue %s has been removed", shown(queue.name.text));
        status = send_record(&record);
    }
    return status;
}

/* A message sent to a queue without a name is lost, and the kernel does not
 * say so: looked at once for each read. */
static bool removed_meanwhile(void)
{
    static unsigned long looked_at_read;

    if (reader.reads == looked_at_read)
        return false;
    looked_at_read = reader.reads;
    return queue_unlinked(&queue);
}

static enum status next_record(struct record *record)
{
    switch (record_next(&reader, record)) {
    case RECORD_TOO_LONG:
        return fail(STATUS_DATA,
                    "cannot send to queue %s: message of %zu bytes or more is larger than the "
                    "queue's message size %zu",
                    shown(queue.name.text), record->length, queue.message_size);
    case RECORD_MALFORMED:
        return fail(STATUS_DATA, "malformed record on standard input: %s", record->bytes);
    case RECORD_FAILED:
        return fail(STATUS_STREAM, "cannot read standard input: %s", strerror(errno));
    case RECORD_NONE:
        record->bytes = NULL;
        return STATUS_DONE;
    default:
        break;
    }
    if (removed_meanwhile())
        return fail(STATUS_GONE, "queue %s has been removed", shown(queue.name.text));
    return STATUS_DONE;
}

static enum status send_input(void)
{
    enum { PREFIX_LONGEST = 6 };
    struct record record;
    enum status status;

    if (isatty(STDIN_FILENO))
        note("reading messages from the terminal, one per line; Ctrl-D ends");
    record_reader_start(&reader, STDIN_FILENO, (enum framing)records.framing,
                        queue.message_size + (records.prefix ? PREFIX_LONGEST : 0));
    while ((status = next_record(&record)) == STATUS_DONE && record.bytes != NULL)
        if ((status = send_record(&record)) != STATUS_DONE)
            break;
    record_leave_offset(&reader, status == STATUS_DONE);
    return status;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    char **operands = argv + first + 1;
    bool many = *operands == NULL || operands[1] != NULL;

    if (records.prefix && *operands != NULL)
        usage_error("--prefix is for records of standard input, not for MESSAGE operands");
    queue = queue_open(argv[first], QUEUE_TO_SEND, &patience, create);
    signals_hold();
    enum status status = *operands != NULL ? send_operands(operands) : send_input();

    bool would_wait = status == STATUS_WOULD_WAIT || status == STATUS_TIMED_OUT;
    if (status != STATUS_DONE && (sent > 0 || (many && !would_wait)))
        note("%zu message%s sent to queue %s", sent, plural(sent), shown(queue.name.text));
    if (status == STATUS_DONE)
        remark("%zu message%s sent to queue %s", sent, plural(sent), shown(queue.name.text));
    if (dropped == 0)
        return (int)status;
    note("%zu of %zu messages dropped: queue %s was full", dropped, sent + dropped,
         shown(queue.name.text));
    return status == STATUS_DONE ? STATUS_PARTIAL : (int)status;
}
