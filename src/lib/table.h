/* SPDX-License-Identifier: MIT
 *
 * What the inspecting tools print: aligned columns, columns between TABs, JSON
 * Lines, or raw names; and the choice of columns.
 */
#ifndef IPCUTILS_TABLE_H
#define IPCUTILS_TABLE_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* What a user says about a table. */
struct table_style {
    bool json;
    bool no_headings;   /* and one TAB between columns, no padding */
    bool names;         /* the first column only, raw, each ending in NUL */
    const char *output; /* the columns wanted, by name, between commas; NULL: all */
    bool colour;        /* of the rows that table_mark marks, by ECMA-48 */
    FILE *stream;       /* where it is printed; NULL: standard output */
};

/* The rows of an options table (options.h) that set the struct table_style S. */
#define OPTION_JSON(s)                                                                             \
    {                                                                                              \
        'j', "json", NULL, "JSON Lines", .flag = &(s).json                                         \
    }
#define OPTION_NOHEADINGS(s)                                                                       \
    {                                                                                              \
        'H', "noheadings", NULL, "no heading, one TAB between columns", .flag = &(s).no_headings   \
    }
#define OPTION_OUTPUT(s)                                                                           \
    {                                                                                              \
        'o', "output", "LIST", "these columns only, in this order", .text = &(s).output            \
    }
#define OPTION_NAMES(s)                                                                            \
    {                                                                                              \
        '0', "null", NULL, "raw names only, each ending in NUL", .flag = &(s).names                \
    }

/* A column; in JSON its key is the heading in lower case, without "%". */
struct column {
    const char *heading;
    bool number; /* aligned to the right, and a number in JSON */
};

struct table;

/* COLUMNS ends with a row without a heading; DEFAULTS are the columns shown
 * where the style names none. Ends the process (64) if the style names a
 * column that is not there. */
struct table *table_new(const struct column *columns, const struct table_style *style,
                        const char *defaults);

/* Whether that column is among those to be shown. */
bool table_shows(const struct table *table, size_t column);

/* For a column that JSON shows in another way. */
void table_leave_out(struct table *table, size_t column);

/* Begins a row. A cell that is not filled is unknown: "?", in JSON null. */
void table_row(struct table *table);
void table_bytes(struct table *table, size_t column, const char *bytes, size_t length);
void table_text(struct table *table, size_t column, const char *text);
void table_number(struct table *table, size_t column, unsigned long long number);
void table_mode(struct table *table, size_t column, mode_t mode);
void table_user(struct table *table, size_t column, uid_t user);
void table_group(struct table *table, size_t column, gid_t group);

/* Adds members, written with json.h, to the row's object in JSON. */
void table_json(struct table *table, const struct buffer *members);

/* How a row is to stand out. */
enum mark {
    MARK_NONE,
    MARK_HIGH, /* nearly full */
    MARK_FULL
};
void table_mark(struct table *table, enum mark mark);

/* Prints all rows and frees the table. */
void table_print(struct table *table);

#endif
