/* SPDX-License-Identifier: MIT
 *
 * Records in and out: lines, NUL-terminated, netstrings (LEN:BYTES,), raw; and
 * the prefix NUMBER<TAB> that carries a priority or a type. ipcutils(7), RECORDS.
 */
#ifndef IPCUTILS_FRAME_H
#define IPCUTILS_FRAME_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum framing { FRAME_LINES, FRAME_NULL, FRAME_NETSTRING, FRAME_RAW };

/* What a user says about records. */
struct records {
    int framing; /* enum framing */
    bool prefix;
    bool string; /* C strings */
};

/* The rows of an options table (options.h) that set the struct records R. */
/* clang-format off */
#define OPTION_LINES(r)                                                                            \
    {                                                                                              \
        'l', "lines", NULL, "records are lines (the default)", .choice = &(r).framing,             \
            .value = FRAME_LINES                                                                   \
    }
#define OPTION_NULL(r)                                                                             \
    {                                                                                              \
        '0', "null", NULL, "records end in NUL", .choice = &(r).framing, .value = FRAME_NULL       \
    }
#define OPTION_NETSTRING(r)                                                                        \
    {                                                                                              \
        'S', "netstring", NULL, "records are netstrings, LEN:BYTES,", .choice = &(r).framing,      \
            .value = FRAME_NETSTRING                                                               \
    }
/* clang-format on */
#define OPTION_RAW(r, text)                                                                        \
    {                                                                                              \
        'r', "raw", NULL, text, .choice = &(r).framing, .value = FRAME_RAW                         \
    }
enum { KEY_STRING = 300 };
#define OPTION_STRING(r, text)                                                                     \
    {                                                                                              \
        KEY_STRING, "string", NULL, text, .flag = &(r).string                                      \
    }

/* Bytes of the caller's or of a reader's buffer. */
struct record {
    const char *bytes;
    size_t length;
};

/* Reads records from a descriptor in fixed memory. */
struct record_reader {
    int fd;
    enum framing framing;
    size_t longest;     /* a longer record cannot be of use */
    struct buffer data; /* bytes read and not yet dropped */
    size_t start;       /* of the last record handed out */
    size_t next;        /* of the one after it */
    size_t scanned;     /* no end of record between next and here */
    bool at_end;
    bool regular;        /* a regular file: its offset can be set */
    off_t offset;        /* where the next read begins, in a regular file */
    uint64_t size;       /* of a regular file, as it was at the start; else 0 */
    unsigned long reads; /* so far */
};

enum record_result {
    RECORD_READY,
    RECORD_NONE,      /* end of input */
    RECORD_TOO_LONG,  /* record->length is what is known of its length */
    RECORD_MALFORMED, /* record->bytes says what is wrong */
    RECORD_PENDING,   /* record_take only: more input is needed */
    RECORD_FAILED     /* errno says why reading failed */
};

void record_reader_start(struct record_reader *reader, int fd, enum framing framing,
                         size_t longest);

/* The next record, as soon as it is complete; waits for input. Valid until the
 * next call. Ends the process only by a signal (wait.h). */
enum record_result record_next(struct record_reader *reader, struct record *record);

/* The same from what has been read already. */
enum record_result record_take(struct record_reader *reader, struct record *record);

/* Where the record after the one handed out last begins, in bytes of a regular
 * file. */
uint64_t record_position(const struct record_reader *reader);

/* Sets a regular file's offset to the record handed out last (or past it,
 * once it is DONE with), so that another process can go on from there. */
void record_leave_offset(struct record_reader *reader, bool done);

/* Splits "NUMBER<TAB>BYTES", NUMBER from LEAST to MOST; false if malformed. */
bool record_split_prefix(struct record *record, uint64_t least, uint64_t most, uint64_t *number);

/* Adds a record to OUT, with PREFIX (or NULL) before its bytes. */
void frame_add(struct buffer *out, enum framing framing, const char *prefix, const char *bytes,
               size_t length);

/* The most bytes that frame_add adds beyond LENGTH and the prefix. */
enum { FRAME_OVERHEAD = 24 };

#endif
