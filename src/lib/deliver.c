/* SPDX-License-Identifier: MIT */
#include "deliver.h"

#include "held.h"
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

enum {
    MOST_IN_HAND = 512,
    FIRST_CAPACITY = 2 * MOST_IN_HAND, /* in messages */
    LEAST_REMEMBERED = 16 << 20 /* bytes that the memory of what is unread may take, or more */
};

static const struct delivery *delivery;
static int output;
static bool remembering; /* what has been written to a pipe, until it is read */
static bool confirming;
static struct held held; /* the messages in the pipe, then those in hand */
static size_t in_hand;
static struct buffer framed; /* the records of those in hand */
static uint64_t framed_from; /* bytes of output before FRAMED */
static uint64_t written;     /* bytes of output */
static uint64_t delivered;

/* Forgets what has been delivered: written, and read where that matters. What
 * others have written to the pipe may make too little of it. */
static void forget_delivered(void)
{
    uint64_t unread = remembering ? output_pipe_unread() : 0;

    held_forget(&held, unread < written ? written - unread : 0, in_hand);
}

/* After the first signal the reader is waited for; whoever sends another does
 * not want that. Not one that comes at the same time: timeout(1) sends two. */
static bool signalled_again(void)
{
    static nanoseconds first;
    static int seen;

    if (signals_caught() != 0 && first == 0)
        first = clock_now();
    if (signals_caught() == 0 || clock_now() < first + SECOND / 10)
        seen = signals_count();
    return signals_count() > seen;
}

/* Until all that is written has been read, or the reader has gone. */
static void wait_for_reader(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};
    struct pause pause = {0};

    for (;;) {
        bool gone = output_reader_gone();
        forget_delivered();
        if (gone || held_count(&held) == in_hand || signalled_again())
            return;
        wait_for(&reader, 1, deadline_after(pause_next(&pause, SECOND / 20)));
    }
}

/* Saves what is in hand and not written; what is in the pipe too, where nobody
 * is left to read it, or it is not for us to trust that somebody will. */
static enum status rescue_held(void)
{
    if (confirming)
        wait_for_reader();
    bool with_unread = remembering && (confirming || output_reader_gone());

    if (with_unread)
        forget_delivered();
    else /* of a burst of which nothing is written, the empty records too are in hand */
        held_forget(&held, written, written == framed_from ? in_hand : 0);
    size_t count = held_count(&held);
    if (with_unread)
        delivered -= count - in_hand;
    in_hand = 0;
    uint64_t in_part = !with_unread && written > held.forgotten ? written - held.forgotten : 0;
    const struct message *messages = held_messages(&held);
    held.count = held.first;
    enum status status = delivery->rescue(messages, count);
    if (in_part > 0)
        note("a message that is saved had been written in part: %llu bytes",
             (unsigned long long)in_part);
    return status;
}

static void reserve_record(size_t longest)
{
    size_t record = delivery->json ? json_bytes_bound(longest) + NAME_MAX * 6 + 160 : longest + 24;

    buffer_reserve(&framed, (delivery->one ? 0 : PIPE_BUF) + record + FRAME_OVERHEAD);
}

void deliver_start(const struct delivery *how, size_t longest)
{
    delivery = how;
    if (!delivery->copies)
        rescue_prepare();
    /* A write must come back with EPIPE or EFBIG: messages are in hand. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    output = output_without_blocking();
    size_t capacity = output_pipe_capacity();
    remembering = capacity > 0 && !delivery->copies;
    confirming = remembering && delivery->confirm;
    held.most = 2 * capacity + MOST_IN_HAND;
    held.most_bytes = 2 * capacity * (1 + delivery->header);
    if (held.most_bytes < LEAST_REMEMBERED)
        held.most_bytes = LEAST_REMEMBERED;
    if (delivery->one) /* a script starts one process for each: what it reserves is felt */
        held_start(&held, delivery->header, longest, 1, 0);
    else
        held_start(&held, delivery->header, longest, FIRST_CAPACITY,
                   PIPE_BUF + delivery->header + longest);
    reserve_record(longest);
    reporting.rescue = rescue_held;
}

void deliver_enlarge(size_t longest)
{
    deliver_all();
    held_enlarge(&held, longest);
    reserve_record(longest);
}

static _Noreturn void save_and_die(void)
{
    rescue_held();
    signals_die(signals_caught());
}

static void write_some(size_t end)
{
    ssize_t wrote =
        output_write(output, framed.bytes + (written - framed_from), end - (written - framed_from));

    if (wrote >= 0) {
        written += (uint64_t)wrote;
        return;
    }
    if (errno == EINTR)
        return;
    if (errno != EAGAIN && signals_caught() != 0)
        save_and_die();
    if (errno != EAGAIN)
        die(delivery->copies ? STATUS_STREAM : STATUS_LOST, "cannot write to standard output: %s",
            error_text(errno));
    /* One caught during the call that took: no wait will tell. */
    if (signals_caught() != 0 && (!confirming || signalled_again()))
        save_and_die();
    struct pollfd room = {.fd = output, .events = POLLOUT};
    if (wait_for(&room, 1, NO_LIMIT) == WAIT_SIGNALLED && signals_caught() != 0 &&
        (!confirming || signalled_again()))
        save_and_die();
}

/* Writes the first END bytes of the records, which are those of COUNT messages. */
static void write_records(size_t count, size_t end)
{
    while (written - framed_from < end)
        write_some(end);
    framed_from = written;
    memmove(framed.bytes, framed.bytes + end, framed.length - end);
    framed.length -= end;
    delivered += count;
    in_hand -= count;
    if (!remembering)
        forget_delivered();
}

/* With --confirm the reader has to be waited for, so that it may as well read
 * what is in hand. */
_Noreturn void deliver_end_by_signal(void)
{
    if (confirming)
        write_records(in_hand, framed.length);
    save_and_die();
}

static void deliver(size_t count, size_t end)
{
    if (count == 0)
        return;
    write_records(count, end);
    if (signals_checkpoint())
        deliver_end_by_signal();
}

void deliver_all(void)
{
    deliver(in_hand, framed.length);
}

/* The memory of what is unread has its bound: at it, the reader is waited for as
 * if the pipe were full. */
static void make_room(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};
    struct pause pause = {0};

    for (;;) {
        forget_delivered();
        if (held_make_room(&held))
            return;
        if (output_reader_gone())
            die(STATUS_STREAM, "the reader of standard output has gone");
        if (wait_for(&reader, 1, deadline_after(pause_next(&pause, SECOND / 20))) ==
                WAIT_SIGNALLED &&
            signals_caught() != 0)
            deliver_end_by_signal();
    }
}

char *deliver_room(void)
{
    if (in_hand == MOST_IN_HAND || !held_has_room(&held))
        deliver_all();
    if (!held_has_room(&held))
        make_room();
    return held_room(&held);
}

static void frame_as_json(struct record message, size_t shown_length, uint64_t number)
{
    static struct buffer object;

    if (object.capacity < framed.capacity)
        buffer_reserve(&object, framed.capacity - object.length);
    object.length = 0;
    json_start(&object);
    json_text(&object, "queue", delivery->queue);
    json_number(&object, delivery->number, number);
    json_number(&object, "length", message.length);
    json_bytes(&object, "message", message.bytes, shown_length);
    json_close(&object, "}");
    frame_add(&framed, (enum framing)delivery->records->framing, NULL, object.bytes, object.length);
}

static void frame_message(struct record message, uint64_t number)
{
    const struct records *records = delivery->records;
    size_t length = message.length;
    char prefix[24];

    if (records->string)
        length = strnlen(message.bytes, length);
    if (records->prefix)
        snprintf(prefix, sizeof prefix, "%llu\t", (unsigned long long)number);
    if (delivery->json)
        frame_as_json(message, length, number);
    else
        frame_add(&framed, (enum framing)records->framing, records->prefix ? prefix : NULL,
                  message.bytes, length);
}

/* A burst has at most PIPE_BUF bytes, so that each is written whole, or not at
 * all; only a record that is longer is a burst of its own. */
void deliver_add(size_t length, uint64_t number)
{
    const char *bytes = held_add(&held, length, number);
    size_t before = framed.length;

    in_hand++;
    frame_message((struct record){bytes, length}, number);
    held_set_end(&held, framed_from + framed.length);
    if (framed.length > PIPE_BUF)
        deliver(in_hand - 1, before);
    if (framed.length > PIPE_BUF)
        deliver_all();
}

size_t deliver_in_hand(void)
{
    return in_hand;
}

uint64_t deliver_count(void)
{
    return delivered;
}

enum status deliver_settle(void)
{
    if (confirming)
        wait_for_reader();
    if (confirming && signals_checkpoint())
        save_and_die();
    if (!remembering || !output_reader_gone())
        return STATUS_DONE;
    forget_delivered();
    if (held_count(&held) == 0)
        return STATUS_DONE;
    fail(STATUS_STREAM, "the reader of standard output has gone, and has not read all");
    return rescue_held();
}

enum status deliver_finish(enum status status)
{
    if (close(STDOUT_FILENO) != 0 && delivered > 0)
        return fail(STATUS_LOST,
                    "closing standard output failed: %s; of the messages written some may not have "
                    "been stored",
                    error_text(errno));
    return status;
}
