/* SPDX-License-Identifier: MIT
 *
 * mqcreate: create POSIX message queues.
 */
#include "options.h"
#include "owner.h"
#include "queue.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static bool if_missing;
static struct queue_attributes wanted = {
    .mode = QUEUE_MODE_DEFAULT, .user = (uid_t)-1, .group = (gid_t)-1};
static struct owner_names owner;

static const struct option_row options[] = {
    {'i', "if-missing", NULL, "an existing queue with these attributes will do",
     .flag = &if_missing},
    {'M', "max-messages", "N", "most messages (default: fs.mqueue.msg_default)",
     .number = &wanted.max_messages, .least = 1, .most = LONG_MAX},
    {'s', "message-size", "SIZE", "in bytes (default: fs.mqueue.msgsize_default)",
     .size = &wanted.message_size, .least = 1, .most = LONG_MAX},
    OPTION_MODE(wanted.mode),
    OPTION_USER(owner),
    OPTION_GROUP(owner),
    {0},
};

static const struct tool tool = {
    .name = "mqcreate",
    .operands = "QUEUE...",
    .purpose = "Create POSIX message queues.",
    .options = options,
    .least_operands = 1,
    .most_operands = -1,
};

static enum status differs(const struct name *name, const char *what, unsigned long long is,
                           unsigned long long asked)
{
    return fail(STATUS_EXISTS, "queue %s exists already, with a %s of %llu, not %llu",
                shown(name->text), what, is, asked);
}

/* One that is to belong to somebody else is made with mode 0 (queue_create), which it
 * has for a moment: another mqcreate is not to take that for its mode. */
static int look_at_owner(const struct queue *queue, mode_t asked, struct stat *status)
{
    nanoseconds deadline = deadline_after(QUEUE_GIVEN_AWAY);
    struct pause pause = {0};

    for (;;) {
        if (fstat(queue->descriptor, status) != 0)
            return errno;
        if ((status->st_mode & 07777) != 0 || asked == 0 ||
            pause_before_looking(&pause, SECOND / 100, deadline) == WAIT_TIMED_OUT)
            return 0;
    }
}

/* The same where that mode keeps even us out. */
static int try_open(struct queue *queue, const struct name *name)
{
    nanoseconds deadline = deadline_after(QUEUE_GIVEN_AWAY);
    struct pause pause = {0};
    int error;

    do
        error = queue_try_access(queue, name, QUEUE_TO_LOOK_AT);
    while (error == EACCES &&
           pause_before_looking(&pause, SECOND / 100, deadline) != WAIT_TIMED_OUT);
    return error;
}

/* Whether an existing queue is what would have been created; NO_OBJECT, without a
 * word, if it is not there any more. */
static enum status compare(const struct name *name)
{
    struct queue_attributes asked = wanted;
    struct queue queue;
    struct stat status;

    int error = try_open(&queue, name);
    if (error == ENOENT)
        return STATUS_NO_OBJECT;
    if (error != 0)
        return fail(status_of_error(error), "queue %s exists already, and cannot be compared: %s",
                    shown(name->text), error_text(error));
    queue_fill_defaults(&asked);
    enum status result = STATUS_DONE;
    error = look_at_owner(&queue, asked.mode, &status);
    if (error != 0)
        result = fail(STATUS_SYSTEM, "cannot look at queue %s: %s", shown(name->text),
                      error_text(error));
    else if (queue.max_messages != asked.max_messages)
        result =
            differs(name, "maximum number of messages", queue.max_messages, asked.max_messages);
    else if (queue.message_size != asked.message_size)
        result = differs(name, "message size", queue.message_size, asked.message_size);
    else
        result = owner_compare(&owner, &status, asked.mode, "queue", name);
    mq_close(queue.descriptor);
    return result;
}

static enum status make(const struct name *name)
{
    enum status status;

    do {
        status = queue_create(name, wanted);
        if (status != STATUS_EXISTS)
            return status;
        if (!if_missing)
            return fail(status,
                        "cannot create queue %s: it exists already (--if-missing accepts it)",
                        shown(name->text));
        status = compare(name);
    } while (status == STATUS_NO_OBJECT);
    return status;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    int result = STATUS_DONE;

    owner_resolve(&owner, &wanted.user, &wanted.group);
    for (int i = first; i < argc; i++)
        queue_name(argv[i]); /* a bad name is refused before anything is created */
    signals_hold();          /* none is left half made */
    for (int i = first; i < argc; i++) {
        struct name name = queue_name(argv[i]);
        enum status status = make(&name);
        signals_checkpoint();
        if (status == STATUS_DONE)
            remark("queue %s is there", shown(name.text));
        else if (result == STATUS_DONE)
            result = (int)status;
    }
    return result;
}
