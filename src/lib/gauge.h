/* SPDX-License-Identifier: MIT
 *
 * How full something is, as text: a bar, and a short history that a live view
 * (watch.h) builds up from look to look. Block characters where the locale has
 * UTF-8, ASCII elsewhere.
 */
#ifndef IPCUTILS_GAUGE_H
#define IPCUTILS_GAUGE_H

#include "table.h"

#include <stddef.h>

/* Fills a cell with a bar for PART of WHOLE: "####......". Empty only for 0, and
 * filled only for the whole. */
void gauge_bar(struct table *table, size_t column, unsigned long long part,
               unsigned long long whole);

/* Notes PART of WHOLE for the object NAME, and fills a cell with what there was
 * to note lately, the newest last. */
void gauge_history(struct table *table, size_t column, const char *name, unsigned long long part,
                   unsigned long long whole);

/* After each look: forgets those objects that it has not seen. */
void gauge_forget_unseen(void);

/* How a row of that fill is to stand out. */
enum mark gauge_mark(unsigned long long part, unsigned long long whole);

#endif
