/* SPDX-License-Identifier: MIT */
#include "receive.h"

#include "name.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "stream.h"

bool receives_one(const struct receiving *receiving)
{
    return receiving->wanted == 1 && !receiving->drain && !receiving->follow;
}

enum status receive_stopped(const struct source *source, const struct receiving *receiving,
                            enum status status)
{
    unsigned long long count = deliver_count();

    if (count > 0 && option_given('N'))
        note("%llu of %llu messages %s from queue %s", count, (unsigned long long)receiving->wanted,
             source->did, shown(source->queue));
    else if (count > 0)
        note("%llu message%s %s from queue %s", count, plural(count), source->did,
             shown(source->queue));
    return status;
}

void receive_done(const struct source *source)
{
    unsigned long long count = deliver_count();

    if (reporting.verbose)
        remark("%llu message%s %s from queue %s", count, plural(count), source->did,
               shown(source->queue));
}

/* SETTLED is what became of what the reader left; it is the graver status. */
static enum status ended(const struct source *source, const struct receiving *receiving,
                         enum received why, enum status settled)
{
    enum status status = STATUS_DONE;

    if (why == RECEIVED_NOTHING && !receiving->drain)
        status = STATUS_WOULD_WAIT;
    else if (why == RECEIVED_TIMED_OUT)
        status = STATUS_TIMED_OUT;
    else if (why == RECEIVED_REMOVED && !receiving->follow)
        status = fail(STATUS_GONE, "queue %s has been removed", shown(source->queue));
    else if (why == RECEIVED_OUTPUT_GONE && settled == STATUS_DONE)
        status = fail(STATUS_STREAM, "the reader of standard output has gone");
    if (settled != STATUS_DONE)
        status = settled;
    return status == STATUS_DONE ? status : receive_stopped(source, receiving, status);
}

/* Until all that is wanted is written (RECEIVED), or why not. */
static enum received take_all(const struct source *source, const struct receiving *receiving)
{
    uint64_t wanted = receiving->drain && !option_given('N') ? UINT64_MAX : receiving->wanted;
    nanoseconds deadline = 0;

    while (receiving->follow || deliver_count() + deliver_in_hand() < wanted) {
        if (deliver_in_hand() == 0 && output_reader_gone())
            return RECEIVED_OUTPUT_GONE;
        enum received received = source->take();
        progress_show(deliver_count(), deliver_count(), option_given('N') ? wanted : 0);
        if (received == RECEIVED) {
            deadline = 0;
            continue;
        }
        deliver_all();
        if (received == RECEIVED_NOTHING && !receiving->drain && !receiving->patience.nonblock) {
            if (deadline == 0)
                deadline = deadline_after(receiving->patience.timeout);
            received = source->wait(deadline);
        }
        if (received == RECEIVED_SIGNALLED)
            deliver_end_by_signal();
        if (received != RECEIVED)
            return received;
    }
    deliver_all();
    return RECEIVED;
}

enum status receive(const struct source *source, const struct receiving *receiving)
{
    progress_start("message");
    enum received why = take_all(source, receiving);
    progress_end();
    enum status status = ended(source, receiving, why, deliver_settle());

    if (status == STATUS_DONE)
        receive_done(source);
    return deliver_finish(status);
}
