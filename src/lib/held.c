/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <stdlib.h>
#include <string.h>

static bool grow_arrays(struct held *held, size_t capacity)
{
    struct message *messages = realloc(held->messages, capacity * sizeof *messages);
    if (messages == NULL)
        return false;
    held->messages = messages;
    uint64_t *ends = realloc(held->ends, capacity * sizeof *ends);
    if (ends == NULL)
        return false;
    held->ends = ends;
    held->capacity = capacity;
    return true;
}

static bool grow_store(struct held *held, size_t more)
{
    if (!buffer_try_reserve(&held->store, more))
        return false;
    memset(held->store.bytes + held->store.length, 0, held->store.capacity - held->store.length);
    return true;
}

void held_start(struct held *held, size_t header, size_t longest, size_t messages, size_t bytes)
{
    held->header = header;
    held->longest = longest;
    if (!grow_arrays(held, messages) || !grow_store(held, bytes + header + longest))
        die_of_memory();
}

void held_enlarge(struct held *held, size_t longest)
{
    held->longest = longest;
    if (!grow_store(held, 2 * (held->header + longest)))
        die_of_memory();
}

static void drop_forgotten(struct held *held)
{
    struct buffer *store = &held->store;

    held->count -= held->first;
    memmove(held->messages, held->messages + held->first, held->count * sizeof *held->messages);
    memmove(held->ends, held->ends + held->first, held->count * sizeof *held->ends);
    held->first = 0;
    store->length -= held->start;
    memmove(store->bytes, store->bytes + held->start, store->length);
    held->start = 0;
}

bool held_has_room(const struct held *held)
{
    return held->count < held->capacity &&
           held->store.capacity - held->store.length >= held->header + held->longest;
}

/* What is moved leaves half of the room free, or a quarter of all that there can
 * be, or else there is more room afterwards: no message is moved each time that
 * another one comes. */
bool held_make_room(struct held *held)
{
    drop_forgotten(held);
    bool few = held->count > held->capacity / 2;
    bool small = held->store.length > held->store.capacity / 2;
    bool grown = few && held->capacity < held->most && grow_arrays(held, 2 * held->capacity);
    if (small && held->store.capacity < held->most_bytes)
        grown = grow_store(held, held->store.capacity - held->store.length + 1) || grown;
    bool crowded =
        held->count > held->capacity / 4 * 3 || held->store.length > held->store.capacity / 4 * 3;
    if (crowded && !grown)
        return false;
    return held_has_room(held);
}

char *held_room(const struct held *held)
{
    return held->store.bytes + held->store.length;
}

const char *held_add(struct held *held, size_t length, uint64_t number)
{
    const char *bytes = held_room(held) + held->header;

    held->messages[held->count] = (struct message){.length = length, .number = number};
    held->ends[held->count++] = UINT64_MAX;
    held->store.length += held->header + length;
    return bytes;
}

void held_set_end(struct held *held, uint64_t end)
{
    held->ends[held->count - 1] = end;
}

void held_forget(struct held *held, uint64_t end, size_t but)
{
    while (held_count(held) > but && held->ends[held->first] <= end) {
        held->forgotten = held->ends[held->first];
        held->start += held->header + held->messages[held->first++].length;
    }
    if (held->first < held->count)
        return;
    held->first = held->count = 0;
    held->start = held->store.length = 0;
}

size_t held_count(const struct held *held)
{
    return held->count - held->first;
}

const struct message *held_messages(struct held *held)
{
    const char *bytes = held->store.bytes + held->start;

    for (size_t i = held->first; i < held->count; i++) {
        held->messages[i].bytes = bytes + held->header;
        bytes += held->header + held->messages[i].length;
    }
    return held->messages + held->first;
}
