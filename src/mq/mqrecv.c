/* SPDX-License-Identifier: MIT
 *
 * mqrecv: receive messages from a POSIX message queue. Messages are written in
 * bursts; what has been taken and cannot be written is put back (save.h).
 */
#include "frame.h"
#include "json.h"
#include "options.h"
#include "queue.h"
#include "save.h"
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct records records;
static uint64_t wanted = 1;
static bool drain, follow, json;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience),
    {'N', "count", "N", "receive this many messages (default 1)", .number = &wanted, .least = 1,
     .most = UINT64_MAX},
    {'d', "drain", NULL, "until the queue is empty, never waiting", .flag = &drain},
    {'f', "follow", NULL, "go on until the queue is removed", .flag = &follow},
    {'P', "prefix", NULL, "write the priority and a TAB before each message",
     .flag = &records.prefix},
    {'j', "json", NULL, "write each message as a JSON object", .flag = &json},
    OPTION_LINES(records),
    OPTION_NULL(records),
    OPTION_NETSTRING(records),
    OPTION_RAW(records, "messages as they are, with nothing between them"),
    OPTION_STRING(records, "messages are C strings: write up to the first NUL"),
    {0},
};

static const struct option_conflict conflicts[] = {
    {'n', 't'}, {'n', 'a'}, {'f', 'd'}, {'f', 'N'}, {'P', 'j'}, {0}};

static const struct tool tool = {
    .name = "mqrecv",
    .operands = "QUEUE",
    .purpose = "Receive messages from a POSIX message queue: highest priority first, oldest first.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

/* A message in hand: taken, and not known to be written. */
struct held {
    size_t offset, length; /* of its bytes in the store */
    unsigned priority;
    size_t end; /* of its record in the output */
};

enum { MOST_HELD = 512 };

static struct queue queue;
static int output;
static struct buffer store;  /* the messages in hand */
static struct buffer framed; /* as they are to be written */
static struct held hand[MOST_HELD];
static size_t in_hand;
static size_t written; /* bytes of framed */
static uint64_t delivered;

/* All memory that a burst can need: once messages are in hand there is no
 * good moment to run out of it. Touched, so that the kernel never meets a page
 * that it cannot have while it holds a message. */
static void reserve_memory(void)
{
    size_t size = queue.message_size;
    size_t record = json ? json_bytes_bound(size) + json_bytes_bound(sizeof queue.name.text) + 128
                         : size + 16;

    buffer_reserve(&store, PIPE_BUF + 2 * size);
    memset(store.bytes, 0, store.capacity);
    buffer_reserve(&framed, PIPE_BUF + record + FRAME_OVERHEAD);
}

static size_t delivered_of_hand(void)
{
    size_t count = 0;

    while (count < in_hand && hand[count].end <= written)
        count++;
    return count;
}

/* Saves what is in hand and not written, and says where it is. */
static enum status save_hand(void)
{
    static struct message messages[MOST_HELD];
    struct saved saved = SAVED_NONE;
    size_t first = delivered_of_hand();
    size_t complete = first == 0 ? 0 : hand[first - 1].end;

    for (size_t i = first; i < in_hand; i++)
        messages[i - first] = (struct message){store.bytes + hand[i].offset, hand[i].length,
                                               hand[i].priority};
    save_messages(&saved, &queue, messages, in_hand - first);
    if (written > complete)
        note("a message that is saved had been written in part: %zu bytes", written - complete);
    in_hand = 0;
    return save_report(&saved, &queue);
}

static _Noreturn void end_by_signal(void)
{
    save_hand();
    signals_die(signals_caught());
}

static void write_some(size_t end)
{
    ssize_t wrote = output_write(output, framed.bytes + written, end - written);

    if (wrote >= 0) {
        written += (size_t)wrote;
        return;
    }
    if (errno == EINTR)
        return;
    if (errno != EAGAIN)
        die(STATUS_LOST, "cannot write to standard output: %s", strerror(errno));
    struct pollfd room = {.fd = output, .events = POLLOUT};
    if (wait_for(&room, 1, NO_LIMIT) == WAIT_SIGNALLED && signals_caught() != 0)
        end_by_signal();
}

/* Writes the records of the first COUNT messages in hand. */
static void deliver(size_t count)
{
    if (count == 0)
        return;
    size_t end = hand[count - 1].end;
    size_t taken = count == in_hand ? store.length : hand[count].offset;

    while (written < end)
        write_some(end);
    delivered += count;
    in_hand -= count;
    memmove(hand, hand + count, in_hand * sizeof *hand);
    for (size_t i = 0; i < in_hand; i++) {
        hand[i].offset -= taken;
        hand[i].end -= end;
    }
    memmove(store.bytes, store.bytes + taken, store.length - taken);
    store.length -= taken;
    memmove(framed.bytes, framed.bytes + end, framed.length - end);
    framed.length -= end;
    written = 0;
    if (in_hand == 0 && signals_checkpoint())
        signals_die(signals_caught());
}

static void frame_as_json(const struct held *message, const char *bytes, size_t shown_length)
{
    static struct buffer object;

    if (object.capacity == 0)
        buffer_reserve(&object, framed.capacity);
    object.length = 0;
    json_start(&object);
    json_text(&object, "queue", queue.name.text);
    json_number(&object, "priority", message->priority);
    json_number(&object, "length", message->length);
    json_bytes(&object, "message", bytes, shown_length);
    json_close(&object, "}");
    frame_add(&framed, (enum framing)records.framing, NULL, object.bytes, object.length);
}

static void frame_message(struct held *message)
{
    const char *bytes = store.bytes + message->offset;
    size_t length = message->length;
    char prefix[16];

    if (records.string)
        length = strnlen(bytes, length);
    snprintf(prefix, sizeof prefix, "%u\t", message->priority);
    if (json)
        frame_as_json(message, bytes, length);
    else
        frame_add(&framed, (enum framing)records.framing, records.prefix ? prefix : NULL, bytes,
                  length);
    message->end = framed.length;
}

/* Takes a message into the hand; false if the queue is empty. Bursts are of
 * at most PIPE_BUF bytes, so that each is written whole, or not at all. */
static bool take(void)
{
    unsigned priority;
    ssize_t length;

    if (in_hand == MOST_HELD || store.capacity - store.length < queue.message_size)
        deliver(in_hand);
    do
        length = mq_receive(queue.descriptor, store.bytes + store.length, queue.message_size,
                            &priority);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN)
        return false;
    if (length < 0)
        die(status_of_error(errno), "cannot receive from queue %s: %s", shown(queue.name.text),
            strerror(errno));
    struct held *message = &hand[in_hand++];
    *message = (struct held){store.length, (size_t)length, priority, SIZE_MAX};
    store.length += (size_t)length;
    frame_message(message);
    if (framed.length > PIPE_BUF)
        deliver(in_hand - 1);
    if (framed.length > PIPE_BUF)
        deliver(in_hand);
    return true;
}

static enum status stopped(enum status status)
{
    if (delivered > 0 && option_given('N'))
        note("%llu of %llu messages received from queue %s", (unsigned long long)delivered,
             (unsigned long long)wanted, shown(queue.name.text));
    else if (delivered > 0)
        note("%llu message%s received from queue %s", (unsigned long long)delivered,
             plural(delivered), shown(queue.name.text));
    return status;
}

static enum status output_gone(void)
{
    return fail(STATUS_STREAM, "the reader of standard output has gone");
}

/* Called with nothing in hand and an empty queue; true if there may be a
 * message, else *STATUS is the end. */
static bool wait_for_message(nanoseconds deadline, enum status *status)
{
    *status = STATUS_DONE;
    switch (queue_wait(&queue, POLLIN, deadline, true)) {
    case QUEUE_READY:
        return true;
    case QUEUE_SIGNALLED:
        signals_die(signals_caught());
    case QUEUE_TIMED_OUT:
        *status = stopped(STATUS_TIMED_OUT);
        return false;
    case QUEUE_OUTPUT_GONE:
        *status = stopped(output_gone());
        return false;
    case QUEUE_REMOVED:
        /* A message may have come between the last look and the unlinking. */
        if (queue_depth(&queue) > 0)
            return true;
        if (!follow)
            *status = stopped(fail(STATUS_GONE, "queue %s has been removed",
                                   shown(queue.name.text)));
        return false;
    }
    return false;
}

static enum status receive(void)
{
    nanoseconds deadline = 0;
    enum status status;

    while (follow || delivered + in_hand < wanted) {
        if (in_hand == 0 && output_reader_gone())
            return stopped(output_gone());
        if (take()) {
            deadline = 0;
            continue;
        }
        deliver(in_hand);
        if (drain)
            return STATUS_DONE;
        if (patience.nonblock)
            return stopped(STATUS_WOULD_WAIT);
        if (deadline == 0)
            deadline = deadline_after(patience.timeout);
        if (!wait_for_message(deadline, &status))
            return status;
    }
    deliver(in_hand);
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    if (drain && !option_given('N'))
        wanted = UINT64_MAX;
    queue_name(argv[first]);
    output_require();
    signals_catch();
    /* A write must come back with EPIPE or EFBIG: messages are in hand. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    queue = queue_open(argv[first], QUEUE_TO_RECEIVE, &patience, false);
    output = output_without_blocking();
    reserve_memory();
    reporting.rescue = save_hand;
    enum status status = receive();

    if (close(STDOUT_FILENO) != 0 && delivered > 0)
        return (int)fail(STATUS_LOST, "closing standard output failed: %s; of the messages written "
                                      "some may not have been stored",
                         strerror(errno));
    if (status == STATUS_DONE)
        remark("%llu message%s received from queue %s", (unsigned long long)delivered,
               plural(delivered), shown(queue.name.text));
    return (int)status;
}
