/* SPDX-License-Identifier: MIT
 *
 * mq-notify: registers for notification of a message queue (mq_notify(3)), says
 * "registered", and stays until a signal ends it.
 *
 *     mq-notify QUEUE
 */
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};

    if (argc != 2) {
        fprintf(stderr, "usage: mq-notify QUEUE\n");
        return 2;
    }
    mqd_t queue = mq_open(argv[1], O_RDONLY);
    if (queue == (mqd_t)-1 || mq_notify(queue, &event) != 0) {
        perror("mq-notify");
        return 1;
    }
    printf("registered\n");
    fflush(stdout);
    pause();
    return 0;
}
