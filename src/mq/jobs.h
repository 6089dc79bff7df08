/* SPDX-License-Identifier: MIT
 *
 * The COMMANDs of mqrun: one job per message in hand, started, retried after a
 * growing delay, and followed until its message has been acknowledged.
 */
#ifndef IPCUTILS_JOBS_H
#define IPCUTILS_JOBS_H

#include "journal.h"
#include "parse.h"
#include "save.h"

#include <stdbool.h>
#include <sys/types.h>

enum job_state {
    JOB_FREE,
    JOB_RUNNING,
    JOB_DELAYED, /* until its next attempt is due */
    JOB_SUCCEEDED,
    JOB_FAILED /* this attempt */
};

struct job {
    enum job_state state;
    struct message message; /* its bytes are the job's own */
    char *bytes;            /* in the journal, if there is one */
    unsigned long attempt;  /* from 1 */
    nanoseconds due;        /* JOB_DELAYED: when; a deadline of wait.h */
    pid_t pid;              /* JOB_RUNNING */
    int wait_status;        /* JOB_SUCCEEDED, JOB_FAILED: from waitpid(2) */
};

struct jobs {
    struct job *job;
    size_t count;
    char *const *command;
    const char *replace; /* what in the arguments stands for the message; NULL: nothing */
    const char *queue;   /* for MQ_QUEUE */
    char **environment;  /* without the MQ_ variables, with room for them at the end */
    size_t inherited;
};

/* Room for COUNT jobs of messages up to MESSAGE_SIZE bytes: in the journal's
 * slots, or, where JOURNAL is NULL, in memory of their own. */
void jobs_start(struct jobs *jobs, size_t count, size_t message_size,
                const struct journal *journal);

/* A job that is free, or NULL. */
struct job *jobs_free(const struct jobs *jobs);

size_t jobs_active(const struct jobs *jobs);
size_t jobs_running(const struct jobs *jobs);

/* Runs the COMMAND for the job's next attempt: JOB_RUNNING and 0, or the errno
 * value that kept it from running. */
int job_run(const struct jobs *jobs, struct job *job);

/* Looks which COMMANDs have ended. */
void jobs_collect(const struct jobs *jobs);

/* The earliest time at which a delayed job is due; NO_LIMIT if none is. */
nanoseconds jobs_due(const struct jobs *jobs);

/* Sends SIGNAL to every running COMMAND. */
void jobs_signal(const struct jobs *jobs, int signal);

/* Whether the message could be an argument: it has no NUL. */
bool job_fits_argument(const struct job *job);

#endif
