/* SPDX-License-Identifier: MIT
 *
 * mkfifo-recv: copy a FIFO, made if need be, to standard output: until the
 * last writer has gone, or for ever, or a number of records and not a byte more.
 */
#include "copy.h"
#include "frame.h"
#include "name.h"
#include "options.h"
#include "owner.h"
#include "progress.h"
#include "reader.h"
#include "rescue.h"
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct patience patience = PATIENCE_DEFAULT;
static struct fifo_wishes wishes = {.mode = FIFO_MODE_DEFAULT};
static struct records records;
static uint64_t wanted; /* records; 0: the stream */
static bool follow;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "FIFO"),
    OPTION_EXISTING(wishes),
    OPTION_MODE(wishes.mode),
    OPTION_UNLINK(wishes),
    {'f', "follow", NULL, "go on past the last writer until the FIFO is gone", .flag = &follow},
    {'N', "count", "N", "stop after N records, taking no byte beyond them", .number = &wanted,
     .least = 1, .most = UINT64_MAX},
    OPTION_LINES(records),
    OPTION_NULL(records),
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "mkfifo-recv",
    .operands = "FIFO",
    .purpose = "Copy a FIFO to standard output until its last writer has gone.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
};

static struct reader reader = {.wishes = &wishes, .patience = &patience};
static int output;
static uint64_t received;   /* bytes */
static struct copy copy;    /* of the stream */
static struct ahead next;   /* of the records */
static size_t next_written; /* bytes of that */
static uint64_t ended;      /* records */
static bool within_record;
static bool unended; /* the last record has no delimiter, and its writer has gone */

static enum status cannot_read(void)
{
    return fail(STATUS_SYSTEM, "cannot read FIFO %s: %s", shown(reader.path), error_text(errno));
}

/* How many bytes are no longer in the FIFO, and not written. */
static size_t in_hand(void)
{
    if (copy.held > 0)
        return copy.held;
    return next.consumed ? next.length - next_written : 0;
}

/* They go into a file. DONE if there are none. */
static enum status keep(void)
{
    char source[PATH_MAX + 8];
    size_t length = in_hand();

    if (length == 0)
        return STATUS_DONE;
    const char *bytes = copy.held > 0 ? copy.block + copy.start : next.bytes + next_written;
    snprintf(source, sizeof source, "FIFO %s", shown(reader.path));
    enum status status = rescue_bytes(bytes, length, source);
    copy.held = 0;
    next.consumed = false;
    return status;
}

static enum status cannot_write(void)
{
    fail(STATUS_STREAM, "cannot write to standard output: %s", error_text(errno));
    enum status status = keep();
    if (signals_caught() != 0)
        signals_die(signals_caught());
    return status != STATUS_DONE ? status : STATUS_STREAM;
}

static void obey_signals(void)
{
    if (!signals_checkpoint())
        return;
    keep();
    signals_die(signals_caught());
}

/* BEGUN: some has been written of what is not in hand, and the rest is to follow. */
static enum status wait_for_room(bool begun)
{
    struct pollfd room = {.fd = output, .events = POLLOUT};
    bool in_part = begun || in_hand() > 0;

    obey_signals(); /* also one caught in the write itself */
    if (patience.nonblock && !in_part && poll(&room, 1, 0) == 0)
        return STATUS_WOULD_WAIT;
    wait_for(&room, 1, NO_LIMIT);
    obey_signals();
    if ((room.revents & (POLLERR | POLLHUP)) == 0 || !output_reader_gone())
        return STATUS_DONE;
    errno = EPIPE;
    return in_hand() > 0 ? cannot_write()
                         : fail(STATUS_STREAM, "the reader of standard output has gone");
}

/* ---- The stream ------------------------------------------------------------- */

static enum status in_vain; /* what a wait for a writer came to, where nobody came */

/* After the end of the last writer. OVER is set where that is the end of all. */
static enum status stream_ended(bool *over)
{
    bool heard = reader.connected || received > 0;

    if (!reader.displaced && follow)
        return reader_next_writer(&reader);
    if (!reader.displaced && wishes.unlink)
        return reader_displace(&reader);
    if (reader.displaced && !heard && !follow && in_vain == STATUS_DONE)
        return reader_reopen(&reader); /* whoever comes will look at the path */
    *over = true;
    return reader.connected ? STATUS_DONE : in_vain;
}

/* Nobody came in time. A sender may do so at this moment: once the FIFO is
 * removed it is too late, or sure that it is heard. */
static enum status stop_in_vain(enum status status)
{
    bool waited = status == STATUS_WOULD_WAIT || status == STATUS_TIMED_OUT;
    struct ahead last;

    if (!waited || !wishes.unlink || reader.connected || reader.displaced)
        return status;
    ssize_t got = reader_look(&reader, &last);
    reader.connected = got > 0;
    if (got != 0) /* a writer is connected, if with nothing to say yet */
        return got > 0 ? STATUS_DONE : status;
    in_vain = status;
    reader.last_call = true;
    return reader_displace(&reader);
}

static enum status advance(bool *over)
{
    copy.from = reader.fifo.descriptor;
    enum copied copied = copy_some(&copy);
    if (copy.moved > received)
        reader.connected = true;
    received = copy.moved;
    progress_show(received, 0, 0);
    switch (copied) {
    case COPY_SOME:
        return STATUS_DONE;
    case COPY_END:
        return stream_ended(over);
    case COPY_NEEDS_INPUT:
        return reader_wait(&reader);
    case COPY_NEEDS_OUTPUT:
        return wait_for_room(false);
    case COPY_CANNOT_READ:
        return cannot_read();
    case COPY_CANNOT_WRITE:
    default:
        return cannot_write();
    }
}

static enum status receive_stream(void)
{
    enum status status = stop_in_vain(reader_wait(&reader));
    bool over = false;

    progress_start("byte");
    copy_start(&copy, reader.fifo.descriptor, output);
    while (status == STATUS_DONE && !over) {
        if (copy.held == 0)
            obey_signals();
        status = stop_in_vain(advance(&over));
    }
    copy_stop(&copy);
    return status;
}

/* ---- Records ---------------------------------------------------------------- */

static char delimiter(void)
{
    return records.framing == FRAME_NULL ? '\0' : '\n';
}

/* Cuts what is next after the last record wanted. */
static void count_records(void)
{
    for (size_t i = 0; i < next.length; i++) {
        within_record = next.bytes[i] != delimiter();
        if (within_record || ++ended < wanted)
            continue;
        next.length = i + 1;
    }
}

static enum status write_out(const char *bytes, size_t length, size_t *done)
{
    enum status status = STATUS_DONE;

    *done = 0;
    while (*done < length && status == STATUS_DONE) {
        ssize_t wrote = output_write(output, bytes + *done, length - *done);
        if (wrote > 0)
            *done += (size_t)wrote;
        else if (errno == EAGAIN)
            status = wait_for_room(*done > 0);
        else if (errno != EINTR)
            status = cannot_write();
    }
    return status;
}

/* The end of the last writer, before all is there. */
static enum status writers_gone(void)
{
    if (within_record) {
        ended++;
        unended = true;
    }
    within_record = false;
    if (ended == wanted)
        return STATUS_DONE;
    if (!reader.displaced && (follow || received == 0))
        return reader_next_writer(&reader);
    if (in_vain != STATUS_DONE)
        return in_vain;
    if (received == 0 && !follow)
        return reader_reopen(&reader);
    return fail(STATUS_GONE,
                reader.displaced ? "FIFO %s was removed" : "the last writer of FIFO %s has gone",
                shown(reader.path));
}

/* What another writer sends is a record of its own. */
static enum status end_record(void)
{
    char end = delimiter();
    size_t done;

    if (!unended)
        return STATUS_DONE;
    enum status status = write_out(&end, 1, &done);
    unended = status != STATUS_DONE;
    return status;
}

/* What was written has been taken by another process, and something else here:
 * that must not be lost as well. */
static enum status disturbed(void)
{
    bool taken = errno == EAGAIN;
    enum status status = taken ? fail(STATUS_SYSTEM,
                                      "another process reads FIFO %s too: what it took has been "
                                      "written here as well",
                                      shown(reader.path))
                               : cannot_read();
    enum status wrote = write_out(next.bytes, next.length, &next_written);
    return wrote == STATUS_DONE ? status : wrote;
}

static enum status take_some(void)
{
    next_written = 0;
    ssize_t got = reader_look(&reader, &next);
    if (got == 0)
        return writers_gone();
    if (got < 0)
        return errno == EAGAIN ? reader_wait(&reader) : cannot_read();
    reader.connected = true;
    uint64_t before = ended;
    enum status status = end_record();
    if (status != STATUS_DONE)
        return status;
    count_records();
    status = write_out(next.bytes, next.length, &next_written);
    if (status != STATUS_DONE) {
        ended = before;
        return status;
    }
    size_t length = next.length;
    if (!reader_consume(&reader, &next))
        return disturbed();
    received += length;
    progress_show(ended, ended, wanted);
    return STATUS_DONE;
}

static enum status receive_records(void)
{
    enum status status = stop_in_vain(reader_wait(&reader));

    progress_start("record");
    while (status == STATUS_DONE && ended < wanted) {
        obey_signals();
        status = stop_in_vain(take_some());
    }
    if (status == STATUS_DONE && wishes.unlink)
        status = fifo_remove(&reader.fifo);
    return status;
}

static void report_counts(enum status status)
{
    const char *path = shown(reader.path);

    progress_end();
    if (wanted > 0 && ended > 0 && status != STATUS_DONE)
        note("%llu of %llu records received from FIFO %s", (unsigned long long)ended,
             (unsigned long long)wanted, path);
    else if (received > 0 && status != STATUS_DONE)
        note("%llu byte%s received from FIFO %s", (unsigned long long)received, plural(received),
             path);
    else if (status == STATUS_DONE && wanted > 0)
        remark("%llu record%s received from FIFO %s", (unsigned long long)ended, plural(ended),
               path);
    else if (status == STATUS_DONE)
        remark("%llu byte%s received from FIFO %s", (unsigned long long)received, plural(received),
               path);
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    output_require();
    /* A write must come back with EPIPE or EFBIG, to be told apart. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    reader.path = argv[first];
    reader.takes_turns = wanted > 0;
    rescue_prepare();
    reporting.rescue = keep;
    signals_catch(); /* none ends it with bytes in its hands */
    enum status status = reader_open(&reader);
    if (status != STATUS_DONE)
        return (int)status;
    output = output_without_blocking();
    status = wanted > 0 ? receive_records() : receive_stream();
    report_counts(status);
    obey_signals();
    if (close(STDOUT_FILENO) != 0 && received > 0)
        return (int)fail(STATUS_LOST,
                         "closing standard output failed: %s; of what was written "
                         "some may not have been stored",
                         error_text(errno));
    return (int)status;
}
