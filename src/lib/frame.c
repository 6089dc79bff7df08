/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include "parse.h"
#include "report.h"
#include "wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

void record_reader_start(struct record_reader *reader, int fd, enum framing framing, size_t longest)
{
    struct stat status;

    *reader = (struct record_reader){.fd = fd, .framing = framing, .longest = longest};
    buffer_reserve(&reader->data, longest + FRAME_OVERHEAD + READ_SIZE);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        reader->offset = lseek(fd, 0, SEEK_CUR);
        reader->regular = reader->offset >= 0;
        reader->size = (uint64_t)status.st_size;
    }
}

static enum record_result hand_out(struct record_reader *reader, struct record *record, size_t from,
                                   size_t length, size_t next)
{
    *record = (struct record){reader->data.bytes + from, length};
    reader->start = reader->next;
    reader->next = next;
    reader->scanned = next;
    return RECORD_READY;
}

static enum record_result take_delimited(struct record_reader *reader, struct record *record,
                                         char delimiter)
{
    const char *bytes = reader->data.bytes;
    size_t end = reader->data.length;
    const char *found = NULL;

    if (reader->scanned < end)
        found = memchr(bytes + reader->scanned, delimiter, end - reader->scanned);
    if (found != NULL) {
        size_t at = (size_t)(found - bytes);
        return hand_out(reader, record, reader->next, at - reader->next, at + 1);
    }
    reader->scanned = end;
    if (!reader->at_end)
        return RECORD_PENDING;
    if (reader->next == end)
        return RECORD_NONE;
    return hand_out(reader, record, reader->next, end - reader->next, end);
}

static enum record_result malformed(struct record *record, const char *reason)
{
    *record = (struct record){.bytes = reason};
    return RECORD_MALFORMED;
}

static enum record_result take_netstring(struct record_reader *reader, struct record *record)
{
    const char *bytes = reader->data.bytes + reader->next;
    size_t available = reader->data.length - reader->next;
    size_t digits = 0;
    uint64_t length = 0;

    if (available == 0)
        return reader->at_end ? RECORD_NONE : RECORD_PENDING;
    for (; digits < available && bytes[digits] >= '0' && bytes[digits] <= '9'; digits++) {
        if (digits == 1 && bytes[0] == '0')
            return malformed(record, "a netstring begins with its length, without leading zeros");
        if (digits >= 18)
            return malformed(record, "the length of a netstring has 18 digits at most");
        length = length * 10 + (uint64_t)(bytes[digits] - '0');
    }
    if (digits < available && (digits == 0 || bytes[digits] != ':'))
        return malformed(record, "a netstring is LENGTH:BYTES,");
    if (length > reader->longest) {
        *record = (struct record){.length = (size_t)length};
        return RECORD_TOO_LONG;
    }
    if (digits == available || available < digits + 1 + length + 1)
        return reader->at_end ? malformed(record, "the input ends within a netstring")
                              : RECORD_PENDING;
    if (bytes[digits + 1 + length] != ',')
        return malformed(record, "no comma at the end of a netstring");
    return hand_out(reader, record, reader->next + digits + 1, (size_t)length,
                    reader->next + digits + 1 + (size_t)length + 1);
}

static enum record_result take_all(struct record_reader *reader, struct record *record)
{
    if (!reader->at_end)
        return RECORD_PENDING;
    if (reader->next == SIZE_MAX)
        return RECORD_NONE;
    *record = (struct record){reader->data.bytes, reader->data.length};
    reader->start = 0;
    reader->next = SIZE_MAX; /* handed out, also where it is empty */
    return RECORD_READY;
}

enum record_result record_take(struct record_reader *reader, struct record *record)
{
    switch (reader->framing) {
    case FRAME_NETSTRING:
        return take_netstring(reader, record);
    case FRAME_RAW:
        return take_all(reader, record);
    case FRAME_NULL:
        return take_delimited(reader, record, '\0');
    case FRAME_LINES:
    default:
        return take_delimited(reader, record, '\n');
    }
}

/* Moves what is not yet a record to the front. */
static void drop_done(struct record_reader *reader)
{
    struct buffer *data = &reader->data;

    memmove(data->bytes, data->bytes + reader->next, data->length - reader->next);
    data->length -= reader->next;
    reader->scanned -= reader->next;
    reader->start = reader->next = 0;
}

struct block {
    int fd;
    char *bytes;
    size_t room;
    ssize_t got;
};

static int read_block(void *context)
{
    struct block *block = context;

    block->got = read(block->fd, block->bytes, block->room);
    return block->got < 0 ? errno : 0;
}

/* As read(2). Another process may take what the wait has seen, or there may always
 * be something: a signal is to end the process in either case. */
static ssize_t read_stream(const struct record_reader *reader, char *bytes, size_t room)
{
    struct pollfd input = {.fd = reader->fd, .events = POLLIN};
    struct block block = {reader->fd, bytes, room, -1};
    int error = EINTR;

    enum waited waited = wait_for(&input, 1, NO_LIMIT);
    if (waited == WAIT_READY && signals_caught() == 0)
        waited = wait_in_call(read_block, &block, NO_LIMIT, &error);
    if (waited == WAIT_READY && block.got >= 0)
        return block.got;
    if (signals_caught() != 0)
        signals_die(signals_caught());
    errno = error;
    return block.got;
}

static bool read_more(struct record_reader *reader)
{
    struct buffer *data = &reader->data;
    ssize_t got;

    do {
        char *to = data->bytes + data->length;
        size_t room = data->capacity - data->length;
        if (!reader->regular) {
            got = read_stream(reader, to, room);
        } else {
            if (signals_checkpoint())
                signals_die(signals_caught());
            got = pread(reader->fd, to, room, reader->offset);
        }
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0)
        return false;
    data->length += (size_t)got;
    reader->offset += got;
    reader->at_end = got == 0;
    reader->reads++;
    return true;
}

enum record_result record_next(struct record_reader *reader, struct record *record)
{
    for (;;) {
        enum record_result result = record_take(reader, record);
        if (result == RECORD_TOO_LONG || result == RECORD_MALFORMED)
            reader->start = reader->next; /* the record to go on from */
        if (result != RECORD_PENDING)
            return result;
        drop_done(reader);
        if (reader->data.length == reader->data.capacity) {
            *record = (struct record){.length = reader->longest + 1};
            return RECORD_TOO_LONG;
        }
        record_leave_offset(reader, true);
        if (!read_more(reader))
            return RECORD_FAILED;
    }
}

uint64_t record_position(const struct record_reader *reader)
{
    size_t next = reader->next > reader->data.length ? reader->data.length : reader->next;

    return (uint64_t)reader->offset - (reader->data.length - next);
}

void record_leave_offset(struct record_reader *reader, bool done)
{
    if (!reader->regular)
        return;
    size_t at = done ? reader->next : reader->start;
    if (at > reader->data.length)
        at = reader->data.length;
    lseek(reader->fd, reader->offset - (off_t)(reader->data.length - at), SEEK_SET);
}

bool record_split_prefix(struct record *record, uint64_t least, uint64_t most, uint64_t *number)
{
    char digits[24];
    const char *tab = memchr(record->bytes, '\t', record->length);

    if (tab == NULL || (size_t)(tab - record->bytes) >= sizeof digits)
        return false;
    size_t length = (size_t)(tab - record->bytes);
    memcpy(digits, record->bytes, length);
    digits[length] = '\0';
    if (memchr(digits, '\0', length) != NULL || !parse_number(digits, least, most, number))
        return false;
    record->bytes += length + 1;
    record->length -= length + 1;
    return true;
}

void frame_add(struct buffer *out, enum framing framing, const char *prefix, const char *bytes,
               size_t length)
{
    size_t prefix_length = prefix == NULL ? 0 : strlen(prefix);

    if (framing == FRAME_NETSTRING)
        buffer_add_format(out, "%zu:", prefix_length + length);
    buffer_add(out, prefix, prefix_length);
    buffer_add(out, bytes, length);
    switch (framing) {
    case FRAME_LINES:
        buffer_add(out, "\n", 1);
        break;
    case FRAME_NULL:
        buffer_add(out, "", 1);
        break;
    case FRAME_NETSTRING:
        buffer_add(out, ",", 1);
        break;
    case FRAME_RAW:
        break;
    }
}
