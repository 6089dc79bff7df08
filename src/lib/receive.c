/* SPDX-License-Identifier: MIT */
#include "receive.h"

#include "name.h"
#include "options.h"
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
        note("%llu of %llu messages received from queue %s", count,
             (unsigned long long)receiving->wanted, shown(source->queue));
    else if (count > 0)
        note("%llu message%s received from queue %s", count, plural(count), shown(source->queue));
    return status;
}

static enum status ended(const struct source *source, const struct receiving *receiving,
                         enum received why)
{
    switch (why) {
    case RECEIVED_REMOVED:
        if (receiving->follow)
            return STATUS_DONE;
        fail(STATUS_GONE, "queue %s has been removed", shown(source->queue));
        return receive_stopped(source, receiving, STATUS_GONE);
    case RECEIVED_OUTPUT_GONE:
        fail(STATUS_STREAM, "the reader of standard output has gone");
        return receive_stopped(source, receiving, STATUS_STREAM);
    case RECEIVED_TIMED_OUT:
        return receive_stopped(source, receiving, STATUS_TIMED_OUT);
    default:
        return receive_stopped(source, receiving, STATUS_WOULD_WAIT);
    }
}

static enum status take_all(const struct source *source, const struct receiving *receiving)
{
    uint64_t wanted =
        receiving->drain && !option_given('N') ? UINT64_MAX : receiving->wanted;
    nanoseconds deadline = 0;

    while (receiving->follow || deliver_count() + deliver_in_hand() < wanted) {
        if (deliver_in_hand() == 0 && output_reader_gone())
            return ended(source, receiving, RECEIVED_OUTPUT_GONE);
        enum received received = source->take();
        if (received == RECEIVED) {
            deadline = 0;
            continue;
        }
        deliver_all();
        if (received == RECEIVED_NOTHING) {
            if (receiving->drain)
                return STATUS_DONE;
            if (receiving->patience.nonblock)
                return ended(source, receiving, RECEIVED_NOTHING);
            if (deadline == 0)
                deadline = deadline_after(receiving->patience.timeout);
            received = source->wait(deadline);
        }
        if (received != RECEIVED)
            return ended(source, receiving, received);
    }
    deliver_all();
    return STATUS_DONE;
}

enum status receive(const struct source *source, const struct receiving *receiving)
{
    enum status status = take_all(source, receiving);

    if (status == STATUS_DONE && reporting.verbose)
        remark("%llu message%s received from queue %s", (unsigned long long)deliver_count(),
               plural(deliver_count()), shown(source->queue));
    return deliver_finish(status);
}
