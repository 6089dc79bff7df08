/* SPDX-License-Identifier: MIT
 *
 * What a tool says on standard error, and the one table of exit statuses,
 * which ipcutils(7) explains to the user.
 */
#ifndef IPCUTILS_REPORT_H
#define IPCUTILS_REPORT_H

#include <stdbool.h>

/* The values up to 77 are those of <sysexits.h>, which POSIX does not have;
 * 124 to 127 are those of timeout(1) and env(1). */
enum status {
    STATUS_DONE = 0,
    STATUS_WOULD_WAIT = 1,      /* asked not to wait, and would have to */
    STATUS_USAGE = 64,          /* option, name, number or mode */
    STATUS_DATA = 65,           /* message too big, malformed record, wrong kind of object */
    STATUS_NO_OBJECT = 66,      /* no object of that name */
    STATUS_GONE = 69,           /* object removed, or peer gone, while in use */
    STATUS_SYSTEM = 71,         /* any other error of the system */
    STATUS_EXISTS = 73,         /* cannot create what is there already */
    STATUS_STREAM = 74,         /* standard input or output; nothing was taken */
    STATUS_LIMIT = 75,          /* a limit was reached, and is named */
    STATUS_PERMISSION = 77,     /* permission denied */
    STATUS_SAVED = 80,          /* taken, not delivered, and put back or kept in a file */
    STATUS_PARTIAL = 81,        /* delivered in part */
    STATUS_LOST = 82,           /* taken and lost */
    STATUS_DEAD_LETTERED = 123, /* mqrun: done, with messages in the dead-letter queue */
    STATUS_TIMED_OUT = 124,
    STATUS_RUN_FAILED = 125, /* a tool that runs a COMMAND failed itself */
    STATUS_CANNOT_RUN = 126, /* COMMAND was found and could not be run */
    STATUS_NOT_FOUND = 127   /* COMMAND was not found */
};

/* Set once, while the options are parsed. */
struct reporting {
    const char *tool;        /* prefix of every line */
    bool quiet;              /* --quiet: no counts, no "no such object" */
    bool verbose;            /* --verbose */
    bool muted;              /* only die() speaks: the terminal shows something else */
    bool line_begun;         /* progress.h has drawn a line that other lines must not follow */
    void (*let_go)(void);    /* called by die() before its line: gives the terminal back */
    enum status own_failure; /* if not 0, what die() exits with instead (shmrun, semrun, piperun) */
    enum status (*rescue)(void); /* called by die() while messages may be in hand: saves them;
                                    a status other than 0 is exited with instead */
};
extern struct reporting reporting;

/* Writes "TOOL: TEXT" as one line and returns STATUS, for a tool that goes on
 * to its next operand. Silent for STATUS_NO_OBJECT under --quiet. */
enum status fail(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, and ends the process, after a rescue of what is in hand. */
_Noreturn void die(enum status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives the terminal back, for the last words. */
void report_let_go(void);

/* Ends the process as die() does, after fail() has said why. */
_Noreturn void quit(enum status status);

/* Ends the process for want of memory. */
_Noreturn void die_of_memory(void);

/* A count or hint: silent under --quiet. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Said only under --verbose. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether standard error takes a line within that time. */
bool report_has_room(int milliseconds);

/* Takes away a line that progress.h has drawn. */
void report_clear_line(void);

/* The status for an errno value that has no better translation. */
enum status status_of_error(int error);

/* The same for what the system is to have, such as /proc: there it is no object of
 * the user's that is missing. */
enum status status_of_system_error(int error);

/* What an errno value means, as the end of a message: one wording for what the
 * kernel refuses, else that of strerror(3) in lower case. Valid until the next call. */
const char *error_text(int error);

/* "s", or nothing where COUNT is 1: for "3 messages". */
const char *plural(unsigned long long count);

#endif
