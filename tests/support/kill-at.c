/* SPDX-License-Identifier: MIT
 *
 * kill-at: run COMMAND and end it by SIGKILL at its Nth system call, before the
 * kernel does it or after. Exit 0 if that was done, 3 if COMMAND ended before.
 * (What strace injects comes at the entry only.)
 *
 *     kill-at N entry|exit COMMAND [ARG]...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* COMMAND's next stop at a system call: false if it has ended. */
static int next_call(pid_t pid)
{
    int pass_on = 0;

    for (;;) {
        int status;
        if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)pass_on) != 0)
            fail("ptrace");
        if (waitpid(pid, &status, 0) != pid)
            fail("waitpid");
        if (!WIFSTOPPED(status))
            return 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            return 1;
        pass_on = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    }
}

int main(int argc, char **argv)
{
    int status;

    if (argc < 4)
        return 64;
    /* Each call stops it twice: at its entry and at its exit. */
    long stops = 2 * strtol(argv[1], NULL, 10) - (strcmp(argv[2], "entry") == 0);

    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[3], argv + 3);
        fail(argv[3]);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        fail("exec");
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0)
        fail("ptrace");
    for (long i = 0; i < stops; i++)
        if (!next_call(pid))
            return 3;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return 0;
}
