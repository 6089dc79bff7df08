/* SPDX-License-Identifier: MIT
 *
 * peak: run COMMAND, and add to FILE a line with the most memory that it had
 * resident at once, in KiB (ru_maxrss of getrusage(2)).
 *
 *     peak FILE COMMAND [ARG]...
 */
#define _DEFAULT_SOURCE /* wait4 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;

    if (argc < 3) {
        fprintf(stderr, "usage: peak FILE COMMAND [ARG]...\n");
        return EXIT_FAILURE;
    }
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
        perror("peak");
        return EXIT_FAILURE;
    }
    FILE *file = fopen(argv[1], "a");
    if (file == NULL || fprintf(file, "%ld\n", usage.ru_maxrss) < 0 || fclose(file) != 0) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
