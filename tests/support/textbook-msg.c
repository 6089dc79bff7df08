/* SPDX-License-Identifier: MIT
 *
 * textbook-msg: a client of System V message queues as textbooks write it:
 * strings are sent with their NUL.
 *
 *     textbook-msg send KEY TYPE TEXT
 *     textbook-msg receive KEY TYPE
 *     textbook-msg key PATH PROJECT
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct text_message {
    long type;
    char text[8192];
};

int main(int argc, char **argv)
{
    static struct text_message message;

    if (argc == 5 && strcmp(argv[1], "send") == 0) {
        int queue = msgget((key_t)strtoul(argv[2], NULL, 0), 0);
        message.type = strtol(argv[3], NULL, 10);
        snprintf(message.text, sizeof message.text, "%s", argv[4]);
        if (queue < 0 || msgsnd(queue, &message, strlen(message.text) + 1, 0) != 0) {
            perror("textbook-msg");
            return 1;
        }
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "receive") == 0) {
        int queue = msgget((key_t)strtoul(argv[2], NULL, 0), 0);
        if (queue < 0 ||
            msgrcv(queue, &message, sizeof message.text, strtol(argv[3], NULL, 10), 0) < 0) {
            perror("textbook-msg");
            return 1;
        }
        printf("%ld %s\n", message.type, message.text);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "key") == 0) {
        printf("0x%08x\n", (unsigned)ftok(argv[2], (int)strtol(argv[3], NULL, 0)));
        return 0;
    }
    fprintf(stderr,
            "usage: textbook-msg send KEY TYPE TEXT | receive KEY TYPE | key PATH PROJECT\n");
    return 2;
}
