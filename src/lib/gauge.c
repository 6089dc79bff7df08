/* SPDX-License-Identifier: MIT */
#include "gauge.h"

#include "buffer.h"
#include "name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BAR_LENGTH = 10, HISTORY_LENGTH = 16, LEVELS = 8 };

struct history {
    char name[NAME_LONGEST + 2]; /* its start, where it is a longer path */
    bool seen;
    size_t count;                         /* of levels noted */
    unsigned char levels[HISTORY_LENGTH]; /* 0 to LEVELS - 1 */
};

static struct buffer histories; /* of struct history */

static struct history *history_at(size_t i)
{
    return (struct history *)(void *)histories.bytes + i;
}

static size_t history_count(void)
{
    return histories.length / sizeof(struct history);
}

/* PART of WHOLE on a scale of STEPS: its ends are for the very ends. */
static size_t scaled(unsigned long long part, unsigned long long whole, size_t steps)
{
    if (part == 0 || whole == 0)
        return 0;
    if (part >= whole)
        return steps;
    size_t step = (size_t)((double)part / (double)whole * (double)steps);
    return step == 0 ? 1 : step == steps ? steps - 1 : step;
}

void gauge_bar(struct table *table, size_t column, unsigned long long part,
               unsigned long long whole)
{
    bool blocks = terminal_is_utf8();
    size_t filled = scaled(part, whole, BAR_LENGTH);
    char text[3 * BAR_LENGTH + 1] = "";

    for (size_t i = 0; i < BAR_LENGTH; i++)
        strcat(text, i < filled ? (blocks ? "\u2588" : "#") : (blocks ? "\u2591" : "."));
    table_text(table, column, text);
}

static struct history *history_of(const char *name)
{
    struct history fresh = {0};

    for (size_t i = 0; i < history_count(); i++)
        if (strncmp(history_at(i)->name, name, sizeof history_at(i)->name - 1) == 0)
            return history_at(i);
    snprintf(fresh.name, sizeof fresh.name, "%s", name);
    buffer_add(&histories, &fresh, sizeof fresh);
    return history_at(history_count() - 1);
}

void gauge_history(struct table *table, size_t column, const char *name, unsigned long long part,
                   unsigned long long whole)
{
    static const char *const blocks[LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                               "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const ascii[LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    const char *const *signs = terminal_is_utf8() ? blocks : ascii;
    char text[3 * HISTORY_LENGTH + 1] = "";

    if (!table_shows(table, column))
        return;
    struct history *history = history_of(name);
    if (!history->seen && history->count == HISTORY_LENGTH)
        memmove(history->levels, history->levels + 1, --history->count);
    if (!history->seen) /* else this look has another row for it */
        history->levels[history->count++] = (unsigned char)scaled(part, whole, LEVELS - 1);
    history->seen = true;
    for (size_t i = 0; i < history->count; i++)
        strcat(text, signs[history->levels[i]]);
    table_text(table, column, text);
}

void gauge_forget_unseen(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < history_count(); i++) {
        if (!history_at(i)->seen)
            continue;
        history_at(i)->seen = false;
        if (kept != i)
            *history_at(kept) = *history_at(i);
        kept++;
    }
    histories.length = kept * sizeof(struct history);
}

enum mark gauge_mark(unsigned long long part, unsigned long long whole)
{
    if (whole > 0 && part >= whole)
        return MARK_FULL;
    return (double)part >= 0.8 * (double)whole && part > 0 ? MARK_HIGH : MARK_NONE;
}
