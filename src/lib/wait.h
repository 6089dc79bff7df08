/* SPDX-License-Identifier: MIT
 *
 * Waiting: to deadlines on CLOCK_MONOTONIC, which no clock step moves, and
 * with the signals that end a tool (SIGHUP, SIGINT, SIGQUIT, SIGTERM) held at
 * all times but while it waits, when there is nothing in its hands.
 */
#ifndef IPCUTILS_WAIT_H
#define IPCUTILS_WAIT_H

#include "parse.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

/* What a user says about waiting. */
struct patience {
    bool nonblock;       /* do not wait at all */
    bool await;          /* wait for the object to appear */
    nanoseconds timeout; /* for each wait */
};

/* clang-format off */
#define PATIENCE_DEFAULT {.timeout = NO_LIMIT}
/* clang-format on */

/* The rows of an options table (options.h) that set the struct patience P. */
#define OPTION_NONBLOCK(p)                                                                         \
    {                                                                                              \
        'n', "nonblock", NULL, "do not wait: exit 1 at once instead", .flag = &(p).nonblock        \
    }
#define OPTION_TIMEOUT(p)                                                                          \
    {                                                                                              \
        't', "timeout", "DURATION", "wait at most this long each time, then exit 124",             \
            .duration = &(p).timeout                                                               \
    }
#define OPTION_AWAIT(p, what)                                                                      \
    {                                                                                              \
        'a', "await", NULL, "wait for the " what " to exist", .flag = &(p).await                   \
    }

/* Now, on CLOCK_MONOTONIC. */
nanoseconds clock_now(void);

/* The deadline of a wait of TIMEOUT that begins now. */
nanoseconds deadline_after(nanoseconds timeout);

/* The earlier of DEADLINE and SPAN from now: for looking again meanwhile. */
nanoseconds deadline_within(nanoseconds deadline, nanoseconds span);

enum waited { WAIT_READY, WAIT_TIMED_OUT, WAIT_SIGNALLED };

/* Blocks the signals that end a tool from here on, except inside the waits
 * below, where their default action ends the process. Once is enough: what was
 * the mask before the first call stays known. */
void signals_hold(void);

/* The same, but a signal during a wait makes it return WAIT_SIGNALLED: for a
 * tool that has something to put back first. One that was ignored when the
 * tool started stays ignored. */
void signals_catch(void);

/* Has the end of a child end every wait, as WAIT_SIGNALLED without a caught
 * signal, until signals_children_seen: call that before waitpid(2). */
void signals_watch_children(void);
void signals_children_seen(void);

/* The last signal caught, 0 if there was none; how many there were; whether the
 * last is signal_from_terminal. */
int signals_caught(void);
int signals_count(void);
bool signals_caught_from_terminal(void);

/* Whether the terminal has sent a signal to all of its foreground processes, a
 * COMMAND too: Ctrl-C, say. When the terminal goes, it tells only the leader of
 * the session (credentials(7)). */
bool signal_from_terminal(const siginfo_t *info);

/* Lets held signals act now. True if one has been caught. Needed wherever a
 * tool may go on for long without waiting: a wait whose descriptors are ready
 * at once delivers no signal. */
bool signals_checkpoint(void);

/* SIGPIPE and SIGXFSZ come back as errors of the write from here on: for a tool that
 * has something to give back. A COMMAND gets them as they were. */
void signals_survive_writes(void);

/* Whether a signal that ends a tool has been caught, or waits to be. */
bool signals_end_wanted(void);

/* Ends the process by SIGNAL, as the sender of the signal meant. */
_Noreturn void signals_die(int signal);

/* The signal mask that the tool was started with, for a COMMAND. */
const sigset_t *signals_original(void);

/* Waits for any of the descriptors or for the deadline. */
enum waited wait_for(struct pollfd *descriptors, nfds_t count, nanoseconds deadline);

/* Looking again at growing intervals, where there is no event to wait for. */
struct pause {
    nanoseconds last;
};

/* The next interval: 1 ms, doubling up to LONGEST. */
nanoseconds pause_next(struct pause *pause, nanoseconds longest);

/* Sleeps for the next interval, at most to the
 * deadline; WAIT_READY when it is time to look again, WAIT_TIMED_OUT only if
 * the deadline had passed before the sleep. */
enum waited pause_before_looking(struct pause *pause, nanoseconds longest, nanoseconds deadline);

/* The same for a tool that has nothing to put back: false only if the deadline
 * had passed; a caught signal ends the process. */
bool pause_or_die(struct pause *pause, nanoseconds longest, nanoseconds deadline);

/* Waits inside a system call that gives no descriptor to poll: sem_wait(3),
 * msgsnd(2), msgrcv(2), flock(2), or the read(2) of a pipe that others read. ATTEMPT makes the call
 * with CONTEXT and returns 0 or an errno value; it is made again after EINTR, until the deadline or
 * a signal. WAIT_READY if it came back with anything but EINTR, which is in *ERROR: what it took is
 * honoured, although a signal may have been caught at the same time (ask signals_caught). Signals
 * that are held and not caught end the process. */
enum waited wait_in_call(int (*attempt)(void *context), void *context, nanoseconds deadline,
                         int *error);

#endif
