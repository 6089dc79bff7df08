/* SPDX-License-Identifier: MIT
 *
 * textbook-sem: a client of named semaphores as textbooks write it.
 *
 *     textbook-sem create NAME VALUE
 *     textbook-sem wait|post|value|hold NAME
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(void)
{
    perror("textbook-sem");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "create") == 0) {
        unsigned value = (unsigned)strtoul(argv[3], NULL, 10);
        return sem_open(argv[2], O_CREAT | O_EXCL, 0600, value) == SEM_FAILED ? failed() : 0;
    }
    if (argc != 3) {
        fprintf(stderr, "usage: textbook-sem create NAME VALUE | wait|post|value|hold NAME\n");
        return 2;
    }
    sem_t *semaphore = sem_open(argv[2], 0);
    if (semaphore == SEM_FAILED)
        return failed();
    if (strcmp(argv[1], "wait") == 0)
        return sem_wait(semaphore) == 0 ? 0 : failed();
    if (strcmp(argv[1], "post") == 0)
        return sem_post(semaphore) == 0 ? 0 : failed();
    if (strcmp(argv[1], "hold") == 0) /* has it open until it is killed */
        return pause();
    int value;
    if (sem_getvalue(semaphore, &value) != 0)
        return failed();
    printf("%d\n", value);
    return 0;
}
