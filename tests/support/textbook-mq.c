/* SPDX-License-Identifier: MIT
 *
 * textbook-mq: a message queue client as textbooks write it: strings are sent
 * with their NUL, and received into a buffer of the queue's message size.
 *
 *     textbook-mq send QUEUE PRIORITY TEXT
 *     textbook-mq receive QUEUE
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "send") == 0) {
        mqd_t queue = mq_open(argv[2], O_WRONLY);
        unsigned priority = (unsigned)strtoul(argv[3], NULL, 10);
        if (queue == (mqd_t)-1 || mq_send(queue, argv[4], strlen(argv[4]) + 1, priority) != 0) {
            perror("textbook-mq");
            return 1;
        }
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "receive") == 0) {
        struct mq_attr attributes;
        unsigned priority;
        mqd_t queue = mq_open(argv[2], O_RDONLY);
        if (queue == (mqd_t)-1 || mq_getattr(queue, &attributes) != 0) {
            perror("textbook-mq");
            return 1;
        }
        char *buffer = malloc((size_t)attributes.mq_msgsize);
        if (buffer == NULL ||
            mq_receive(queue, buffer, (size_t)attributes.mq_msgsize, &priority) < 0) {
            perror("textbook-mq");
            return 1;
        }
        printf("%u %s\n", priority, buffer);
        free(buffer);
        return 0;
    }
    fprintf(stderr, "usage: textbook-mq send QUEUE PRIORITY TEXT | receive QUEUE\n");
    return 2;
}
