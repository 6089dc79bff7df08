/* SPDX-License-Identifier: MIT */
#include "deliver.h"

#include "json.h"
#include "stream.h"
#include "wait.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Taken, and not known to be written. */
struct held {
    size_t offset; /* of its header in the store */
    size_t length; /* without the header */
    uint64_t number;
    size_t end; /* of its record in the output */
};

enum { MOST_HELD = 512 };

static const struct delivery *delivery;
static size_t longest;
static int output;
static struct buffer store;  /* the messages in hand, each after its header */
static struct buffer framed; /* as they are to be written */
/* Allocated, since small programs start faster where static memory is small. */
static struct held *hand;
static struct message *to_rescue;
static size_t hand_size; /* of either, in messages */
static size_t in_hand;
static size_t written; /* bytes of framed */
static uint64_t delivered;

static const char *bytes_of(const struct held *message)
{
    return store.bytes + message->offset + delivery->header;
}

/* Saves what is in hand and not written. */
static enum status rescue_hand(void)
{
    size_t first = 0;

    while (first < in_hand && hand[first].end <= written)
        first++;
    for (size_t i = first; i < in_hand; i++)
        to_rescue[i - first] =
            (struct message){bytes_of(&hand[i]), hand[i].length, hand[i].number};
    size_t count = in_hand - first;
    size_t complete = first == 0 ? 0 : hand[first - 1].end;
    in_hand = 0;
    if (written > complete)
        note("a message that is saved had been written in part: %zu bytes", written - complete);
    return delivery->rescue(to_rescue, count);
}

/* Touched, so that the kernel never meets a page that it cannot have while it
 * holds a message. */
static void reserve_memory(void)
{
    size_t record = delivery->json ? json_bytes_bound(longest) + NAME_MAX * 6 + 160 : longest + 24;

    buffer_reserve(&store, delivery->one ? delivery->header + longest
                                         : PIPE_BUF + 2 * (delivery->header + longest));
    memset(store.bytes + store.length, 0, store.capacity - store.length);
    buffer_reserve(&framed, PIPE_BUF + record + FRAME_OVERHEAD);
}

void deliver_start(const struct delivery *how, size_t longest_message)
{
    delivery = how;
    hand_size = delivery->one ? 1 : MOST_HELD;
    hand = calloc(hand_size, sizeof *hand);
    to_rescue = calloc(hand_size, sizeof *to_rescue);
    if (hand == NULL || to_rescue == NULL)
        die_of_memory();
    longest = longest_message;
    /* A write must come back with EPIPE or EFBIG: messages are in hand. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    output = output_without_blocking();
    reserve_memory();
    reporting.rescue = rescue_hand;
}

void deliver_enlarge(size_t longest_message)
{
    deliver_all();
    longest = longest_message;
    reserve_memory();
}

static _Noreturn void end_by_signal(void)
{
    rescue_hand();
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
    if (signals_checkpoint())
        end_by_signal();
}

void deliver_all(void)
{
    deliver(in_hand);
}

char *deliver_room(void)
{
    if (in_hand == hand_size || store.capacity - store.length < delivery->header + longest)
        deliver_all();
    return store.bytes + store.length;
}

static void frame_as_json(const struct held *message, size_t shown_length)
{
    static struct buffer object;

    if (object.capacity < framed.capacity)
        buffer_reserve(&object, framed.capacity - object.length);
    object.length = 0;
    json_start(&object);
    json_text(&object, "queue", delivery->queue);
    json_number(&object, delivery->number, message->number);
    json_number(&object, "length", message->length);
    json_bytes(&object, "message", bytes_of(message), shown_length);
    json_close(&object, "}");
    frame_add(&framed, (enum framing)delivery->records->framing, NULL, object.bytes,
              object.length);
}

static void frame_message(struct held *message)
{
    const struct records *records = delivery->records;
    size_t length = message->length;
    char prefix[24];

    if (records->string)
        length = strnlen(bytes_of(message), length);
    if (records->prefix)
        snprintf(prefix, sizeof prefix, "%llu\t", (unsigned long long)message->number);
    if (delivery->json)
        frame_as_json(message, length);
    else
        frame_add(&framed, (enum framing)records->framing, records->prefix ? prefix : NULL,
                  bytes_of(message), length);
    message->end = framed.length;
}

/* A burst has at most PIPE_BUF bytes, so that each is written whole, or not at
 * all; only a record that is longer is a burst of its own. */
void deliver_add(size_t length, uint64_t number)
{
    struct held *message = &hand[in_hand++];

    *message = (struct held){store.length, length, number, SIZE_MAX};
    store.length += delivery->header + length;
    frame_message(message);
    if (framed.length > PIPE_BUF)
        deliver(in_hand - 1);
    if (framed.length > PIPE_BUF)
        deliver(in_hand);
}

size_t deliver_in_hand(void)
{
    return in_hand;
}

uint64_t deliver_count(void)
{
    return delivered;
}

enum status deliver_finish(enum status status)
{
    if (close(STDOUT_FILENO) != 0 && delivered > 0)
        return fail(STATUS_LOST,
                    "closing standard output failed: %s; of the messages written some may not have "
                    "been stored",
                    strerror(errno));
    return status;
}
