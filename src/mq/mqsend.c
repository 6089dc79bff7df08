/* SPDX-License-Identifier: MIT
 *
 * mqsend: send messages to a POSIX message queue, one per operand or per
 * record of standard input, each as soon as it is complete.
 */
#include "feed.h"
#include "options.h"
#include "queue.h"

#include <errno.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t priority;
static bool create, drop;

enum { KEY_DROP = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "queue"),
    {'c', "create", NULL, "create the queue if missing (default attributes)", .flag = &create},
    {'p', "priority", "N", "0 (the default) to 32767; higher is received first",
     .number = &priority, .most = PRIORITY_HIGHEST},
    {'P', "prefix", NULL, "each record: its priority, a TAB, the message", .flag = &records.prefix},
    OPTION_LINES(records),
    OPTION_NULL(records),
    OPTION_NETSTRING(records),
    OPTION_RAW(records, "all of standard input is one message"),
    OPTION_STRING(records, "send C strings: append a NUL to each message"),
    {KEY_DROP, "drop", NULL, "discard what does not fit, count it, and exit 81", .flag = &drop},
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'},      {'n', 'a'}, {KEY_DROP, 't'},
                                                   {KEY_DROP, 'a'}, {'p', 'P'}, {0}};

static const struct tool tool = {
    .name = "mqsend",
    .operands = "QUEUE [MESSAGE]...",
    .purpose = "Send messages to a POSIX message queue: each MESSAGE, or each record of\n"
               "standard input.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
};

static struct queue queue;

static bool removed(void)
{
    return queue_unlinked(&queue);
}

static enum status gone(void)
{
    return fail(STATUS_GONE, "queue %s has been removed", shown(queue.name.text));
}

static enum status wait_for_room(nanoseconds *deadline)
{
    if (patience.nonblock)
        return STATUS_WOULD_WAIT;
    feed_waits();
    if (*deadline == 0)
        *deadline = deadline_after(patience.timeout);
    switch (queue_wait(&queue, POLLOUT, *deadline, false)) {
    case QUEUE_TIMED_OUT:
        return STATUS_TIMED_OUT;
    case QUEUE_REMOVED:
        return gone();
    default:
        break;
    }
    /* What is sent to a queue without a name has no reader to come. */
    return queue_unlinked(&queue) ? gone() : STATUS_DONE;
}

static enum status send_message(const struct record *message, uint64_t at_priority)
{
    nanoseconds deadline = 0;

    while (mq_send(queue.descriptor, message->bytes, message->length, (unsigned)at_priority) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail(status_of_error(errno), "cannot send to queue %s: %s",
                        shown(queue.name.text), error_text(errno));
        if (drop)
            return STATUS_PARTIAL;
        enum status status = wait_for_room(&deadline);
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    char **operands = argv + first + 1;

    if (records.prefix && *operands != NULL)
        usage_error("--prefix is for records of standard input, not for MESSAGE operands");
    queue = queue_open(argv[first], QUEUE_TO_SEND, &patience, create);
    signals_hold();

    const struct feed feed = {
        .queue = queue.name.text,
        .records = &records,
        .longest = queue.message_size,
        .limit = "the queue's message size",
        .number = priority,
        .most = PRIORITY_HIGHEST,
        .number_name = "a priority",
        .send = send_message,
        .removed = removed,
    };
    return (int)feed_queue(&feed, operands);
}
