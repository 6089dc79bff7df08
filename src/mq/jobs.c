/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#include "jobs.h"

#include "report.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { VARIABLES = 4 };
static const char *const variable_names[VARIABLES] = {
    "MQ_QUEUE=", "MQ_PRIORITY=", "MQ_LENGTH=", "MQ_ATTEMPT="};

static bool is_ours(const char *variable)
{
    for (int i = 0; i < VARIABLES; i++)
        if (strncmp(variable, variable_names[i], strlen(variable_names[i])) == 0)
            return true;
    return false;
}

/* No page may be missing when the kernel copies. Filled, but not with zeros: of
 * those a compiler makes calloc(3), which leaves the pages to be found later. */
static char *memory_for(size_t message_size)
{
    char *bytes = malloc(message_size);

    if (bytes == NULL)
        die_of_memory();
    return memset(bytes, 0xff, message_size);
}

void jobs_start(struct jobs *jobs, size_t count, size_t message_size, const struct journal *journal)
{
    size_t variables = 0;

    while (environ[variables] != NULL)
        variables++;
    jobs->count = count;
    jobs->job = calloc(count, sizeof *jobs->job);
    jobs->environment = calloc(variables + VARIABLES + 1, sizeof *jobs->environment);
    if (jobs->job == NULL || jobs->environment == NULL)
        die_of_memory();
    for (size_t i = 0; i < variables; i++)
        if (!is_ours(environ[i]))
            jobs->environment[jobs->inherited++] = environ[i];
    for (size_t i = 0; i < count; i++) {
        jobs->job[i].bytes = journal != NULL ? journal_bytes(journal, i) : memory_for(message_size);
        jobs->job[i].message.bytes = jobs->job[i].bytes;
    }
}

struct job *jobs_free(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->job[i].state == JOB_FREE)
            return &jobs->job[i];
    return NULL;
}

size_t jobs_active(const struct jobs *jobs)
{
    size_t active = 0;

    for (size_t i = 0; i < jobs->count; i++)
        active += jobs->job[i].state != JOB_FREE;
    return active;
}

size_t jobs_running(const struct jobs *jobs)
{
    size_t running = 0;

    for (size_t i = 0; i < jobs->count; i++)
        running += jobs->job[i].state == JOB_RUNNING;
    return running;
}

bool job_fits_argument(const struct job *job)
{
    return memchr(job->message.bytes, '\0', job->message.length) == NULL;
}

/* The message as a file of its own, at offset 0. It is sealed: what one
 * attempt does with it cannot reach the next. -1 with errno on failure. */
static int message_file(const struct message *message)
{
    size_t done = 0;

    int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    while (done < message->length) {
        ssize_t wrote = pwrite(fd, message->bytes + done, message->length - done, (off_t)done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            int error = wrote == 0 ? EIO : errno;
            close(fd);
            errno = error;
            return -1;
        }
        done += (size_t)wrote;
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
    return fd;
}

/* ARGUMENT with the message in every place of REPLACE; malloc'ed, or NULL. */
static char *replaced(const char *argument, const char *replace, const struct message *message)
{
    size_t step = strlen(replace);
    size_t places = 0;

    for (const char *at = argument; (at = strstr(at, replace)) != NULL; at += step)
        places++;
    char *result = malloc(strlen(argument) + places * message->length + 1);
    if (result == NULL)
        return NULL;
    char *to = result;
    const char *found;
    while ((found = strstr(argument, replace)) != NULL) {
        to = (char *)memcpy(to, argument, (size_t)(found - argument)) + (found - argument);
        to = (char *)memcpy(to, message->bytes, message->length) + message->length;
        argument = found + step;
    }
    strcpy(to, argument);
    return result;
}

static void free_words(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

/* The command with the message in its arguments; malloc'ed, or NULL. */
static char **command_with_message(const struct jobs *jobs, const struct message *message)
{
    size_t count = 0;

    while (jobs->command[count] != NULL)
        count++;
    char **words = calloc(count + 1, sizeof *words);
    for (size_t i = 0; words != NULL && i < count; i++) {
        words[i] =
            i == 0 ? strdup(jobs->command[0]) : replaced(jobs->command[i], jobs->replace, message);
        if (words[i] == NULL) {
            free_words(words);
            return NULL;
        }
    }
    return words;
}

int job_run(const struct jobs *jobs, struct job *job)
{
    char variables[VARIABLES][320];
    char *const *words = jobs->command;
    char **own_words = NULL;

    if (jobs->replace != NULL) {
        own_words = command_with_message(jobs, &job->message);
        if (own_words == NULL)
            return ENOMEM;
        words = own_words;
    }
    snprintf(variables[0], sizeof variables[0], "%s%s", variable_names[0], jobs->queue);
    snprintf(variables[1], sizeof variables[1], "%s%u", variable_names[1],
             (unsigned)job->message.number);
    snprintf(variables[2], sizeof variables[2], "%s%zu", variable_names[2], job->message.length);
    snprintf(variables[3], sizeof variables[3], "%s%lu", variable_names[3], job->attempt + 1);
    for (size_t i = 0; i < VARIABLES; i++)
        jobs->environment[jobs->inherited + i] = variables[i];

    int error = 0;
    int input = message_file(&job->message);
    if (input < 0)
        error = errno == ENOSPC ? ENOMEM : errno;
    else
        error = run_start(words, jobs->environment, input, &job->pid);
    if (input >= 0)
        close(input);
    free_words(own_words);
    if (error == 0) {
        job->attempt++;
        job->state = JOB_RUNNING;
    }
    return error;
}

void jobs_collect(const struct jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        struct job *job = &jobs->job[i];
        if (job->state != JOB_RUNNING || !run_ended(job->pid, &job->wait_status))
            continue;
        job->state = run_exit_status(job->wait_status) == 0 ? JOB_SUCCEEDED : JOB_FAILED;
    }
}

nanoseconds jobs_due(const struct jobs *jobs)
{
    nanoseconds due = NO_LIMIT;

    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->job[i].state == JOB_DELAYED && jobs->job[i].due < due)
            due = jobs->job[i].due;
    return due;
}

void jobs_signal(const struct jobs *jobs, int signal)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->job[i].state == JOB_RUNNING)
            kill(jobs->job[i].pid, signal);
}
