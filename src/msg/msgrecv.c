/* SPDX-License-Identifier: MIT
 *
 * msgrecv: receive messages from a System V message queue, by type. Messages
 * are written in bursts (deliver.h); what has been taken and cannot be written
 * is put back, or kept in a file (rescue.h).
 */
#define _GNU_SOURCE /* MSG_EXCEPT */
#include "deliver.h"
#include "name.h"
#include "options.h"
#include "peek.h"
#include "receive.h"
#include "rescue.h"
#include "stream.h"
#include "sysv.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static struct receiving receiving = RECEIVING_DEFAULT;
static struct sysv_selection selection;
static const char *type_text;
static bool peeking;

static const struct option_row options[] = {
    OPTION_NONBLOCK(receiving.patience),
    OPTION_TIMEOUT(receiving.patience),
    {'T', "type", "N", "only type N; -N: the lowest up to N; 0: any", .text = &type_text},
    {'x', "except", NULL, "any type but that of -T", .flag = &selection.except},
    {'k', "peek", NULL, "show messages without taking them", .flag = &peeking},
    OPTION_COUNT(receiving),
    OPTION_DRAIN(receiving),
    OPTION_FOLLOW(receiving),
    OPTION_CONFIRM(receiving),
    {'P', "prefix", NULL, "write the type and a TAB before each message",
     .flag = &receiving.records.prefix},
    OPTION_MESSAGE_JSON(receiving),
    OPTION_LINES(receiving.records),
    OPTION_NULL(receiving.records),
    OPTION_NETSTRING(receiving.records),
    OPTION_RAW(receiving.records, "messages as they are, with nothing between them"),
    OPTION_STRING(receiving.records, "messages are C strings: write up to the first NUL"),
    {0},
};

static const struct option_conflict conflicts[] = {
    RECEIVING_CONFLICTS, {'k', 'f'}, {'k', 'C'}, {0}};

static const struct tool tool = {
    .name = "msgrecv",
    .operands = "KEY",
    .purpose = "Receive messages from a System V message queue: the oldest first, or by type.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

static struct sysv_queue queue;
static size_t longest = 8192; /* message that there is room for: grows with what comes */

static void parse_selection(void)
{
    bool negative = type_text != NULL && type_text[0] == '-';
    uint64_t number = 0;

    if (type_text != NULL && !parse_number(type_text + negative, negative, SYSV_TYPE_MOST, &number))
        usage_error("invalid argument '%s' for --type: it takes 0, 1 to %ld, or -1 to -%ld",
                    shown(type_text), SYSV_TYPE_MOST, SYSV_TYPE_MOST);
    selection.type = negative ? -(sysv_type)number : (sysv_type)number;
    if (selection.except && selection.type <= 0)
        usage_error("--except needs the type that is not wanted: --type=N");
}

/* A call of msgrcv(2), and the length that it gave. */
struct call {
    char *room;
    int flags;
    ssize_t length;
};

static int receive_once(void *context)
{
    struct call *call = context;

    call->length = msgrcv(queue.id, call->room, longest, selection.type,
                          call->flags | (selection.except ? MSG_EXCEPT : 0));
    return call->length >= 0 ? 0 : errno;
}

/* What a call came to; what it took goes into the hand. */
static enum received received(const struct call *call, int error)
{
    sysv_type type;

    switch (error) {
    case 0:
        memcpy(&type, call->room, sizeof type);
        deliver_add((size_t)call->length, (uint64_t)type);
        return RECEIVED;
    case ENOMSG:
        return RECEIVED_NOTHING;
    case E2BIG: /* it is still in the queue: nothing is cut off */
        longest *= 2;
        deliver_enlarge(longest);
        return RECEIVED;
    case EIDRM:
    case EINVAL:
        return RECEIVED_REMOVED;
    default:
        die(status_of_error(error), "cannot receive from queue %s: %s", queue.name,
            error_text(error));
    }
}

static enum received take(void)
{
    struct call call = {.room = deliver_room(), .flags = IPC_NOWAIT};
    int error;

    while ((error = receive_once(&call)) == EINTR)
        continue;
    return received(&call, error);
}

static enum received wait_for_message(nanoseconds deadline)
{
    struct call call = {.room = deliver_room()};
    int error = 0;

    for (;;) {
        /* The end of the reader interrupts nothing: looked at each second. */
        switch (wait_in_call(receive_once, &call, deadline_within(deadline, SECOND), &error)) {
        case WAIT_READY:
            return received(&call, error);
        case WAIT_SIGNALLED:
            return RECEIVED_SIGNALLED;
        case WAIT_TIMED_OUT:
            break;
        }
        if (output_reader_gone())
            return RECEIVED_OUTPUT_GONE;
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return RECEIVED_TIMED_OUT;
    }
}

static int put_back_error;

/* In the store of deliver.h a message still has its type right before it, where
 * msgsnd(2) wants it. */
static bool put_back(const void *context, const struct message *message)
{
    (void)context;
    if (msgsnd(queue.id, message->bytes - sizeof(sysv_type), message->length, IPC_NOWAIT) == 0)
        return true;
    put_back_error = errno;
    return false;
}

static const char *unable(void)
{
    if (put_back_error == EACCES)
        return "may not be written";
    if (put_back_error == EINVAL && !sysv_removed(&queue))
        return "takes no message of that size any more";
    return "is full or removed";
}

static enum status save(const struct message *messages, size_t count)
{
    struct rescuer rescuer = {.queue = queue.name, .sender = "msgsend", .put_back = put_back};
    struct saved saved = SAVED_NONE;

    rescue_messages(&saved, &rescuer, messages, count);
    rescuer.unable = unable();
    return rescue_report(&saved, &rescuer);
}

/* Copies need no saving. */
static enum status forget(const struct message *messages, size_t count)
{
    (void)messages;
    (void)count;
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    parse_selection();
    queue = sysv_open(argv[first], false);
    output_require();
    if (receiving.confirm)
        output_require_confirmable();
    signals_catch();

    const struct delivery delivery = {
        .records = &receiving.records,
        .json = receiving.json,
        .one = receives_one(&receiving),
        .queue = queue.name,
        .number = "type",
        .header = sizeof(sysv_type),
        .copies = peeking,
        .confirm = receiving.confirm,
        .rescue = peeking ? forget : save,
    };
    const struct source source = {queue.name, peeking ? "shown" : "received", take,
                                  wait_for_message};
    deliver_start(&delivery, longest);
    if (!peeking)
        return (int)receive(&source, &receiving);
    enum status status = peek(&queue, &selection, &receiving, longest);
    if (status == STATUS_DONE)
        receive_done(&source);
    else
        receive_stopped(&source, &receiving, status);
    return deliver_finish(status) == STATUS_LOST ? STATUS_STREAM : (int)status;
}
