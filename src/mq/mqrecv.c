/* SPDX-License-Identifier: MIT
 *
 * mqrecv: receive messages from a POSIX message queue. Messages are written in
 * bursts (deliver.h); what has been taken and cannot be written is put back
 * (save.h).
 */
#include "deliver.h"
#include "options.h"
#include "queue.h"
#include "receive.h"
#include "save.h"
#include "stream.h"

#include <errno.h>

static struct receiving receiving = RECEIVING_DEFAULT;

static const struct option_row options[] = {
    OPTION_NONBLOCK(receiving.patience),
    OPTION_TIMEOUT(receiving.patience),
    OPTION_AWAIT(receiving.patience, "queue"),
    OPTION_COUNT(receiving),
    OPTION_DRAIN(receiving),
    OPTION_FOLLOW(receiving),
    OPTION_CONFIRM(receiving),
    {'P', "prefix", NULL, "write the priority and a TAB before each message",
     .flag = &receiving.records.prefix},
    OPTION_MESSAGE_JSON(receiving),
    OPTION_LINES(receiving.records),
    OPTION_NULL(receiving.records),
    OPTION_NETSTRING(receiving.records),
    OPTION_RAW(receiving.records, "messages as they are, with nothing between them"),
    OPTION_STRING(receiving.records, "messages are C strings: write up to the first NUL"),
    {0},
};

static const struct option_conflict conflicts[] = {RECEIVING_CONFLICTS, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "mqrecv",
    .operands = "QUEUE",
    .purpose = "Receive messages from a POSIX message queue: of the highest priority first, and\n"
               "of those the oldest.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

static struct queue queue;

static enum received take(void)
{
    char *room = deliver_room();
    unsigned priority;
    ssize_t length;

    do
        length = mq_receive(queue.descriptor, room, queue.message_size, &priority);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN)
        return RECEIVED_NOTHING;
    if (length < 0)
        die(status_of_error(errno), "cannot receive from queue %s: %s", shown(queue.name.text),
            error_text(errno));
    deliver_add((size_t)length, priority);
    return RECEIVED;
}

static enum received wait_for_message(nanoseconds deadline)
{
    switch (queue_wait(&queue, POLLIN, deadline, true)) {
    case QUEUE_SIGNALLED:
        return RECEIVED_SIGNALLED;
    case QUEUE_TIMED_OUT:
        return RECEIVED_TIMED_OUT;
    case QUEUE_OUTPUT_GONE:
        return RECEIVED_OUTPUT_GONE;
    case QUEUE_REMOVED:
        /* A message may have come between the last look and the unlinking. */
        return queue_depth(&queue) > 0 ? RECEIVED : RECEIVED_REMOVED;
    default:
        return RECEIVED;
    }
}

static enum status save(const struct message *messages, size_t count)
{
    struct saved saved = SAVED_NONE;

    save_messages(&saved, &queue, messages, count);
    return save_report(&saved, &queue);
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    queue_name(argv[first]);
    output_require();
    if (receiving.confirm)
        output_require_confirmable();
    signals_catch();
    queue = queue_open(argv[first], QUEUE_TO_RECEIVE, &receiving.patience, false);

    const struct delivery delivery = {
        .records = &receiving.records,
        .json = receiving.json,
        .one = receives_one(&receiving),
        .queue = queue.name.text,
        .number = "priority",
        .confirm = receiving.confirm,
        .rescue = save,
    };
    const struct source source = {queue.name.text, "received", take, wait_for_message};
    deliver_start(&delivery, queue.message_size);
    return (int)receive(&source, &receiving);
}
