/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "limit.h"
#include "name.h"
#include "wait.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where posix_spawnp has found COMMAND: a shell would look for it elsewhere. */
static const char *found(const char *command, char *room, size_t size)
{
    const char *path = getenv("PATH");

    if (strchr(command, '/') != NULL || path == NULL)
        return command;
    for (;; path++) {
        int length = (int)strcspn(path, ":");
        int needed =
            snprintf(room, size, "%.*s%s%s", length, path, length > 0 ? "/" : "./", command);
        if (needed > 0 && (size_t)needed < size && access(room, X_OK) == 0)
            return room;
        path += length;
        if (*path == '\0')
            return command;
    }
}

/* As execvp(3) does for a script without "#!", and posix_spawnp does not. */
static int start_by_shell(char *const *argv, char *const *environment,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, pid_t *pid)
{
    size_t count = 0;

    while (argv[count] != NULL)
        count++;
    static char shell[] = "sh";
    char **words = calloc(count + 2, sizeof *words);
    if (words == NULL)
        return ENOMEM;
    words[0] = shell;
    memcpy(words + 1, argv, count * sizeof *words);
    char room[PATH_MAX];
    words[1] = (char *)(uintptr_t)found(argv[0], room, sizeof room);
    int error = posix_spawn(pid, "/bin/sh", actions, attributes, words, environment);
    free(words);
    return error;
}

int run_start(char *const *argv, char *const *environment, int input, pid_t *pid)
{
    return run_start_between(argv, environment, input, -1, pid);
}

int run_start_between(char *const *argv, char *const *environment, int input, int output,
                      pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    if (input >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (error == 0 && output >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    /* exec resets the handlers; what was ignored before stays ignored. */
    posix_spawnattr_setsigmask(&attributes, signals_original());
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (error == 0)
        error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
    if (error == ENOEXEC)
        error = start_by_shell(argv, environment, &actions, &attributes, pid);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

enum status run_start_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_NOT_FOUND;
    case EAGAIN:
    case EFBIG: /* the file of its standard input */
        return STATUS_LIMIT;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return STATUS_SYSTEM;
    default:
        return STATUS_CANNOT_RUN;
    }
}

bool run_ended(pid_t pid, int *wait_status)
{
    pid_t ended;

    do
        ended = waitpid(pid, wait_status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        *wait_status = SIGKILL; /* somebody else has waited for it: no success, at least */
    return ended != 0;
}

int run_exit_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

const char *run_outcome(int wait_status)
{
    static char text[64];

    if (WIFSIGNALED(wait_status))
        snprintf(text, sizeof text, "killed by signal %d", WTERMSIG(wait_status));
    else
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(wait_status));
    return text;
}

/* The signals that a user ends a tool with, without those that were ignored
 * when it was started: those are meant to reach neither it nor the COMMAND. */
static sigset_t signals_to_pass_on(void)
{
    static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, ending[i]);
    }
    return set;
}

sigset_t run_hold_signals(void)
{
    const struct sigaction as_usual = {.sa_handler = SIG_DFL};
    sigset_t awaited = signals_to_pass_on();

    signals_hold(); /* first: it remembers the mask that the COMMAND is to get */
    /* Blocked, they stay pending until they are asked for: none is missed
     * between two calls. Inherited as ignored, SIGCHLD would leave waitpid(2)
     * nothing to return. */
    sigaction(SIGCHLD, &as_usual, NULL);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    return awaited;
}

int run_next_signal(const sigset_t *awaited)
{
    siginfo_t info;
    int signal = sigwaitinfo(awaited, &info);

    return signal > 0 && signal != SIGCHLD && !signal_from_terminal(&info) ? signal : 0;
}

int run_next_pending(const sigset_t *awaited)
{
    static const struct timespec none;
    sigset_t ending = *awaited;

    sigdelset(&ending, SIGCHLD); /* that is still to be waited for */
    int signal = sigtimedwait(&ending, NULL, &none);
    return signal > 0 ? signal : 0;
}

static const char *why_not_started(const char *command, int error)
{
    static char text[128];
    uint64_t most = resource_limit(RLIMIT_NPROC);

    if (error == ENOENT && strchr(command, '/') != NULL && access(command, F_OK) == 0)
        return "the interpreter that it names is not there";
    if (error == ENOENT)
        return "no such command";
    if (error == EFBIG) /* the file of its standard input */
        snprintf(text, sizeof text, "RLIMIT_FSIZE (ulimit -f) allows its input %llu bytes",
                 (unsigned long long)resource_limit(RLIMIT_FSIZE));
    if (error == EFBIG)
        return text;
    if (error != EAGAIN || most == UINT64_MAX)
        return error_text(error);
    snprintf(text, sizeof text, "%s; RLIMIT_NPROC (ulimit -u) allows this user %llu processes",
             error_text(error), (unsigned long long)most);
    return text;
}

int run_cannot_start(const char *command, int error)
{
    enum status status = run_start_status(error);
    bool own = status != STATUS_NOT_FOUND && status != STATUS_CANNOT_RUN;

    return (int)fail(own ? STATUS_RUN_FAILED : status, "cannot run '%s': %s%s", shown(command),
                     why_not_started(command, error),
                     command[0] == '-' ? " (options come before the first operand)" : "");
}

int run_and_wait(char *const *argv, char *const *environment, int *error)
{
    sigset_t awaited = run_hold_signals();
    pid_t pid;
    int wait_status = 0;

    *error = run_start(argv, environment, -1, &pid);
    if (*error != 0)
        return 0;
    for (int signal; (signal = run_next_pending(&awaited)) != 0;)
        kill(pid, signal);
    while (!run_ended(pid, &wait_status)) {
        int signal = run_next_signal(&awaited);
        if (signal != 0)
            kill(pid, signal);
    }
    return run_exit_status(wait_status);
}
