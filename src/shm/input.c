/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "bulk.h"
#include "copy.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct input input_of_operand(const char *data, bool string)
{
    return (struct input){
        .bytes = data, .size = strlen(data) + (string ? 1 : 0), .draft = {.fd = -1}};
}

/* 0 at the end of standard input. */
static size_t read_some(char *bytes, size_t room)
{
    ssize_t got;

    do {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        wait_for(&input, 1, NO_LIMIT);
        got = read(STDIN_FILENO, bytes, room);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0)
        die(STATUS_STREAM, "cannot read standard input: %s", error_text(errno));
    return (size_t)got;
}

/* Fills BYTES unless standard input ends before. A string gets its NUL, for
 * which there is room, at that end. */
static size_t read_block(char *bytes, size_t room, bool string, bool *ended)
{
    size_t length = 0;
    size_t got;

    *ended = false;
    while (length < room && !*ended) {
        got = read_some(bytes + length, room - length);
        if (string && memchr(bytes + length, '\0', got) != NULL)
            die(STATUS_DATA, "standard input has a NUL in it, and is no C string; "
                             "without --string it is taken as it is");
        length += got;
        *ended = got == 0;
    }
    if (*ended && string)
        bytes[length++] = '\0';
    return length;
}

static _Noreturn void no_room(struct input *input, const struct name *name, size_t more, int error)
{
    draft_discard(&input->draft); /* and its memory is free again */
    exit((int)object_no_room("gather the input for", name, input->size + more, error));
}

static void keep_in_draft(struct input *input, const struct name *name, const char *bytes,
                          size_t length)
{
    int error = bulk_write_at(input->draft.fd, bytes, length, input->size);

    if (error != 0)
        no_room(input, name, length, error);
    input->size += length;
}

static void gather(struct input *input, const struct name *name, bool string)
{
    char *bytes = malloc(OBJECT_IN_MEMORY + 1);
    bool ended;

    if (bytes == NULL)
        die_of_memory();
    size_t length = read_block(bytes, OBJECT_IN_MEMORY, string, &ended);
    if (ended) {
        input->bytes = bytes;
        input->size = length;
        return;
    }
    int error = draft_start_scratch(&input->draft, name);
    if (error != 0)
        no_room(input, name, length, error);
    progress_start("byte");
    keep_in_draft(input, name, bytes, length);
    while (!ended) {
        length = read_block(bytes, OBJECT_CHUNK, string, &ended);
        keep_in_draft(input, name, bytes, length);
        progress_show(input->size, 0, 0);
    }
    progress_end();
    free(bytes);
}

/* Reading the object while it is written would read what was written. */
static bool is_object(const struct stat *input, const struct name *name)
{
    struct stat object;

    return object_look(name, &object) == 0 && object.st_dev == input->st_dev &&
           object.st_ino == input->st_ino;
}

struct input input_of_stdin(const struct name *name, bool string)
{
    struct input input = {.draft = {.fd = -1}};
    struct stat status;

    if (isatty(STDIN_FILENO))
        note("reading from the terminal; Ctrl-D ends");
    if (!string && fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
        !file_may_stall(STDIN_FILENO) && !is_object(&status, name)) {
        input.start = lseek(STDIN_FILENO, 0, SEEK_CUR);
        if (input.start >= 0 && status.st_size > input.start) {
            input.size = (uint64_t)(status.st_size - input.start);
            return input;
        }
    }
    gather(&input, name, string); /* also a file of /proc, which has no size */
    return input;
}

uint64_t input_write(const struct input *input, int fd, uint64_t at)
{
    if (input->bytes != NULL) {
        errno = bulk_write_at(fd, input->bytes, (size_t)input->size, at);
        return errno == 0 ? input->size : 0;
    }
    int from = input->draft.fd >= 0 ? input->draft.fd : STDIN_FILENO;
    off_t start = input->draft.fd >= 0 ? 0 : input->start;
    if (lseek(from, start, SEEK_SET) < 0)
        return 0;
    return bulk_copy(from, fd, at, input->size);
}
