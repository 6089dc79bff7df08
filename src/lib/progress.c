/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "report.h"
#include "wait.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL (SECOND / 10)

static bool active;
static const char *unit;
static nanoseconds last; /* when it was drawn */
static uint64_t last_done;

void progress_start(const char *counted)
{
    const char *terminal = getenv("TERM");

    active = reporting.verbose && isatty(STDERR_FILENO) && terminal != NULL &&
             strcmp(terminal, "dumb") != 0;
    unit = counted;
    last_done = 0;
    if (active)
        last = clock_now();
}

/* For people: "1.5 GiB", "310". */
static void add_amount(char *text, size_t size, double amount, bool bytes)
{
    static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti"};
    size_t step = 0;

    for (; bytes && amount >= 1000 && step < 4; step++)
        amount /= 1024;
    snprintf(text, size, step > 0 && amount < 10 ? "%.1f%s%s%s" : "%.0f%s%s%s", amount,
             bytes ? " " : "", prefixes[step], bytes ? "B" : "");
}

static void draw(uint64_t done, uint64_t part, uint64_t whole, nanoseconds span)
{
    bool bytes = strcmp(unit, "byte") == 0;
    char line[160], amount[32], rate[32], share[16] = "";

    add_amount(amount, sizeof amount, (double)done, bytes);
    add_amount(rate, sizeof rate, (double)(done - last_done) * (double)SECOND / (double)span,
               bytes);
    if (whole > 0)
        snprintf(share, sizeof share, ", %.0f %%", 100.0 * (double)part / (double)whole);
    int length =
        snprintf(line, sizeof line, "\r%s: %s%s%s%s, %s/s%s\033[K", reporting.tool, amount,
                 bytes ? "" : " ", bytes ? "" : unit, bytes ? "" : plural(done), rate, share);
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)length);
    (void)ignored;
    reporting.line_begun = true;
}

void progress_show(uint64_t done, uint64_t part, uint64_t whole)
{
    if (!active)
        return;
    nanoseconds now = clock_now();
    if (now - last < INTERVAL || !report_has_room(0)) /* Ctrl-S stops the terminal, not us */
        return;
    draw(done, part, whole, now - last);
    last = now;
    last_done = done;
}

void progress_end(void)
{
    if (active)
        report_clear_line();
    active = false;
}
