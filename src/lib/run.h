/* SPDX-License-Identifier: MIT
 *
 * Running a COMMAND as the user would have started it: with the signal mask
 * and dispositions that the tool itself was started with.
 */
#ifndef IPCUTILS_RUN_H
#define IPCUTILS_RUN_H

#include "report.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Starts ARGV[0], found by PATH, with ENVIRONMENT and with INPUT (or, if -1,
 * the tool's own) as standard input. Returns 0 and the process id, or an errno
 * value: the process does not exist then. */
int run_start(char *const *argv, char *const *environment, int input, pid_t *pid);

/* The same with OUTPUT (or, if -1, the tool's own) as standard output. */
int run_start_between(char *const *argv, char *const *environment, int input, int output,
                      pid_t *pid);

/* Runs a COMMAND and waits for it, passing on SIGHUP, SIGINT, SIGQUIT and
 * SIGTERM unless they came from the terminal, which reaches COMMAND as well.
 * Returns what a shell's $? would be for COMMAND. *ERROR is 0, or why it could
 * not start: for run_cannot_start, once what is held for COMMAND is given back.
 * Holds signals (wait.h) from then on: one that arrives between the COMMAND's
 * end and the caller's has no effect. */
int run_and_wait(char *const *argv, char *const *environment, int *error);

/* For a tool that waits for COMMANDs by itself, before it starts the first:
 * holds signals (wait.h), SIGCHLD too, and returns those to wait for. */
sigset_t run_hold_signals(void);

/* Waits until a COMMAND may have ended, or for a signal that is to be passed
 * on to COMMANDs: 0, or that signal. */
int run_next_signal(const sigset_t *awaited);

/* Once all are started, and before they are looked after: a signal that has come
 * meanwhile, from the terminal too, for it came before there was a COMMAND that
 * could get it; 0 if there is none. */
int run_next_pending(const sigset_t *awaited);

/* Says why COMMAND could not be started, for an errno value of run_start;
 * returns 127, 126, or 125 if the system had no room for it. */
int run_cannot_start(const char *command, int error);

/* 126 or 127 for an errno value of run_start that is the COMMAND's fault, 75
 * or 71 for one that is not. */
enum status run_start_status(int error);

/* Whether a COMMAND has ended, without waiting: if so it is gone, and how it ended
 * is in *WAIT_STATUS. */
bool run_ended(pid_t pid, int *wait_status);

/* What a shell's $? would be for a status from waitpid(2). */
int run_exit_status(int wait_status);

/* "exit status 3" or "killed by signal 9", valid until the next call. */
const char *run_outcome(int wait_status);

#endif
