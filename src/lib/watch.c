/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* signalfd; TIOCGWINSZ, which POSIX.1-2024 has in another way */
#include "watch.h"

#include "options.h"
#include "report.h"
#include "stream.h"
#include "utf8.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* ECMA-48, and the alternate screen of xterm, which every terminal of today has. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define LINE_CLEAR   "\033[K"
#define SCREEN_END   "\033[J"
#define PLAIN        "\033[m"

static struct termios keys_before; /* of standard input */
static bool keys_changed;
static bool on_screen;

static void write_terminal(const char *bytes, size_t length)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (length > 0) {
        ssize_t wrote = output_write(STDOUT_FILENO, bytes, length);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return; /* a terminal that has gone sends SIGHUP */
        if (wrote > 0) {
            bytes += wrote;
            length -= (size_t)wrote;
        } else if (signals_caught() != 0 && poll(&room, 1, 0) == 0) {
            return; /* it has stalled, and is not to keep us */
        } else if (errno == EAGAIN) {
            wait_for(&room, 1, NO_LIMIT);
        }
    }
}

static void leave_screen(void)
{
    pid_t foreground = tcgetpgrp(STDIN_FILENO);

    if (on_screen)
        write_terminal(SCREEN_LEAVE, strlen(SCREEN_LEAVE));
    /* In the background it is the shell that has set the keys, and to set them would
     * stop us. */
    if (keys_changed && (foreground < 0 || foreground == getpgrp()))
        tcsetattr(STDIN_FILENO, TCSANOW, &keys_before);
    on_screen = keys_changed = false;
}

static _Noreturn void end_by_signal(void)
{
    leave_screen();
    signals_die(signals_caught());
}

static int set_keys(void *keys)
{
    return tcsetattr(STDIN_FILENO, TCSANOW, keys) == 0 ? 0 : errno;
}

/* Has each key reach us at once, unseen; signals are still those of the terminal.
 * In the background this stops until we are in the foreground, or ended. */
static void enter_screen(void)
{
    struct termios keys;
    int error = 0;

    if (tcgetattr(STDIN_FILENO, &keys_before) == 0) {
        keys = keys_before;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        keys.c_cc[VMIN] = 1;
        keys.c_cc[VTIME] = 0;
        keys_changed = wait_in_call(set_keys, &keys, NO_LIMIT, &error) == WAIT_READY && error == 0;
    }
    if (signals_caught() != 0)
        end_by_signal();
    on_screen = true;
    write_terminal(SCREEN_ENTER, strlen(SCREEN_ENTER));
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

/* The bytes of TEXT that fit into WIDTH columns; escape sequences take none. */
static size_t fitting(const char *text, size_t length, size_t width)
{
    uint32_t code_point;
    size_t i = 0;

    while (i < length) {
        if (text[i] == '\033') {
            while (i < length && text[i] != 'm')
                i++;
            i += i < length;
            continue;
        }
        size_t size = utf8_character(text + i, length - i, &code_point);
        unsigned columns = size == 0 ? 1 : utf8_columns(code_point);
        if (columns > width)
            break;
        width -= columns;
        i += size + (size == 0);
    }
    return i;
}

/* Draws as much of the TEXT as the terminal has room for, over what was there. */
static void draw(const char *text, size_t length)
{
    struct winsize size = {0};
    struct buffer screen = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    buffer_add_text(&screen, SCREEN_HOME);
    for (unsigned row = 0; length > 0 && row < size.ws_row; row++) {
        const char *newline = memchr(text, '\n', length);
        size_t line = newline == NULL ? length : (size_t)(newline - text);
        buffer_add_text(&screen, row > 0 ? "\r\n" LINE_CLEAR : LINE_CLEAR);
        buffer_add(&screen, text, fitting(text, line, size.ws_col));
        buffer_add_text(&screen, PLAIN);
        line += newline != NULL;
        text += line;
        length -= line;
    }
    buffer_add_text(&screen, SCREEN_END);
    write_terminal(screen.bytes, screen.length);
    buffer_free(&screen);
}

static int look_and_draw(struct table_style *style, int (*look)(void *context), void *context)
{
    char *text = NULL;
    size_t length = 0;

    style->stream = open_memstream(&text, &length);
    if (style->stream == NULL)
        die_of_memory();
    int result = look(context);
    if (fclose(style->stream) != 0)
        die_of_memory();
    style->stream = NULL;
    draw(text, length);
    free(text);
    return result;
}

/* Whether the user has asked for the end. */
static bool end_wanted(void)
{
    char keys[64];

    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
    return got > 0 && memchr(keys, 'q', (size_t)got) != NULL;
}

/* A descriptor that can be read once the terminal has another size, or the user
 * wants the process to stop. */
static int watch_terminal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    signals_catch();
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die(STATUS_SYSTEM, "cannot watch the terminal: %s", error_text(errno));
    return fd;
}

/* As the signal does by itself: not where it is ignored, nor where nobody could have
 * us go on. */
static void stop(void)
{
    sigset_t stopping;

    leave_screen();
    raise(SIGTSTP);
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stopping, NULL);
    sigprocmask(SIG_BLOCK, &stopping, NULL);
    enter_screen();
}

/* Another size needs no more than drawing anew. */
static void stop_if_wanted(int changes)
{
    struct signalfd_siginfo change;

    while (read(changes, &change, sizeof change) == sizeof change)
        if (change.ssi_signo == SIGTSTP)
            stop();
}

static int watch_on_screen(const struct watching *watching, struct table_style *style,
                           int (*look)(void *context), void *context)
{
    const char *no_colour = getenv("NO_COLOR"); /* no-color.org */
    bool keys = isatty(STDIN_FILENO);
    int changes = watch_terminal();

    style->colour = no_colour == NULL || no_colour[0] == '\0';
    reporting.muted = true; /* what a look says has no place on the screen */
    reporting.let_go = leave_screen;
    atexit(leave_screen);
    enter_screen();
    for (;;) {
        look_and_draw(style, look, context);
        if (signals_caught() != 0)
            end_by_signal();
        struct pollfd polled[] = {{.fd = changes, .events = POLLIN},
                                  {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN}};
        enum waited waited = wait_for(polled, 2, deadline_after(watching->interval));
        if (waited == WAIT_SIGNALLED && signals_caught() != 0)
            end_by_signal();
        if (waited != WAIT_READY)
            continue;
        if ((polled[1].revents & POLLIN) != 0 && end_wanted()) {
            leave_screen();
            return STATUS_DONE;
        }
        keys = keys && (polled[1].revents & POLLHUP) == 0;
        stop_if_wanted(changes);
    }
}

/* One table after the other, for a file or a pipe. */
static int watch_in_turn(const struct watching *watching, struct table_style *style,
                         int (*look)(void *context), void *context)
{
    bool apart = !style->json && !style->no_headings && !style->names;

    for (;;) {
        int result = look(context);
        if (fflush(stdout) != 0 || ferror(stdout))
            return result;
        struct pollfd output = {.fd = STDOUT_FILENO};
        wait_for(&output, 1, deadline_after(watching->interval)); /* or till its reader goes */
        if (output_reader_gone()) { /* which an empty table would never notice */
            raise(SIGPIPE);
            return (int)fail(STATUS_STREAM, "the reader of standard output has gone");
        }
        if (apart)
            putchar('\n');
    }
}

int watch(const struct watching *watching, struct table_style *style, int (*look)(void *context),
          void *context)
{
    const nanoseconds shortest = SECOND / 100;

    if (!watching->wanted)
        return output_finish(look(context));
    if (watching->interval < shortest)
        usage_error("--watch takes a duration of 10ms or more");
    bool screen = is_terminal() && !style->json && !style->no_headings && !style->names;
    int result = screen ? watch_on_screen(watching, style, look, context)
                        : watch_in_turn(watching, style, look, context);
    return output_finish(result);
}
