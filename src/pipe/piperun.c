/* SPDX-License-Identifier: MIT
 *
 * piperun: run commands joined by anonymous pipes, and exit with the last
 * status that is not zero.
 */
#define _GNU_SOURCE /* pipe2, F_SETPIPE_SZ */
#include "limit.h"
#include "name.h"
#include "options.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *separator = "::";
static uint64_t pipe_size; /* bytes; 0: the system's default */
static bool loop;

enum { KEY_LOOP = OPTION_LONG_ONLY, KEY_PIPE_SIZE, KEY_SEPARATOR };

static const struct option_row options[] = {
    {KEY_LOOP, "loop", NULL, "the last one's output is the first one's input", .flag = &loop},
    {KEY_PIPE_SIZE, "pipe-size", "SIZE", "capacity of the pipes", .size = &pipe_size, .least = 1,
     .most = INT_MAX},
    {KEY_SEPARATOR, "separator", "WORD", "what stands between the commands (default ::)",
     .text = &separator},
    {0},
};

static const struct tool tool = {
    .name = "piperun",
    .operands = "COMMAND [ARG]... :: COMMAND [ARG]... [:: ...]",
    .purpose = "Run commands joined by pipes; the status is the last one that is not zero.",
    .options = options,
    .least_operands = 1,
    .most_operands = -1,
    .data_operands = true,
    .own_failure = STATUS_RUN_FAILED,
};

struct command {
    char **argv;       /* within the tool's own, ended by NULL */
    pid_t pid;         /* 0: not running */
    int input, output; /* its ends of pipes until it runs; -1: the tool's own */
    int wait_status;
};

static struct command *commands; /* ends with one without argv */
static size_t command_count;

static void add_command(char **argv)
{
    if (argv[0] == NULL)
        usage_error("command %zu is empty: '%s' stands between commands", command_count + 1,
                    shown(separator));
    commands[command_count++] = (struct command){.argv = argv, .input = -1, .output = -1};
}

/* Cuts the operands into commands, in place. */
static void split(char **operands, size_t count)
{
    size_t start = 0;

    if (separator[0] == '\0')
        usage_error("--separator takes a word that is not empty");
    commands = calloc(count + 2, sizeof *commands);
    if (commands == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        if (strcmp(operands[i], separator) == 0) {
            operands[i] = NULL;
            add_command(operands + start);
            start = i + 1;
        }
    add_command(operands + start);
    if (command_count < 2)
        usage_error("one command alone has nothing to be joined to: '%s' stands between commands",
                    shown(separator));
}

static void set_size(int fd)
{
    if (pipe_size == 0 || fcntl(fd, F_SETPIPE_SZ, (int)pipe_size) >= 0)
        return;
    int error = errno;
    uint64_t most = system_limit("fs/pipe-max-size");
    if (error == EPERM && pipe_size > most)
        die(STATUS_LIMIT,
            "cannot give a pipe %llu bytes: fs.pipe-max-size allows %llu (see pipe(7))",
            (unsigned long long)pipe_size, (unsigned long long)most);
    if (error == EPERM)
        die(STATUS_LIMIT,
            "cannot give a pipe %llu bytes: fs.pipe-user-pages-soft allows all pipes of a user "
            "%llu pages (see pipe(7))",
            (unsigned long long)pipe_size,
            (unsigned long long)system_limit("fs/pipe-user-pages-soft"));
    die(STATUS_SYSTEM, "cannot give a pipe %llu bytes: %s", (unsigned long long)pipe_size,
        error_text(error));
}

static void join(struct command *writer, struct command *reader)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        die(STATUS_SYSTEM, "cannot make a pipe: %s", error_text(errno));
    set_size(ends[1]);
    reader->input = ends[0];
    writer->output = ends[1];
}

static void join_all(void)
{
    for (size_t i = 0; i + 1 < command_count; i++)
        join(&commands[i], &commands[i + 1]);
    if (loop)
        join(&commands[command_count - 1], &commands[0]);
}

static void close_ends(struct command *command)
{
    if (command->input >= 0)
        close(command->input);
    if (command->output >= 0)
        close(command->output);
    command->input = command->output = -1;
}

static void signal_all(int signal)
{
    for (size_t i = 0; i < command_count; i++)
        if (commands[i].pid > 0)
            kill(commands[i].pid, signal);
}

/* Returns how many still run. */
static size_t collect(void)
{
    size_t running = 0;

    for (size_t i = 0; i < command_count; i++) {
        struct command *command = &commands[i];
        if (command->pid > 0 && run_ended(command->pid, &command->wait_status))
            command->pid = 0;
        running += command->pid > 0;
    }
    return running;
}

/* Ends those that were started before one could not be. */
static void end_all(void)
{
    static const struct timespec patience = {.tv_sec = 1};

    for (size_t i = 0; i < command_count; i++)
        close_ends(&commands[i]);
    signal_all(SIGTERM);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (collect() > 0)
        if (sigtimedwait(&child, NULL, &patience) < 0 && errno == EAGAIN)
            signal_all(SIGKILL);
}

static void start_all(void)
{
    for (size_t i = 0; i < command_count; i++) {
        struct command *command = &commands[i];
        int error = run_start_between(command->argv, environ, command->input, command->output,
                                      &command->pid);
        if (error != 0) {
            command->pid = 0;
            end_all();
            exit(run_cannot_start(command->argv[0], error));
        }
        close_ends(command);
    }
}

static void wait_for_all(const sigset_t *awaited)
{
    for (int signal; (signal = run_next_pending(awaited)) != 0;)
        signal_all(signal);
    while (collect() > 0) {
        int signal = run_next_signal(awaited);
        if (signal != 0)
            signal_all(signal);
    }
}

/* One whose reader has all it wants has done its part. */
static bool ended_early(size_t i)
{
    int status = commands[i].wait_status;

    return (loop || i + 1 < command_count) && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
}

static int last_failure(void)
{
    int result = STATUS_DONE;

    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &commands[i];
        bool early = ended_early(i);
        remark("command %zu, %s: %s%s", i + 1, shown(command->argv[0]),
               run_outcome(command->wait_status), early ? " (SIGPIPE), counts as 0" : "");
        if (!early && run_exit_status(command->wait_status) != 0)
            result = run_exit_status(command->wait_status);
    }
    return result;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    split(argv + first, (size_t)(argc - first));
    join_all();
    signal(SIGPIPE, SIG_DFL); /* commands are to end by it, whoever started this tool */
    sigset_t awaited = run_hold_signals();
    start_all();
    wait_for_all(&awaited);
    return last_failure();
}
