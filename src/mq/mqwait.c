/* SPDX-License-Identifier: MIT
 *
 * mqwait: wait until a POSIX message queue has a message, or room, or is
 * empty, or holds a number of messages; takes nothing.
 */
#include "options.h"
#include "queue.h"

#include <string.h>

enum condition { WAIT_MESSAGE, WAIT_ROOM, WAIT_EMPTY, WAIT_AT_LEAST, WAIT_AT_MOST };

static struct patience patience = PATIENCE_DEFAULT;
static int condition = WAIT_MESSAGE;
static const char *depth_text;

enum { KEY_MESSAGE = OPTION_LONG_ONLY, KEY_ROOM, KEY_EMPTY, KEY_AT_LEAST, KEY_AT_MOST };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "queue"),
    {KEY_MESSAGE, "message", NULL, "until there is a message (the default)", .choice = &condition,
     .value = WAIT_MESSAGE},
    {KEY_ROOM, "room", NULL, "until there is room for a message", .choice = &condition,
     .value = WAIT_ROOM},
    {KEY_EMPTY, "empty", NULL, "until the queue is empty", .choice = &condition,
     .value = WAIT_EMPTY},
    {KEY_AT_LEAST, "at-least", "N[%]", "until it holds N messages, or N %, or more",
     .choice = &condition, .value = WAIT_AT_LEAST, .text = &depth_text},
    {KEY_AT_MOST, "at-most", "N[%]", "until it holds N messages, or N %, or fewer",
     .choice = &condition, .value = WAIT_AT_MOST, .text = &depth_text},
    {0},
};

static const struct option_conflict conflicts[] = {
    {'n', 't'},
    {'n', 'a'},
    {KEY_MESSAGE, KEY_ROOM},
    {KEY_MESSAGE, KEY_EMPTY},
    {KEY_MESSAGE, KEY_AT_LEAST},
    {KEY_MESSAGE, KEY_AT_MOST},
    {KEY_ROOM, KEY_EMPTY},
    {KEY_ROOM, KEY_AT_LEAST},
    {KEY_ROOM, KEY_AT_MOST},
    {KEY_EMPTY, KEY_AT_LEAST},
    {KEY_EMPTY, KEY_AT_MOST},
    {KEY_AT_LEAST, KEY_AT_MOST},
    {0},
};

static const struct tool tool = {
    .name = "mqwait",
    .operands = "QUEUE",
    .purpose = "Wait for a message in a POSIX message queue, for room, or for a depth.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

/* N or N% as given to --at-least and --at-most. */
struct depth {
    uint64_t number;
    bool percent;
};

static struct depth parse_depth(void)
{
    char digits[32];
    struct depth depth = {0};

    if (depth_text == NULL)
        return depth;
    size_t length = strlen(depth_text);
    depth.percent = length > 0 && depth_text[length - 1] == '%';
    length -= depth.percent;
    if (length < sizeof digits) {
        memcpy(digits, depth_text, length);
        digits[length] = '\0';
        if (parse_number(digits, 0, depth.percent ? 100 : UINT64_MAX, &depth.number))
            return depth;
    }
    usage_error("invalid depth '%s': it is a number of messages, or 0%% to 100%%",
                shown(depth_text));
}

/* In messages: at least is rounded up, at most down. */
static uint64_t depth_of(const struct depth *depth, const struct queue *queue)
{
    uint64_t whole = queue->max_messages;

    if (!depth->percent)
        return depth->number;
    return (whole * depth->number + (condition == WAIT_AT_LEAST ? 99 : 0)) / 100;
}

static bool fulfilled(const struct queue *queue, uint64_t depth)
{
    size_t messages = queue_depth(queue);

    switch (condition) {
    case WAIT_ROOM:
        return messages < queue->max_messages;
    case WAIT_EMPTY:
        return messages == 0;
    case WAIT_AT_LEAST:
        return messages >= depth;
    case WAIT_AT_MOST:
        return messages <= depth;
    default:
        return messages > 0;
    }
}

/* A message and room are events; for a depth one has to look again. */
static enum status wait_a_while(const struct queue *queue, struct pause *pause,
                                nanoseconds deadline)
{
    if (condition == WAIT_MESSAGE || condition == WAIT_ROOM) {
        short event = condition == WAIT_ROOM ? POLLOUT : POLLIN;
        if (queue_wait(queue, event, deadline, false) == QUEUE_TIMED_OUT)
            return STATUS_TIMED_OUT;
    } else if (pause_before_looking(pause, SECOND / 20, deadline) == WAIT_TIMED_OUT) {
        return STATUS_TIMED_OUT;
    }
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct depth wanted = parse_depth();
    struct queue queue = queue_open(argv[first], QUEUE_TO_LOOK_AT, &patience, false);
    uint64_t depth = depth_of(&wanted, &queue);
    nanoseconds deadline = deadline_after(patience.timeout);
    struct pause pause = {0};

    if (condition == WAIT_AT_LEAST && depth > queue.max_messages)
        die(STATUS_LIMIT, "queue %s never holds %llu messages: its maximum is %zu",
            shown(queue.name.text), (unsigned long long)depth, queue.max_messages);
    while (!fulfilled(&queue, depth)) {
        if (queue_unlinked(&queue))
            die(STATUS_GONE, "queue %s has been removed", shown(queue.name.text));
        if (patience.nonblock)
            return STATUS_WOULD_WAIT;
        enum status status = wait_a_while(&queue, &pause, deadline);
        if (status != STATUS_DONE)
            return (int)status;
    }
    remark("queue %s holds %zu message%s", shown(queue.name.text), queue_depth(&queue),
           plural(queue_depth(&queue)));
    return STATUS_DONE;
}
