/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* msgrcv */
#include "peek.h"

#include "limit.h"
#include "options.h"
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000 /* <linux/msg.h> */
#endif

static const struct sysv_queue *queue;
static const struct sysv_selection *selection;
static size_t room_for; /* bytes of a message */
static int copy_error;  /* why no more could be copied */

/* A message of the queue. */
struct copy {
    long position;
    sysv_type type;
    size_t length;
};

static enum status copy_failed(int error)
{
    if (error == EIDRM || (error == EINVAL && sysv_removed(queue)))
        return fail(STATUS_GONE, "queue %s has been removed", queue->name);
    if (error == EINVAL) /* of msgrcv(2), for a copy larger than the limit is now */
        return fail(STATUS_LIMIT,
                    "cannot peek into queue %s: it holds a message that is larger than "
                    "kernel.msgmax, %llu; it can only be taken",
                    queue->name, (unsigned long long)system_limit("kernel/msgmax"));
    if (error == ENOSYS)
        return fail(STATUS_SYSTEM,
                    "cannot peek into queue %s: this kernel was built without "
                    "CONFIG_CHECKPOINT_RESTORE",
                    queue->name);
    return fail(status_of_error(error), "cannot peek into queue %s: %s", queue->name,
                error_text(error));
}

/* Copies the message at copy->position to where the next to deliver goes; false
 * if there is none, or none can be copied. */
static bool copy_message(struct copy *copy)
{
    for (;;) {
        if (signals_checkpoint())
            deliver_end_by_signal();
        char *room = deliver_room();
        ssize_t length = msgrcv(queue->id, room, room_for, copy->position, MSG_COPY | IPC_NOWAIT);
        if (length >= 0) {
            memcpy(&copy->type, room, sizeof copy->type);
            copy->length = (size_t)length;
            return true;
        }
        switch (errno) {
        case ENOMSG:
            return false;
        case EINTR:
            break;
        case E2BIG:
            room_for *= 2;
            deliver_enlarge(room_for);
            break;
        default:
            copy_error = errno;
            return false;
        }
    }
}

static bool selected(sysv_type type)
{
    if (selection->type == 0)
        return true;
    if (selection->type < 0)
        return type <= -selection->type;
    return (type == selection->type) != selection->except;
}

/* How many there are, or MOST. */
static uint64_t count_selected(uint64_t most)
{
    struct copy copy = {0};
    uint64_t count = 0;

    for (; count < most && copy_message(&copy); copy.position++)
        count += selected(copy.type);
    return count;
}

static bool enough(uint64_t wanted)
{
    return deliver_count() + deliver_in_hand() >= wanted;
}

/* Up to MOST messages of those selected; only those of TYPE if it is not 0. */
static void show(sysv_type type, uint64_t most)
{
    struct copy copy = {0};

    for (; !enough(most) && copy_message(&copy); copy.position++)
        if (selected(copy.type) && (type == 0 || copy.type == type))
            deliver_add(copy.length, (uint64_t)copy.type);
}

/* The lowest type selected that is above TYPE; 0 if there is none. */
static sysv_type next_type(sysv_type type)
{
    struct copy copy = {0};
    sysv_type lowest = 0;

    for (; copy_message(&copy); copy.position++)
        if (selected(copy.type) && copy.type > type && (lowest == 0 || copy.type < lowest))
            lowest = copy.type;
    return lowest;
}

/* Waits until there are so many, or no more can be copied; or the status for not
 * waiting so long. There is no event: one has to look again. */
static enum status wait_for_count(uint64_t wanted, const struct patience *patience)
{
    nanoseconds deadline = deadline_after(patience->timeout);
    struct pause pause = {0};

    while (count_selected(wanted) < wanted && copy_error == 0) {
        if (patience->nonblock)
            return STATUS_WOULD_WAIT;
        if (!pause_or_die(&pause, SECOND / 20, deadline))
            return STATUS_TIMED_OUT;
        if (output_reader_gone())
            die(STATUS_STREAM, "the reader of standard output has gone");
    }
    return STATUS_DONE;
}

static void show_all(uint64_t wanted)
{
    copy_error = 0;
    if (selection->type >= 0)
        show(0, wanted);
    else
        for (sysv_type type = 0; !enough(wanted) && (type = next_type(type)) != 0;)
            show(type, wanted);
    deliver_all();
}

enum status peek(const struct sysv_queue *in, const struct sysv_selection *which,
                 const struct receiving *receiving, size_t longest)
{
    uint64_t wanted = receiving->drain && !option_given('N') ? UINT64_MAX : receiving->wanted;
    enum status status = STATUS_DONE;

    queue = in;
    selection = which;
    room_for = longest;
    if (output_reader_gone())
        die(STATUS_STREAM, "the reader of standard output has gone");
    do {
        if (!receiving->drain)
            status = wait_for_count(wanted, &receiving->patience);
        show_all(wanted);
        if (copy_error != 0)
            return copy_failed(copy_error);
        if (status != STATUS_DONE || receiving->drain || deliver_count() == wanted)
            return status;
    } while (deliver_count() == 0); /* taken by another meanwhile */
    return STATUS_PARTIAL;
}
