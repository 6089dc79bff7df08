/* SPDX-License-Identifier: MIT
 *
 * Records from any bytes: what comes in pieces gives the same records as what
 * comes at once, and what frame_add has written is read back as it was. The input
 * is a framing (a letter as the options have), the size of a piece (a character),
 * and the bytes.
 */
#include "frame.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 600, MOST = 512 };

static enum framing framing_of(uint8_t letter)
{
    switch (letter) {
    case '0':
        return FRAME_NULL;
    case 'S':
        return FRAME_NETSTRING;
    case 'r':
        return FRAME_RAW;
    default:
        return FRAME_LINES;
    }
}

/* Takes all that there is, and writes down what it was. */
static enum record_result take_all(struct record_reader *reader, struct buffer *log)
{
    struct record record;
    enum record_result result;

    while ((result = record_take(reader, &record)) == RECORD_READY) {
        uint64_t number;
        buffer_add_format(log, "%zu ", record.length);
        buffer_add(log, record.bytes, record.length);
        if (record_split_prefix(&record, 0, 32767, &number) && number > 32767)
            abort();
    }
    return result;
}

/* The records of BYTES, read PIECE bytes at a time, written down in LOG. */
static enum record_result read_in_pieces(enum framing framing, const uint8_t *bytes, size_t length,
                                         size_t piece, struct buffer *log)
{
    struct record_reader reader;
    enum record_result result = RECORD_PENDING;

    record_reader_start(&reader, 0, framing, LONGEST);
    reader.data.length = 0;
    if (reader.data.capacity < length)
        abort();
    for (size_t start = 0; start < length && result == RECORD_PENDING; start += piece) {
        size_t size = length - start < piece ? length - start : piece;
        memcpy(reader.data.bytes + start, bytes + start, size);
        reader.data.length += size;
        result = take_all(&reader, log);
    }
    if (result == RECORD_PENDING) {
        reader.at_end = true;
        result = take_all(&reader, log);
    }
    buffer_free(&reader.data);
    return result;
}

/* Of a length that is too long and wrong too, what is seen first is said. */
static enum record_result refusal(enum record_result result)
{
    return result == RECORD_TOO_LONG ? RECORD_MALFORMED : result;
}

static void same_in_pieces(enum framing framing, const uint8_t *bytes, size_t length, size_t piece)
{
    struct buffer at_once = {0}, pieces = {0};
    enum record_result whole = read_in_pieces(framing, bytes, length, length + 1, &at_once);
    enum record_result split = read_in_pieces(framing, bytes, length, piece, &pieces);

    if (refusal(whole) != refusal(split) || at_once.length != pieces.length ||
        (at_once.length > 0 && memcmp(at_once.bytes, pieces.bytes, at_once.length) != 0))
        abort();
    buffer_free(&at_once);
    buffer_free(&pieces);
}

static void round_trip(enum framing framing, const uint8_t *bytes, size_t length, size_t piece)
{
    struct buffer framed = {0}, back = {0}, expected = {0};
    int end = framing == FRAME_NULL ? '\0' : '\n';

    if (framing == FRAME_RAW || length > 200 ||
        (framing != FRAME_NETSTRING && length > 0 && memchr(bytes, end, length) != NULL))
        return;
    for (int i = 0; i < 2; i++) {
        frame_add(&framed, framing, NULL, (const char *)bytes, length);
        buffer_add_format(&expected, "%zu ", length);
        buffer_add(&expected, bytes, length);
    }
    if (read_in_pieces(framing, (uint8_t *)framed.bytes, framed.length, piece, &back) !=
            RECORD_NONE ||
        back.length != expected.length || memcmp(back.bytes, expected.bytes, back.length) != 0)
        abort();
    buffer_free(&framed);
    buffer_free(&back);
    buffer_free(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2 || length > MOST)
        return 0;
    enum framing framing = framing_of(bytes[0]);
    size_t piece = bytes[1] % 16 + 1u;
    same_in_pieces(framing, bytes + 2, length - 2, piece);
    round_trip(framing, bytes + 2, length - 2, piece);
    return 0;
}
