/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* ppoll; POSIX.1-2024 has it */
#include "wait.h"

#include "limit.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

static sigset_t original_mask; /* as at the start of the process */
static sigset_t waiting_mask;  /* inside a wait */
static bool holding, catching;
static bool watching_children;
static volatile sig_atomic_t caught;
static volatile sig_atomic_t caught_count;
static volatile sig_atomic_t caught_from_terminal;
static volatile sig_atomic_t child_ended; /* and has not been looked for since */
static timer_t alarm_clock;               /* of the call that waits, on CLOCK_MONOTONIC */
static volatile sig_atomic_t in_call;

nanoseconds clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

nanoseconds deadline_after(nanoseconds timeout)
{
    if (timeout == NO_LIMIT)
        return NO_LIMIT;
    nanoseconds now = clock_now();
    return timeout > NO_LIMIT - now ? NO_LIMIT : now + timeout;
}

nanoseconds deadline_within(nanoseconds deadline, nanoseconds span)
{
    nanoseconds soon = deadline_after(span);

    return soon < deadline ? soon : deadline;
}

void signals_hold(void)
{
    sigset_t held;

    if (holding)
        return;
    sigemptyset(&held);
    for (int i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&held, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &held, &original_mask);
    waiting_mask = original_mask;
    holding = true;
}

/* From INSTANT on (absolute; 0: never), again and again: an alarm just before
 * the call sleeps would interrupt nothing. Safe in a signal handler. */
static void set_alarm(nanoseconds instant)
{
    const struct itimerspec alarms = {
        .it_value = {.tv_sec = instant / SECOND, .tv_nsec = instant % SECOND},
        .it_interval = {.tv_nsec = SECOND / 200},
    };

    timer_settime(alarm_clock, TIMER_ABSTIME, &alarms, NULL);
}

bool signal_from_terminal(const siginfo_t *info)
{
    bool to_leader_alone = info->si_signo == SIGHUP && getsid(0) == getpid();

    return info->si_code == SI_KERNEL && !to_leader_alone;
}

static void remember(int signal, siginfo_t *info, void *context)
{
    int error = errno;

    (void)context;
    caught = signal;
    caught_count++;
    caught_from_terminal = signal_from_terminal(info);
    if (in_call)
        set_alarm(1); /* long past: at once */
    errno = error;
}

static void note_child(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    child_ended = 1;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct sigaction before;

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, &before);
    /* Between the two calls the handler cannot run: the signal is held, or only a
     * write of ours can send it. */
    if (before.sa_handler == SIG_IGN && signal != SIGCHLD)
        sigaction(signal, &before, NULL);
}

void signals_catch(void)
{
    signals_hold();
    for (int i = 0; i < ENDING_SIGNALS; i++)
        handle(ending_signals[i], remember);
    catching = true;
}

void signals_watch_children(void)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    sigdelset(&waiting_mask, SIGCHLD);
    watching_children = true;
    /* Inherited as ignored, it would make waitpid(2) say ECHILD. */
    handle(SIGCHLD, note_child);
}

void signals_children_seen(void)
{
    child_ended = 0;
}

int signals_caught(void)
{
    return caught;
}

int signals_count(void)
{
    return caught_count;
}

bool signals_caught_from_terminal(void)
{
    return caught_from_terminal;
}

bool signals_checkpoint(void)
{
    static const struct timespec none;

    if (holding)
        ppoll(NULL, 0, &none, &waiting_mask);
    return caught != 0;
}

static void nothing(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
}

static bool is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* By handlers, since exec resets those. */
void signals_survive_writes(void)
{
    handle(SIGPIPE, nothing);
    handle(SIGXFSZ, nothing);
}

bool signals_end_wanted(void)
{
    sigset_t pending;

    if (caught != 0 || sigpending(&pending) != 0)
        return caught != 0;
    for (int i = 0; i < ENDING_SIGNALS; i++) /* one that is ignored, too, is pending while held */
        if (sigismember(&pending, ending_signals[i]) && !is_ignored(ending_signals[i]))
            return true;
    return false;
}

_Noreturn void signals_die(int signal)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t only;

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    sigemptyset(&only);
    sigaddset(&only, signal);
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    _exit(128 + signal);
}

const sigset_t *signals_original(void)
{
    return &original_mask;
}

enum waited wait_for(struct pollfd *descriptors, nfds_t count, nanoseconds deadline)
{
    /* SIGCHLD may have been delivered at a checkpoint; it is blocked here. */
    if (child_ended)
        return WAIT_SIGNALLED;
    for (;;) {
        struct timespec left;
        struct timespec *limit = NULL;
        if (deadline != NO_LIMIT) {
            nanoseconds span = deadline - clock_now();
            if (span < 0)
                span = 0;
            left = (struct timespec){.tv_sec = span / SECOND, .tv_nsec = span % SECOND};
            limit = &left;
        }
        int ready = ppoll(descriptors, count, limit, holding ? &waiting_mask : NULL);
        if (ready > 0)
            return WAIT_READY;
        if (ready == 0)
            return WAIT_TIMED_OUT;
        if (errno != EINTR && errno != EAGAIN && errno != ENOMEM)
            die(STATUS_SYSTEM, "cannot wait: %s", error_text(errno));
        if (errno == EINTR && (caught != 0 || watching_children))
            return WAIT_SIGNALLED;
    }
}

nanoseconds pause_next(struct pause *pause, nanoseconds longest)
{
    pause->last = pause->last == 0 ? SECOND / 1000 : pause->last * 2;
    if (pause->last > longest)
        pause->last = longest;
    return pause->last;
}

enum waited pause_before_looking(struct pause *pause, nanoseconds longest, nanoseconds deadline)
{
    if (deadline != NO_LIMIT && clock_now() >= deadline)
        return WAIT_TIMED_OUT;
    enum waited waited = wait_for(NULL, 0, deadline_within(deadline, pause_next(pause, longest)));
    return waited == WAIT_SIGNALLED ? WAIT_SIGNALLED : WAIT_READY;
}

bool pause_or_die(struct pause *pause, nanoseconds longest, nanoseconds deadline)
{
    enum waited waited = pause_before_looking(pause, longest, deadline);

    if (waited == WAIT_SIGNALLED && signals_caught() != 0)
        signals_die(signals_caught());
    return waited != WAIT_TIMED_OUT;
}

/* Not SIGALRM: another program may have set that to end the tool. */
#define ALARM_SIGNAL SIGRTMIN

/* Only to be delivered: that is what ends the call. */
static void interrupt(int signal)
{
    (void)signal;
}

static void make_alarm_clock(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = ALARM_SIGNAL};
    static bool made;

    if (made || timer_create(CLOCK_MONOTONIC, &event, &alarm_clock) == 0) {
        made = true;
        return;
    }
    if (errno != EAGAIN)
        die(STATUS_SYSTEM, "cannot make a timer: %s", error_text(errno));
    die(STATUS_LIMIT,
        "cannot make a timer: RLIMIT_SIGPENDING (ulimit -i) allows this user %llu timers and "
        "signals, all of which are in use",
        (unsigned long long)resource_limit(RLIMIT_SIGPENDING));
}

static void start_alarms(nanoseconds deadline, sigset_t *inside, struct sigaction *before)
{
    struct sigaction on_alarm = {.sa_handler = interrupt};

    make_alarm_clock();
    sigemptyset(&on_alarm.sa_mask);
    sigaction(ALARM_SIGNAL, &on_alarm, before);
    sigdelset(inside, ALARM_SIGNAL);
    in_call = true;
    if (caught != 0 || deadline != NO_LIMIT)
        set_alarm(caught != 0 || deadline <= 0 ? 1 : deadline);
}

/* The alarm last: none may be pending when its handler goes. */
static void stop_alarms(const sigset_t *outside, const struct sigaction *before)
{
    sigset_t only_alarm = *outside;

    sigdelset(&only_alarm, ALARM_SIGNAL);
    sigprocmask(SIG_SETMASK, &only_alarm, NULL);
    in_call = false;
    set_alarm(0);
    sigprocmask(SIG_SETMASK, outside, NULL);
    sigaction(ALARM_SIGNAL, before, NULL);
}

enum waited wait_in_call(int (*attempt)(void *context), void *context, nanoseconds deadline,
                         int *error)
{
    /* Else a signal ends the process, and nothing else has to end the call. */
    bool alarmed = catching || deadline != NO_LIMIT;
    struct sigaction before;
    sigset_t inside, outside;

    sigprocmask(SIG_BLOCK, NULL, &outside);
    inside = holding ? waiting_mask : outside;
    if (alarmed)
        start_alarms(deadline, &inside, &before);
    sigprocmask(SIG_SETMASK, &inside, NULL);

    do
        *error = attempt(context);
    while (*error == EINTR && caught == 0 && clock_now() < deadline);

    if (alarmed)
        stop_alarms(&outside, &before);
    else
        sigprocmask(SIG_SETMASK, &outside, NULL);
    if (*error != EINTR)
        return WAIT_READY;
    return caught != 0 ? WAIT_SIGNALLED : WAIT_TIMED_OUT;
}
