/* SPDX-License-Identifier: MIT
 *
 * textbook-shm: a shared memory client as textbooks write it: the producer
 * creates the object, sets its size, maps it and copies a string into it; the
 * consumer maps it and prints the string.
 *
 *     textbook-shm write NAME TEXT
 *     textbook-shm print NAME
 *     textbook-shm map NAME           keeps it mapped, its descriptor closed, until stdin ends
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 4096 };

static int failed(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        int fd = shm_open(argv[2], O_CREAT | O_RDWR, 0666);
        if (fd < 0)
            return failed("shm_open");
        if (ftruncate(fd, SIZE) != 0)
            return failed("ftruncate");
        char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
            return failed("mmap");
        memcpy(memory, argv[3], strlen(argv[3]) + 1);
        return 0;
    }
    if (argc == 3 && (strcmp(argv[1], "print") == 0 || strcmp(argv[1], "map") == 0)) {
        int fd = shm_open(argv[2], O_RDWR, 0);
        struct stat status;
        if (fd < 0)
            return failed("shm_open");
        if (fstat(fd, &status) != 0)
            return failed("fstat");
        char *memory =
            mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
            return failed("mmap");
        close(fd);
        if (argv[1][0] == 'p') {
            puts(memory);
            return 0;
        }
        puts("mapped");
        fflush(stdout);
        while (getchar() != EOF)
            ;
        return 0;
    }
    fprintf(stderr, "usage: textbook-shm write NAME TEXT | print NAME | map NAME\n");
    return 2;
}
