/* SPDX-License-Identifier: MIT
 *
 * alternate: time commands side by side. Each round runs every COMMAND once, so
 * that whatever else the machine does meets all of them alike; no shell is in
 * between. For each COMMAND it prints a line: the median, the least and the
 * most seconds of its rounds.
 *
 *     alternate [-i FILE] [-b SCRIPT] [-e QUEUE] [-m QUEUE] ROUNDS COMMAND... [:: COMMAND...]...
 *
 * Standard input is FILE, or /dev/null, as standard output is. Before each run, and
 * outside of its time: -b runs a shell script, -e empties a queue, -m empties
 * it and puts one message there.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_COMMANDS = 8 };

static const char *input = "/dev/null";
static const char *script, *emptied, *loaded;
static char **commands[MOST_COMMANDS];
static int command_count;
static posix_spawn_file_actions_t streams;

extern char **environ;

static _Noreturn void stop(const char *what, const char *object)
{
    fprintf(stderr, "alternate: cannot %s %s: %s\n", what, object, strerror(errno));
    exit(EXIT_FAILURE);
}

static void prepare_queue(const char *name, int load)
{
    static char message[1 << 16];

    mqd_t queue = mq_open(name, O_RDWR | O_NONBLOCK);
    if (queue == (mqd_t)-1)
        stop("open queue", name);
    while (mq_receive(queue, message, sizeof message, NULL) >= 0)
        ;
    if (errno != EAGAIN || (load && mq_send(queue, "message", 7, 0) != 0))
        stop("prepare queue", name);
    mq_close(queue);
}

static void prepare(void)
{
    if (script != NULL && system(script) != 0)
        stop("prepare with", script);
    if (emptied != NULL)
        prepare_queue(emptied, 0);
    if (loaded != NULL)
        prepare_queue(loaded, 1);
}

/* Seconds from before the process is made until it has been waited for. */
static double run(char **command)
{
    struct timespec start, end;
    pid_t pid;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &start);
    errno = posix_spawnp(&pid, command[0], &streams, NULL, command, environ);
    if (errno != 0 || waitpid(pid, &status, 0) < 0)
        stop("run", command[0]);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (status != 0) {
        fprintf(stderr, "alternate: %s failed (wait status %#x)\n", command[0], (unsigned)status);
        exit(EXIT_FAILURE);
    }
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

/* Cuts the words at each "::". */
static void split(char **words)
{
    while (*words != NULL) {
        if (command_count == MOST_COMMANDS) {
            fprintf(stderr, "alternate: too many commands\n");
            exit(EXIT_FAILURE);
        }
        commands[command_count++] = words;
        while (*words != NULL && strcmp(*words, "::") != 0)
            words++;
        if (*words != NULL)
            *words++ = NULL;
    }
}

static int by_length(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

static void measure(size_t rounds)
{
    double *seconds = calloc(rounds * MOST_COMMANDS, sizeof *seconds);

    if (seconds == NULL)
        stop("remember", "so many rounds");
    for (size_t round = 0; round < rounds; round++)
        for (int i = 0; i < command_count; i++) {
            prepare();
            seconds[(size_t)i * rounds + round] = run(commands[i]);
        }
    for (int i = 0; i < command_count; i++) {
        double *of_command = seconds + (size_t)i * rounds;
        qsort(of_command, rounds, sizeof *of_command, by_length);
        double median = (of_command[(rounds - 1) / 2] + of_command[rounds / 2]) / 2;
        printf("%.9f %.9f %.9f\n", median, of_command[0], of_command[rounds - 1]);
    }
    free(seconds);
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "+b:e:i:m:")) != -1)
        switch (option) {
        case 'b':
            script = optarg;
            break;
        case 'e':
            emptied = optarg;
            break;
        case 'i':
            input = optarg;
            break;
        case 'm':
            loaded = optarg;
            break;
        default:
            return EXIT_FAILURE;
        }
    int rounds = optind < argc ? atoi(argv[optind++]) : 0;
    split(argv + optind);
    if (rounds < 1 || command_count == 0) {
        fprintf(stderr, "usage: alternate [-i FILE] [-b SCRIPT] [-e QUEUE] [-m QUEUE] ROUNDS "
                        "COMMAND... [:: COMMAND...]...\n");
        return EXIT_FAILURE;
    }
    posix_spawn_file_actions_init(&streams);
    posix_spawn_file_actions_addopen(&streams, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&streams, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    measure((size_t)rounds);
    return EXIT_SUCCESS;
}
