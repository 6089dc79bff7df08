/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "name.h"
#include "report.h"
#include "stream.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 48, MOST_KEYS = OPTION_LONG_ONLY + MOST_OPTIONS };

static bool help_wanted, version_wanted;

static const struct option_row common_options[] = {
    {'q', "quiet", NULL, "no counts, no progress, no \"no such object\"", .flag = &reporting.quiet},
    {'v', "verbose", NULL, "say more", .flag = &reporting.verbose},
    {'h', "help", NULL, "show this help", .flag = &help_wanted},
    {'V', "version", NULL, "show the version", .flag = &version_wanted},
    {0},
};

static const struct option_row *rows[MOST_OPTIONS];
static int row_count;
static bool given[MOST_KEYS];

bool option_given(int key)
{
    return given[key];
}

_Noreturn void usage_error(const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report_let_go();
    fail(STATUS_USAGE, "%s", text);
    die(STATUS_USAGE, "try '%s --help' for more information", reporting.tool);
}

static void collect(const struct option_row *table)
{
    for (; table != NULL && table->name != NULL && row_count < MOST_OPTIONS; table++)
        rows[row_count++] = table;
}

static const struct option_row *row_of(int key)
{
    for (int i = 0; i < row_count; i++)
        if (rows[i]->key == key)
            return rows[i];
    return NULL;
}

static bool is_optional(const struct option_row *row)
{
    return row->argument != NULL && row->argument[0] == '[';
}

static void prepare_getopt(char *letters, struct option *longs, bool data_operands)
{
    /* '+': operands end the options; ':': a missing argument is told apart. */
    if (data_operands)
        *letters++ = '+';
    *letters++ = ':';
    for (int i = 0; i < row_count; i++) {
        const struct option_row *row = rows[i];
        int takes = row->argument == NULL ? no_argument
                    : is_optional(row)    ? optional_argument
                                          : required_argument;
        longs[i] = (struct option){row->name, takes, NULL, row->key};
        if (row->key >= OPTION_LONG_ONLY)
            continue;
        *letters++ = (char)row->key;
        for (int colons = 0; colons < takes; colons++)
            *letters++ = ':';
    }
    *letters = '\0';
    longs[row_count] = (struct option){0};
}

static void show_row(const struct option_row *row)
{
    enum { HELP_COLUMN = 30 };
    char left[80];
    int length;

    if (row->key < OPTION_LONG_ONLY)
        length = snprintf(left, sizeof left, "  -%c, --%s", row->key, row->name);
    else
        length = snprintf(left, sizeof left, "      --%s", row->name);
    if (row->argument != NULL)
        length += snprintf(left + length, sizeof left - (size_t)length, "%s%s",
                           is_optional(row) ? "" : "=", row->argument);
    if (length > HELP_COLUMN - 2)
        printf("%s\n%*s%s\n", left, HELP_COLUMN, "", row->help);
    else
        printf("%-*s%s\n", HELP_COLUMN, left, row->help);
}

static _Noreturn void show_help(const struct tool *tool)
{
    printf("Usage: %s [OPTION]... %s\n%s\n", tool->name, tool->operands, tool->purpose);
    if (tool->data_operands)
        printf("Options come before %.*s; what follows it is taken as it is.\n",
               (int)strcspn(tool->operands, " "), tool->operands);
    putchar('\n');
    for (int i = 0; i < row_count; i++)
        show_row(rows[i]);
    printf("\nIn full: man %s. Names, durations, sizes, statuses: man 7 ipcutils.\n", tool->name);
    exit(output_finish(STATUS_DONE));
}

static _Noreturn void show_version(const struct tool *tool)
{
    printf("%s (ipcutils) %s\n", tool->name, IPCUTILS_VERSION);
    if (tool->version != NULL)
        printf("%s\n", tool->version);
    exit(output_finish(STATUS_DONE));
}

static _Noreturn void bad_argument(const struct option_row *row, const char *argument,
                                   const char *wanted)
{
    usage_error("invalid argument '%s' for --%s: %s", shown(argument), row->name, wanted);
}

static _Noreturn void bad_range(const struct option_row *row, const char *argument,
                                const char *kind)
{
    char wanted[120];

    if (row->most == UINT64_MAX)
        snprintf(wanted, sizeof wanted, "it takes %s from %llu up", kind,
                 (unsigned long long)row->least);
    else
        snprintf(wanted, sizeof wanted, "it takes %s from %llu to %llu", kind,
                 (unsigned long long)row->least, (unsigned long long)row->most);
    bad_argument(row, argument, wanted);
}

static void set_target(const struct option_row *row, const char *argument)
{
    if (row->flag != NULL)
        *row->flag = true;
    if (row->choice != NULL)
        *row->choice = row->value;
    if (argument == NULL)
        return;
    if (row->number != NULL && !parse_number(argument, row->least, row->most, row->number))
        bad_range(row, argument, "a whole number");
    if (row->size != NULL &&
        (!parse_size(argument, row->most, row->size) || *row->size < row->least))
        bad_range(row, argument, "a size in bytes, or with K, M, G or T,");
    if (row->duration != NULL && !parse_duration(argument, row->duration))
        bad_argument(
            row, argument,
            "it takes seconds, or a number with ms, s, m, h or d (below 292 years), or inf");
    if (row->mode != NULL && !parse_mode(argument, row->mode))
        bad_argument(row, argument, "it takes permission bits in octal, 0 to 0777");
    if (row->text != NULL)
        *row->text = argument;
}

/* How many long options begin with the word that was given. */
static int beginning_so(const char *word)
{
    const char *name = word + 2;
    int count = 0;

    for (int i = 0; i < row_count && strncmp(word, "--", 2) == 0; i++)
        count += strncmp(rows[i]->name, name, strcspn(name, "=")) == 0;
    return count;
}

/* What getopt_long answered with '?' or ':'. */
static _Noreturn void bad_option(int answer, char **argv)
{
    const char *word = argv[optind - 1];
    const struct option_row *row = optopt > 0 ? row_of(optopt) : NULL;

    if (answer == ':' && row != NULL)
        usage_error("option --%s takes an argument, %s", row->name, row->argument);
    if (row != NULL)
        usage_error("option --%s takes no argument", row->name);
    if (optopt != 0 && optopt < OPTION_LONG_ONLY) { /* below 0: of a character beyond ASCII */
        const char letter[2] = {(char)optopt, '\0'};
        usage_error("no option '-%s'", shown(letter));
    }
    if (beginning_so(word) > 1)
        usage_error("option '%s' is ambiguous: more than one begins so", shown(word));
    usage_error("no option '%s'", shown(word));
}

static void refuse_conflicts(const struct tool *tool)
{
    const struct option_conflict *pair = tool->conflicts;

    for (; pair != NULL && pair->one != 0; pair++)
        if (given[pair->one] && given[pair->other])
            usage_error("options --%s and --%s contradict each other", row_of(pair->one)->name,
                        row_of(pair->other)->name);
}

static void check_operands(const struct tool *tool, int count, char **operands)
{
    if (count < tool->least_operands)
        usage_error("missing operand: %s %s", tool->name, tool->operands);
    for (int i = 1; tool->data_operands && tool->most_operands > 0 && i < tool->most_operands; i++)
        if (count > tool->most_operands && operands[i][0] == '-')
            usage_error("extra operand: '%s' is taken as data, for options come before %s",
                        shown(operands[i]), tool->operands);
    if (tool->most_operands >= 0 && count > tool->most_operands)
        usage_error("extra operand '%s': %s %s", shown(operands[tool->most_operands]), tool->name,
                    tool->operands);
}

int options_parse(const struct tool *tool, int argc, char **argv)
{
    char letters[3 * MOST_OPTIONS + 3];
    struct option longs[MOST_OPTIONS + 1];

    streams_secure();
    reporting.tool = tool->name;
    reporting.own_failure = (enum status)tool->own_failure;
    collect(tool->options);
    collect(common_options);
    prepare_getopt(letters, longs, tool->data_operands);

    opterr = 0;
    int key;
    while ((key = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct option_row *row = row_of(key);
        if (row == NULL)
            bad_option(key, argv);
        given[key] = true;
        set_target(row, optarg);
        if (help_wanted)
            show_help(tool);
        if (version_wanted)
            show_version(tool);
    }
    refuse_conflicts(tool);
    check_operands(tool, argc - optind, argv + optind);
    return optind;
}
