/* SPDX-License-Identifier: MIT
 *
 * msgsend: send messages to a System V message queue, one per operand or per
 * record of standard input, each as soon as it is complete.
 */
#define _XOPEN_SOURCE 700 /* msgsnd */
#include "feed.h"
#include "options.h"
#include "sysv.h"
#include "wait.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t type = 1;
static bool create;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    {'c', "create", NULL, "create the queue if missing (mode 0600)", .flag = &create},
    {'T', "type", "N", "message type, 1 (the default) to 2^63-1", .number = &type, .least = 1,
     .most = SYSV_TYPE_MOST},
    {'P', "prefix", NULL, "each record: its type, a TAB, the message", .flag = &records.prefix},
    OPTION_LINES(records),
    OPTION_NULL(records),
    OPTION_NETSTRING(records),
    OPTION_RAW(records, "all of standard input is one message"),
    OPTION_STRING(records, "send C strings: append a NUL to each message"),
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'T', 'P'}, {0}};

static const struct tool tool = {
    .name = "msgsend",
    .operands = "KEY [MESSAGE]...",
    .purpose = "Send messages to a System V message queue: each MESSAGE, or each record of\n"
               "standard input.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
};

static struct sysv_queue queue;

/* A message as msgsnd(2) wants it: the bytes right behind their type. */
struct call {
    char *message;
    size_t length;
    int flags;
};

static int send_once(void *context)
{
    const struct call *call = context;

    return msgsnd(queue.id, call->message, call->length, call->flags) == 0 ? 0 : errno;
}

/* STATUS_DONE unless the limits have been lowered below what it needs: the kernel
 * would refuse it without saying why, or have it wait for ever. */
static enum status require_still_fits(const struct call *call)
{
    const char *limit;
    size_t longest = sysv_longest_message(&queue, &limit);

    if (call->length <= longest)
        return STATUS_DONE;
    return feed_too_long(queue.name, call->length, limit, longest);
}

static enum status send_failed(const struct call *call, int error)
{
    if (error == EIDRM || (error == EINVAL && sysv_removed(&queue)))
        return fail(STATUS_GONE, "queue %s has been removed", queue.name);
    if (error == EINVAL && require_still_fits(call) != STATUS_DONE)
        return STATUS_DATA;
    return fail(status_of_error(error), "cannot send to queue %s: %s", queue.name,
                error_text(error));
}

static enum status wait_for_room(struct call *call)
{
    nanoseconds deadline = deadline_after(patience.timeout);
    int error = 0;

    if (patience.nonblock)
        return STATUS_WOULD_WAIT;
    feed_waits();
    call->flags = 0;
    for (;;) {
        enum waited waited =
            wait_in_call(send_once, call, deadline_within(deadline, SECOND), &error);
        if (waited == WAIT_READY)
            break;
        if (waited == WAIT_SIGNALLED)
            signals_die(signals_caught());
        enum status status = require_still_fits(call);
        if (status != STATUS_DONE)
            return status;
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return STATUS_TIMED_OUT;
    }
    if (error != 0)
        return send_failed(call, error);
    if (signals_caught() != 0) {
        feed_ends();
        signals_die(signals_caught());
    }
    return STATUS_DONE;
}

static enum status send_message(const struct record *message, uint64_t number)
{
    static struct buffer buffer;
    const sysv_type of_type = (sysv_type)number;

    buffer.length = 0;
    buffer_add(&buffer, &of_type, sizeof of_type);
    buffer_add(&buffer, message->bytes, message->length);
    struct call call = {buffer.bytes, message->length, IPC_NOWAIT};
    int error = send_once(&call);
    if (error == EAGAIN)
        return wait_for_room(&call);
    return error == 0 ? STATUS_DONE : send_failed(&call, error);
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    char **operands = argv + first + 1;

    if (records.prefix && *operands != NULL)
        usage_error("--prefix is for records of standard input, not for MESSAGE operands");
    queue = sysv_open(argv[first], create);
    signals_catch();

    struct feed feed = {
        .queue = queue.name,
        .records = &records,
        .number = type,
        .least = 1,
        .most = SYSV_TYPE_MOST,
        .number_name = "a type",
        .send = send_message,
    };
    feed.longest = sysv_longest_message(&queue, &feed.limit);
    return (int)feed_queue(&feed, operands);
}
