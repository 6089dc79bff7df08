/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "wait.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct reporting reporting = {.tool = "ipcutils"};

bool report_has_room(int milliseconds)
{
    struct pollfd error = {.fd = STDERR_FILENO, .events = POLLOUT};
    int ready = poll(&error, 1, milliseconds);

    return ready > 0 || (ready < 0 && errno != EINTR);
}

void report_clear_line(void)
{
    static const char clear[] = "\r\033[K";

    if (!reporting.line_begun || !report_has_room(0))
        return;
    reporting.line_begun = false;
    ssize_t ignored = write(STDERR_FILENO, clear, sizeof clear - 1);
    (void)ignored;
}

/* Standard error may be a pipe whose reader has stalled. It is waited for, but not
 * for ever once a signal asks for the end: what is in hand is worth more than a line. */
static bool wait_for_room(void)
{
    static int tenths_left = 10; /* of a second, for all lines together */

    while (!report_has_room(100))
        if (signals_end_wanted() && tenths_left-- <= 0)
            return false;
    return true;
}

/* write(2) without its signals: whether a line can be said must not decide what
 * becomes of the rest. */
static ssize_t write_unharmed(const char *bytes, size_t length)
{
    static const struct timespec none;
    sigset_t both, pending, before;

    sigemptyset(&both);
    sigaddset(&both, SIGPIPE);
    sigaddset(&both, SIGXFSZ);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, &both, &before);
    ssize_t wrote = write(STDERR_FILENO, bytes, length);
    if (wrote < 0 && (errno == EPIPE || errno == EFBIG)) {
        int sent = errno == EPIPE ? SIGPIPE : SIGXFSZ;
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, sent);
        if (!sigismember(&pending, sent))
            sigtimedwait(&only, NULL, &none);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return wrote;
}

/* One write per line (but for what a full pipe leaves), so that the lines of
 * tools that run side by side do not mix. There is nobody to tell of a standard error
 * that fails. */
static void write_line(const char *format, va_list arguments)
{
    char line[4096];
    size_t room = sizeof line - 1; /* for the newline */

    report_clear_line();
    int prefix = snprintf(line, room, "%s: ", reporting.tool);
    size_t length = prefix > 0 ? (size_t)prefix : 0;
    int text = vsnprintf(line + length, room - length, format, arguments);
    if (text > 0)
        length += (size_t)text;
    if (length > room - 1)
        length = room - 1;
    line[length++] = '\n';
    ssize_t wrote = 0;
    for (size_t start = 0; start < length && wait_for_room(); start += (size_t)wrote) {
        wrote = write_unharmed(line + start, length - start);
        if (wrote <= 0)
            return;
    }
}

enum status fail(enum status status, const char *format, ...)
{
    va_list arguments;

    if (reporting.muted || (reporting.quiet && status == STATUS_NO_OBJECT))
        return status;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
    return status;
}

void report_let_go(void)
{
    if (reporting.let_go != NULL)
        reporting.let_go();
    reporting.muted = false;
}

_Noreturn void die(enum status status, const char *format, ...)
{
    va_list arguments;

    report_let_go();
    if (!reporting.quiet || status != STATUS_NO_OBJECT) {
        va_start(arguments, format);
        write_line(format, arguments);
        va_end(arguments);
    }
    quit(status);
}

_Noreturn void quit(enum status status)
{
    if (reporting.rescue != NULL) {
        enum status (*rescue)(void) = reporting.rescue;
        reporting.rescue = NULL; /* it may die in its turn */
        enum status saved = rescue();
        if (saved != STATUS_DONE)
            exit((int)saved);
    }
    exit((int)(reporting.own_failure != 0 ? reporting.own_failure : status));
}

_Noreturn void die_of_memory(void)
{
    die(STATUS_SYSTEM, "out of memory");
}

void note(const char *format, ...)
{
    va_list arguments;

    if (reporting.quiet || reporting.muted)
        return;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void remark(const char *format, ...)
{
    va_list arguments;

    if (!reporting.verbose || reporting.muted)
        return;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

enum status status_of_error(int error)
{
    switch (error) {
    case ENOENT:
        return STATUS_NO_OBJECT;
    case EEXIST:
        return STATUS_EXISTS;
    case EACCES:
    case EPERM:
        return STATUS_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_LIMIT;
    default:
        return STATUS_SYSTEM;
    }
}

enum status status_of_system_error(int error)
{
    return error == ENOENT ? STATUS_SYSTEM : status_of_error(error);
}

const char *error_text(int error)
{
    static char text[128];

    if (error == EACCES || error == EPERM)
        return "permission denied";
    snprintf(text, sizeof text, "%s", strerror(error));
    if (islower((unsigned char)text[1])) /* not "I/O error" */
        text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

const char *plural(unsigned long long count)
{
    return count == 1 ? "" : "s";
}
