/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* ftok, msgget */
#include "sysv.h"

#include "limit.h"
#include "name.h"
#include "parse.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

/* What an operand says. */
struct address {
    bool is_id;
    int id;
    key_t key;
};

static _Noreturn void bad_key(const char *operand, const char *reason)
{
    die(STATUS_USAGE,
        "invalid key '%s': %s; a key is a number (0x... too), id:NUMBER, or PATH[:PROJECT]",
        shown(operand), reason);
}

/* Hexadecimal digits to the end of TEXT, of a value that fits. */
static bool parse_hexadecimal(const char *text, uint64_t *number)
{
    char *end;

    if (strlen(text) == 0 || strlen(text) > 8 || text[strspn(text, "0123456789abcdefABCDEF")] != 0)
        return false;
    *number = strtoul(text, &end, 16);
    return true;
}

static struct address numeric_key(const char *operand)
{
    uint64_t number;

    if (operand[0] == '0' && (operand[1] == 'x' || operand[1] == 'X')) {
        if (!parse_hexadecimal(operand + 2, &number))
            bad_key(operand, "it is no hexadecimal number up to 0xffffffff");
    } else if (operand[0] == '0' && operand[1] != '\0') {
        bad_key(operand, "a leading 0 means octal to some programs and decimal to others");
    } else if (!parse_number(operand, 0, UINT32_MAX, &number)) {
        bad_key(operand, "it is no number up to 4294967295");
    }
    if (number == 0)
        bad_key(operand, "0 is IPC_PRIVATE, the key of no queue in particular; say id:NUMBER");
    return (struct address){.key = (key_t)(uint32_t)number};
}

/* The number that ftok(3) mixes in: 1 to 255, or one character for its code.
 * False if TEXT is none. */
static bool parse_project(const char *text, int *project)
{
    uint64_t number;

    if (parse_number(text, 1, 255, &number)) {
        *project = (int)number;
        return true;
    }
    if (text[0] == '\0' || text[1] != '\0' || (text[0] >= '0' && text[0] <= '9'))
        return false;
    *project = (unsigned char)text[0];
    return true;
}

static struct address path_key(const char *operand)
{
    const char *colon = strrchr(operand, ':');
    int project = 1;
    char *path = strdup(operand);

    if (path == NULL)
        die_of_memory();
    if (colon != NULL && strchr(colon, '/') == NULL) {
        if (!parse_project(colon + 1, &project))
            bad_key(operand, "PROJECT is 1 to 255, or one character that is not a digit");
        path[colon - operand] = '\0';
    }
    key_t key = ftok(path, project);
    if (key == -1)
        die(errno == ENOTDIR ? STATUS_NO_OBJECT : status_of_error(errno),
            "cannot make a key of %s: %s; a key is a number (0x... too), id:NUMBER, or the "
            "PATH[:PROJECT] of a file that exists",
            shown(path), errno == ENOENT || errno == ENOTDIR ? "no such file" : error_text(errno));
    free(path);
    return (struct address){.key = key};
}

static struct address parse_address(const char *operand)
{
    uint64_t id;

    if (strncmp(operand, "id:", 3) == 0) {
        if (!parse_number(operand + 3, 0, INT_MAX, &id))
            bad_key(operand, "an id is a number up to 2147483647");
        return (struct address){.is_id = true, .id = (int)id};
    }
    if (operand[0] >= '0' && operand[0] <= '9')
        return numeric_key(operand);
    if (operand[0] == '\0')
        bad_key(operand, "it is empty");
    if (operand[0] == '-' || operand[0] == '+')
        bad_key(operand, "it has a sign (a path may begin with './')");
    return path_key(operand);
}

static int create_queue(const struct sysv_queue *queue, key_t key)
{
    int id = msgget(key, IPC_CREAT | IPC_EXCL | SYSV_QUEUE_MODE);

    if (id < 0 && errno == ENOSPC)
        die(STATUS_LIMIT,
            "cannot create queue %s: there are as many queues as kernel.msgmni allows, %llu (see "
            "sysctl(8))",
            queue->name, (unsigned long long)system_limit("kernel/msgmni"));
    if (id < 0 && errno != EEXIST)
        die(status_of_error(errno), "cannot create queue %s: %s", queue->name, error_text(errno));
    return id;
}

static _Noreturn void no_such_queue(const struct sysv_queue *queue)
{
    die(STATUS_NO_OBJECT, "cannot open queue %s: no such queue (ipcs -q lists them)", queue->name);
}

struct sysv_queue sysv_open(const char *operand, bool create)
{
    struct address address = parse_address(operand);
    struct sysv_queue queue = {.id = address.id};

    if (address.is_id) {
        snprintf(queue.name, sizeof queue.name, "id:%d", address.id);
        if (create)
            die(STATUS_USAGE, "cannot create queue %s: the kernel chooses the id; give a key",
                queue.name);
        if (sysv_removed(&queue))
            no_such_queue(&queue);
        return queue;
    }
    snprintf(queue.name, sizeof queue.name, "0x%08x", (unsigned)address.key);
    /* Without asking for a permission, which may be one that is not needed; and
     * it may come or go between two calls. */
    while ((queue.id = msgget(address.key, 0)) < 0 && errno == ENOENT) {
        if (!create)
            no_such_queue(&queue);
        if ((queue.id = create_queue(&queue, address.key)) >= 0)
            break;
    }
    if (queue.id < 0)
        die(status_of_error(errno), "cannot open queue %s: %s", queue.name, error_text(errno));
    return queue;
}

bool sysv_removed(const struct sysv_queue *queue)
{
    struct msqid_ds state;

    return msgctl(queue->id, IPC_STAT, &state) != 0 && (errno == EINVAL || errno == EIDRM);
}

size_t sysv_longest_message(const struct sysv_queue *queue, const char **limit)
{
    size_t longest = (size_t)system_limit("kernel/msgmax");
    struct msqid_ds state;

    *limit = "kernel.msgmax";
    if (longest == 0)
        longest = 8192; /* the default, where /proc is not there */
    /* The kernel would wait for ever for room that there never is. */
    if (msgctl(queue->id, IPC_STAT, &state) == 0 && state.msg_qbytes < longest) {
        *limit = "the queue's size in bytes,";
        longest = (size_t)state.msg_qbytes;
    }
    return longest;
}
