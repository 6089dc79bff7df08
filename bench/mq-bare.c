/* SPDX-License-Identifier: MIT
 *
 * mq-bare: what the kernel's message queues can do at most: one process sends
 * in a loop of mq_send(3), and each RECEIVER takes its share in a loop of
 * mq_receive(3). Nothing is read, framed or written.
 *
 *     mq-bare MESSAGES LENGTH DEPTH RECEIVERS
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 8192 };

static char message[MESSAGE_SIZE];

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "mq-bare: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static mqd_t make_queue(long depth)
{
    const struct mq_attr attributes = {.mq_maxmsg = depth, .mq_msgsize = MESSAGE_SIZE};
    char name[64];

    snprintf(name, sizeof name, "/ipcutils-bare.%ld", (long)getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue == (mqd_t)-1)
        stop("mq_open");
    mq_unlink(name);
    return queue;
}

static void start_receiver(mqd_t queue, long count)
{
    pid_t pid = fork();

    if (pid < 0)
        stop("fork");
    if (pid > 0)
        return;
    for (long i = 0; i < count; i++)
        if (mq_receive(queue, message, sizeof message, NULL) < 0)
            stop("mq_receive");
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: mq-bare MESSAGES LENGTH DEPTH RECEIVERS\n");
        return EXIT_FAILURE;
    }
    long receivers = atol(argv[4]);
    long share = atol(argv[1]) / receivers;
    size_t length = (size_t)atol(argv[2]);
    mqd_t queue = make_queue(atol(argv[3]));
    int result = EXIT_SUCCESS;
    int status;

    memset(message, 'x', sizeof message);
    for (long i = 0; i < receivers; i++)
        start_receiver(queue, share);
    for (long i = 0; i < share * receivers; i++)
        if (mq_send(queue, message, length, 0) != 0)
            stop("mq_send");
    while (wait(&status) > 0)
        if (status != 0)
            result = EXIT_FAILURE;
    return result;
}
