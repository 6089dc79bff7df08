/* SPDX-License-Identifier: MIT
 *
 * The options table of a tool: the one source of parsing (by getopt_long(3)),
 * of --help, and of usage errors. Every tool also has --quiet, --verbose,
 * --help and --version.
 */
#ifndef IPCUTILS_OPTIONS_H
#define IPCUTILS_OPTIONS_H

#include "parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One row. Exactly one target is set; its type says how the argument is read. */
struct option_row {
    int key;              /* the letter, or from OPTION_LONG_ONLY up where there is none */
    const char *name;     /* without its dashes */
    const char *argument; /* as --help shows it; "[=ARGUMENT]" for an optional one; NULL: none */
    const char *help;

    bool *flag;  /* set to true */
    int *choice; /* set to .value */
    int value;
    uint64_t *number; /* a whole number from .least to .most */
    uint64_t *size;   /* bytes, from .least to .most */
    uint64_t least, most;
    nanoseconds *duration;
    mode_t *mode;
    const char **text; /* the argument itself */
};

/* Keys of options without a letter. */
enum { OPTION_LONG_ONLY = 256 };

struct option_conflict {
    int one, other; /* keys */
};

struct tool {
    const char *name;
    const char *operands;                    /* as in the synopsis: "QUEUE [MESSAGE]..." */
    const char *purpose;                     /* a sentence */
    const struct option_row *options;        /* ends with a row without a name; or NULL */
    const struct option_conflict *conflicts; /* ends with {0, 0}; or NULL */
    int least_operands;
    int most_operands;   /* -1: any number */
    bool data_operands;  /* options end at the first operand: what follows is taken as it is */
    const char *version; /* a further line of --version; or NULL */
    int own_failure;     /* 125 for a tool that exits with its COMMAND's status; else 0 */
};

/* Begins a tool: makes the standard descriptors safe, sets what the options
 * say, and returns the index of the first operand. Ends the process for --help
 * and --version (0) and for wrong usage (64). */
int options_parse(const struct tool *tool, int argc, char **argv);

/* Whether the option of that key was given. */
bool option_given(int key);

/* Ends the process with TEXT, a pointer to --help, and status 64. */
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
