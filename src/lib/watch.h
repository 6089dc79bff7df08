/* SPDX-License-Identifier: MIT
 *
 * The live view of the inspecting tools: a table drawn again and again, in
 * place on a terminal, one after the other elsewhere.
 */
#ifndef IPCUTILS_WATCH_H
#define IPCUTILS_WATCH_H

#include "table.h"
#include "wait.h"

#include <stdbool.h>

/* What a user says about it. */
struct watching {
    bool wanted;
    nanoseconds interval;
};

/* clang-format off */
#define WATCHING_DEFAULT {.interval = SECOND}
/* clang-format on */

/* The row of an options table (options.h) that sets the struct watching W. */
#define OPTION_WATCH(w)                                                                            \
    {                                                                                              \
        'w', "watch", "[=DURATION]", "again every second, or -w0.5 for twice; q ends",             \
            .flag = &(w).wanted, .duration = &(w).interval                                         \
    }

/* What contradicts each other in every inspecting tool, its --processes too. */
/* clang-format off */
#define INSPECTING_CONFLICTS {'j', 'H'}, {'j', '0'}, {'H', '0'}, {'p', '0'}, {'w', '0'}
/* clang-format on */

/* Calls LOOK, which prints a table of STYLE, once; or, if it is wanted, until
 * the user ends it: with q, or by a signal, of which the process dies. Returns
 * the status for the end of main. Ends the process (64) if the interval is too
 * short to be of use. */
int watch(const struct watching *watching, struct table_style *style, int (*look)(void *context),
          void *context);

#endif
