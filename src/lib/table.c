/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "json.h"
#include "name.h"
#include "options.h"
#include "owner.h"
#include "report.h"
#include "utf8.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_COLUMNS = 24 };

struct cell {
    size_t offset; /* in the table's bytes */
    uint32_t length;
    bool known;
};

struct row {
    size_t members, members_length; /* more members for JSON, in the table's bytes */
    enum mark mark;
    struct cell cells[]; /* one for each column, shown or not */
};

struct table {
    const struct column *columns;
    const struct table_style *style;
    FILE *stream;
    size_t shown[MOST_COLUMNS]; /* columns in the order wanted */
    size_t shown_count;
    size_t row_size;
    struct buffer rows; /* of struct row */
    struct buffer bytes;
};

static size_t column_of(const struct column *columns, const char *name, size_t length)
{
    size_t i = 0;

    for (; columns[i].heading != NULL; i++)
        if (strlen(columns[i].heading) == length &&
            strncasecmp(columns[i].heading, name, length) == 0)
            break;
    return i;
}

static _Noreturn void no_such_column(const struct column *columns, const char *name, size_t length)
{
    struct buffer list = {0};
    struct buffer word = {0};

    buffer_add(&word, name, length);
    buffer_add(&word, "", 1);
    for (size_t i = 0; columns[i].heading != NULL; i++)
        buffer_add_format(&list, " %s", columns[i].heading);
    buffer_add(&list, "", 1);
    usage_error("no column '%s'; there are:%s", shown(word.bytes), list.bytes);
}

static bool is_wanted(const struct table *table, size_t column)
{
    for (size_t i = 0; i < table->shown_count; i++)
        if (table->shown[i] == column)
            return true;
    return false;
}

struct table *table_new(const struct column *columns, const struct table_style *style,
                        const char *defaults)
{
    struct table *table = calloc(1, sizeof *table);
    const char *list = style->output != NULL ? style->output : defaults;

    if (table == NULL)
        die_of_memory();
    table->columns = columns;
    table->style = style;
    table->stream = style->stream != NULL ? style->stream : stdout;
    table->row_size = sizeof(struct row);
    for (size_t i = 0; columns[i].heading != NULL; i++)
        table->row_size += sizeof(struct cell);
    for (;;) {
        size_t length = strcspn(list, ",");
        size_t column = column_of(columns, list, length);
        if (columns[column].heading == NULL)
            no_such_column(columns, list, length);
        if (!is_wanted(table, column))
            table->shown[table->shown_count++] = column;
        if (list[length] == '\0')
            break;
        list += length + 1;
    }
    return table;
}

bool table_shows(const struct table *table, size_t column)
{
    return is_wanted(table, column) && (column == 0 || !table->style->names);
}

void table_leave_out(struct table *table, size_t column)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->shown_count; i++)
        if (table->shown[i] != column)
            table->shown[kept++] = table->shown[i];
    table->shown_count = kept;
}

static struct row *row_at(const struct table *table, size_t i)
{
    return (struct row *)(void *)(table->rows.bytes + i * table->row_size);
}

static size_t row_count(const struct table *table)
{
    return table->rows.length / table->row_size;
}

void table_row(struct table *table)
{
    buffer_reserve(&table->rows, table->row_size);
    memset(table->rows.bytes + table->rows.length, 0, table->row_size);
    table->rows.length += table->row_size;
}

void table_bytes(struct table *table, size_t column, const char *bytes, size_t length)
{
    struct cell *cell = &row_at(table, row_count(table) - 1)->cells[column];

    *cell = (struct cell){.known = true, .offset = table->bytes.length, .length = (uint32_t)length};
    buffer_add(&table->bytes, bytes, length);
}

void table_text(struct table *table, size_t column, const char *text)
{
    table_bytes(table, column, text, strlen(text));
}

void table_number(struct table *table, size_t column, unsigned long long number)
{
    char text[24];
    size_t first = sizeof text;

    do
        text[--first] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    table_bytes(table, column, text + first, sizeof text - first);
}

void table_mode(struct table *table, size_t column, mode_t mode)
{
    char text[4];

    for (size_t i = sizeof text; i-- > 0; mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    table_bytes(table, column, text, sizeof text);
}

void table_user(struct table *table, size_t column, uid_t user)
{
    table_text(table, column, user_text(user).text);
}

void table_group(struct table *table, size_t column, gid_t group)
{
    table_text(table, column, group_text(group).text);
}

void table_json(struct table *table, const struct buffer *members)
{
    struct row *row = row_at(table, row_count(table) - 1);

    row->members = table->bytes.length;
    row->members_length = members->length;
    buffer_add(&table->bytes, members->bytes, members->length);
}

void table_mark(struct table *table, enum mark mark)
{
    row_at(table, row_count(table) - 1)->mark = mark;
}

static void json_key(const char *heading, char key[static 32])
{
    size_t length = 0;

    for (; *heading != '\0' && length < 31; heading++)
        if (*heading != '%')
            key[length++] = *heading == '-' ? '_' : (char)tolower((unsigned char)*heading);
    key[length] = '\0';
}

static void print_json(const struct table *table, const struct row *row)
{
    struct buffer line = {0};

    json_start(&line);
    for (size_t i = 0; i < table->shown_count; i++) {
        const struct column *column = &table->columns[table->shown[i]];
        const struct cell *cell = &row->cells[table->shown[i]];
        char key[32];
        json_key(column->heading, key);
        if (!cell->known)
            json_null(&line, key);
        else if (column->number)
            json_digits(&line, key, table->bytes.bytes + cell->offset, cell->length);
        else
            json_bytes(&line, key, table->bytes.bytes + cell->offset, cell->length);
    }
    if (row->members_length > 0) {
        if (table->shown_count > 0)
            buffer_add(&line, ",", 1);
        buffer_add(&line, table->bytes.bytes + row->members, row->members_length);
    }
    json_close(&line, "}");
    buffer_add(&line, "\n", 1);
    fwrite(line.bytes, 1, line.length, table->stream);
    buffer_free(&line);
}

static void print_name(const struct table *table, const struct row *row)
{
    fwrite(table->bytes.bytes + row->cells[0].offset, 1, row->cells[0].length, table->stream);
    putc('\0', table->stream);
}

/* What a cell shows, escaped; valid until the next call. */
static const struct buffer *cell_text(const struct table *table, const struct cell *cell)
{
    static struct buffer text;

    text.length = 0;
    if (cell->known)
        show_bytes(&text, table->bytes.bytes + cell->offset, cell->length);
    else
        buffer_add(&text, "?", 1);
    return &text;
}

/* Columns on a terminal. */
static size_t width_of(const struct buffer *text)
{
    size_t width = 0;
    uint32_t code_point;

    for (size_t i = 0, size; i < text->length; i += size) {
        size = utf8_character(text->bytes + i, text->length - i, &code_point);
        width += size == 0 ? 1 : utf8_columns(code_point);
        size += size == 0;
    }
    return width;
}

static void print_tabbed(const struct table *table, const struct row *row)
{
    for (size_t i = 0; i < table->shown_count; i++) {
        const struct buffer *text = cell_text(table, &row->cells[table->shown[i]]);
        if (i > 0)
            putc('\t', table->stream);
        fwrite(text->bytes, 1, text->length, table->stream);
    }
    putc('\n', table->stream);
}

static void add_blanks(struct buffer *line, size_t count)
{
    if (count == 0)
        return;
    buffer_reserve(line, count);
    memset(line->bytes + line->length, ' ', count);
    line->length += count;
}

static void add_padded(struct buffer *line, const char *bytes, size_t length, size_t padding,
                       const struct column *column, bool last)
{
    if (column->number)
        add_blanks(line, padding);
    buffer_add(line, bytes, length);
    if (!column->number && !last)
        add_blanks(line, padding);
    if (!last)
        buffer_add(line, " ", 1);
}

static void print_line(const struct table *table, struct buffer *line)
{
    buffer_add(line, "\n", 1);
    fwrite(line->bytes, 1, line->length, table->stream);
    line->length = 0;
}

static void print_row_aligned(const struct table *table, const struct row *row,
                              const size_t *widths, struct buffer *line)
{
    static const char *const colours[] = {
        [MARK_NONE] = "", [MARK_HIGH] = "\033[33m", [MARK_FULL] = "\033[31m"};
    const char *colour = table->style->colour ? colours[row->mark] : "";

    buffer_add_text(line, colour);
    for (size_t i = 0; i < table->shown_count; i++) {
        size_t column = table->shown[i];
        const struct buffer *text = cell_text(table, &row->cells[column]);
        add_padded(line, text->bytes, text->length, widths[i] - width_of(text),
                   &table->columns[column], i + 1 == table->shown_count);
    }
    if (*colour != '\0')
        buffer_add_text(line, "\033[m");
    print_line(table, line);
}

static void print_aligned(const struct table *table)
{
    size_t widths[MOST_COLUMNS];
    struct buffer line = {0};

    for (size_t i = 0; i < table->shown_count; i++) {
        size_t column = table->shown[i];
        widths[i] = strlen(table->columns[column].heading);
        for (size_t r = 0; r < row_count(table); r++) {
            size_t width = width_of(cell_text(table, &row_at(table, r)->cells[column]));
            if (width > widths[i])
                widths[i] = width;
        }
    }
    for (size_t i = 0; i < table->shown_count; i++) {
        const struct column *column = &table->columns[table->shown[i]];
        size_t length = strlen(column->heading);
        add_padded(&line, column->heading, length, widths[i] - length, column,
                   i + 1 == table->shown_count);
    }
    print_line(table, &line);
    for (size_t r = 0; r < row_count(table); r++)
        print_row_aligned(table, row_at(table, r), widths, &line);
    buffer_free(&line);
}

void table_print(struct table *table)
{
    void (*print_row)(const struct table *, const struct row *) = NULL;

    if (table->style->names)
        print_row = print_name;
    else if (table->style->json)
        print_row = print_json;
    else if (table->style->no_headings)
        print_row = print_tabbed;
    if (print_row == NULL)
        print_aligned(table);
    for (size_t r = 0; print_row != NULL && r < row_count(table); r++)
        print_row(table, row_at(table, r));
    buffer_free(&table->rows);
    buffer_free(&table->bytes);
    free(table);
}
