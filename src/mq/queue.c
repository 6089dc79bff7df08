/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include "limit.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct name queue_name(const char *operand)
{
    return name_require(operand, "queue", NAME_LONGEST);
}

uint64_t queue_system_limit(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "fs/mqueue/%s", name);
    return system_limit(path);
}

static uint64_t default_within(const char *value_name, const char *limit_name)
{
    uint64_t value = queue_system_limit(value_name);
    uint64_t limit = queue_system_limit(limit_name);

    return limit > 0 && limit < value ? limit : value;
}

void queue_fill_defaults(struct queue_attributes *attributes)
{
    if (attributes->max_messages == 0)
        attributes->max_messages = default_within("msg_default", "msg_max");
    if (attributes->message_size == 0)
        attributes->message_size = default_within("msgsize_default", "msgsize_max");
}

/* EMFILE is how the kernel reports RLIMIT_MSGQUEUE, and also what it says. */
static bool out_of_descriptors(void)
{
    int fd = open("/", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == EMFILE;
    close(fd);
    return false;
}

/* What mq_open(3) charges for a queue: its messages, and for each a message
 * header and a node of the priority tree (ipc/mqueue.c: six words each). */
static uint64_t bytes_charged(const struct queue_attributes *attributes)
{
    uint64_t count = attributes->max_messages;
    uint64_t nodes = count < PRIORITY_HIGHEST + 1 ? count : PRIORITY_HIGHEST + 1;
    uint64_t overhead = 6 * sizeof(long) * (count + nodes);

    if (attributes->message_size > 0 && count > (UINT64_MAX - overhead) / attributes->message_size)
        return UINT64_MAX;
    return count * attributes->message_size + overhead;
}

static enum status over_resource_limit(const struct name *name,
                                       const struct queue_attributes *attributes)
{
    uint64_t bytes = bytes_charged(attributes);
    uint64_t most = resource_limit(RLIMIT_MSGQUEUE);

    return fail(STATUS_LIMIT,
                "cannot create queue %s: it needs %llu bytes, and RLIMIT_MSGQUEUE (ulimit -q) "
                "allows all queues of a user %llu bytes%s",
                shown(name->text), (unsigned long long)bytes, (unsigned long long)most,
                bytes > most ? "" : ", of which too few are free");
}

/* What is asked for, the sysctl that allows less, and what is the most for anyone
 * (HARD_MSGMAX and HARD_MSGSIZEMAX of the kernel): with CAP_SYS_RESOURCE only that
 * counts. */
struct size {
    const char *what;
    uint64_t asked;
    const char *limit_name;
    uint64_t hard;
};

static enum status over_system_limit(const struct name *name, const struct size *size)
{
    unsigned long long limit = queue_system_limit(size->limit_name);
    char anyone[64] = "";

    if (size->asked > size->hard)
        snprintf(anyone, sizeof anyone, ", and than anyone may have, %llu",
                 (unsigned long long)size->hard);
    return fail(STATUS_LIMIT,
                "cannot create queue %s: %s of %llu is more than fs.mqueue.%s allows, %llu%s (see "
                "sysctl(8))",
                shown(name->text), size->what, (unsigned long long)size->asked, size->limit_name,
                limit, anyone);
}

/* EINVAL or EOVERFLOW: one of the two sizes is too much. */
static enum status too_large(const struct name *name, const struct queue_attributes *attributes)
{
    const struct size sizes[] = {
        {"a maximum number of messages", attributes->max_messages, "msg_max", 65536},
        {"a message size", attributes->message_size, "msgsize_max", 16 << 20},
    };

    for (int i = 0; i < 2; i++)
        if (sizes[i].asked > sizes[i].hard)
            return over_system_limit(name, &sizes[i]);
    for (int i = 0; i < 2; i++) {
        uint64_t limit = queue_system_limit(sizes[i].limit_name);
        if (limit > 0 && sizes[i].asked > limit)
            return over_system_limit(name, &sizes[i]);
    }
    return fail(STATUS_LIMIT, "cannot create queue %s: %llu messages of %llu bytes are too many",
                shown(name->text), (unsigned long long)attributes->max_messages,
                (unsigned long long)attributes->message_size);
}

/* Says why a queue could not be created, in the terms of the user. */
static enum status creation_failed(const struct name *name, struct queue_attributes attributes,
                                   int error)
{
    queue_fill_defaults(&attributes);
    if (error == EINVAL && (attributes.max_messages == 0 || attributes.message_size == 0))
        return fail(STATUS_SYSTEM,
                    "cannot create queue %s: the defaults cannot be read from /proc/sys/fs/mqueue; "
                    "give --max-messages and --message-size",
                    shown(name->text));
    if (error == EINVAL || error == EOVERFLOW)
        return too_large(name, &attributes);
    if (error == EMFILE && !out_of_descriptors())
        return over_resource_limit(name, &attributes);
    if (error == ENOSPC)
        return fail(STATUS_LIMIT,
                    "cannot create queue %s: there are as many queues as "
                    "fs.mqueue.queues_max allows, %llu (see sysctl(8))",
                    shown(name->text), (unsigned long long)queue_system_limit("queues_max"));
    return fail(status_of_error(error), "cannot create queue %s: %s", shown(name->text),
                error_text(error));
}

static mqd_t open_new(const struct name *name, int flags, const struct queue_attributes *attributes,
                      mode_t mode)
{
    struct mq_attr sizes = {0};
    bool sized = attributes->max_messages != 0 || attributes->message_size != 0;

    if (sized) {
        struct queue_attributes filled = *attributes;
        queue_fill_defaults(&filled);
        sizes.mq_maxmsg = (long)filled.max_messages;
        sizes.mq_msgsize = (long)filled.message_size;
    }
    /* Without a umask, the mode is exact from the first moment on. */
    mode_t before = umask(0);
    mqd_t descriptor =
        mq_open(name->text, flags | O_CREAT | O_NONBLOCK | O_CLOEXEC, mode, sized ? &sizes : NULL);
    int error = errno;
    umask(before);
    errno = error;
    return descriptor;
}

enum status queue_create(const struct name *name, struct queue_attributes attributes)
{
    bool given_away = attributes.user != (uid_t)-1 || attributes.group != (gid_t)-1;
    mqd_t descriptor =
        open_new(name, O_EXCL | O_RDWR, &attributes, given_away ? 0 : attributes.mode);

    if (descriptor == (mqd_t)-1)
        return errno == EEXIST ? STATUS_EXISTS : creation_failed(name, attributes, errno);
    if (given_away && (fchown(descriptor, attributes.user, attributes.group) != 0 ||
                       fchmod(descriptor, attributes.mode) != 0)) {
        int error = errno;
        mq_unlink(name->text);
        mq_close(descriptor);
        return owner_refused("queue", name, error);
    }
    mq_close(descriptor);
    return STATUS_DONE;
}

static void learn_attributes(struct queue *queue)
{
    struct mq_attr attributes = {0};

    if (mq_getattr(queue->descriptor, &attributes) != 0)
        die(STATUS_SYSTEM, "cannot read the attributes of queue %s: %s", shown(queue->name.text),
            error_text(errno));
    queue->max_messages = (size_t)attributes.mq_maxmsg;
    queue->message_size = (size_t)attributes.mq_msgsize;
}

int queue_try_open(struct queue *queue, const struct name *name, int flags)
{
    mqd_t descriptor = mq_open(name->text, flags | O_NONBLOCK | O_CLOEXEC);

    if (descriptor == (mqd_t)-1)
        return errno;
    *queue = (struct queue){
        .name = *name, .descriptor = descriptor, .writable = (flags & O_ACCMODE) != O_RDONLY};
    learn_attributes(queue);
    return 0;
}

int queue_try_access(struct queue *queue, const struct name *name, enum queue_access access)
{
    /* That would do, the best first. */
    static const int ways[][2] = {
        [QUEUE_TO_SEND] = {O_WRONLY, O_WRONLY},
        [QUEUE_OF_DEAD_LETTERS] = {O_WRONLY, O_WRONLY},
        [QUEUE_TO_RECEIVE] = {O_RDWR, O_RDONLY},
        [QUEUE_TO_LOOK_AT] = {O_RDONLY, O_WRONLY},
    };

    int error = queue_try_open(queue, name, ways[access][0]);
    if (error == EACCES && ways[access][1] != ways[access][0])
        error = queue_try_open(queue, name, ways[access][1]);
    return error;
}

static void create_if_missing(const struct name *name)
{
    const struct queue_attributes attributes = {.mode = QUEUE_MODE_DEFAULT};
    mqd_t descriptor = open_new(name, O_WRONLY, &attributes, attributes.mode);

    if (descriptor != (mqd_t)-1)
        mq_close(descriptor);
    else if (errno != EACCES) /* it exists: opening it says why it is no use */
        exit((int)creation_failed(name, attributes, errno));
}

/* Whether an awaited queue is worth another look. One that is being made for another
 * owner may not be opened for a moment (queue_create). */
static bool is_to_come(int error, nanoseconds *made)
{
    if (error != EACCES) {
        *made = NO_LIMIT;
        return error == ENOENT;
    }
    if (*made == NO_LIMIT)
        *made = deadline_after(QUEUE_GIVEN_AWAY);
    return clock_now() < *made;
}

struct queue queue_open(const char *operand, enum queue_access access,
                        const struct patience *patience, bool create)
{
    const char *role = access == QUEUE_OF_DEAD_LETTERS ? "dead-letter queue" : "queue";
    struct name name = queue_name(operand);
    nanoseconds deadline = deadline_after(patience->timeout);
    nanoseconds made = NO_LIMIT;
    struct pause pause = {0};
    struct queue queue;
    int error;

    if (create)
        create_if_missing(&name);
    while ((error = queue_try_access(&queue, &name, access)) != 0 && patience->await &&
           is_to_come(error, &made))
        if (!pause_or_die(&pause, SECOND / 20, deadline)) {
            if (error == ENOENT)
                exit(STATUS_TIMED_OUT);
            break;
        }
    if (error == ENOENT)
        die(STATUS_NO_OBJECT, "cannot open %s %s: no such queue; mqcreate makes it%s", role,
            shown(name.text), access == QUEUE_OF_DEAD_LETTERS ? "" : ", --await waits for it");
    if (error != 0)
        die(status_of_error(error), "cannot open %s %s: %s", role, shown(name.text),
            error_text(error));
    return queue;
}

size_t queue_depth(const struct queue *queue)
{
    struct mq_attr attributes = {0};

    mq_getattr(queue->descriptor, &attributes);
    return (size_t)attributes.mq_curmsgs;
}

bool queue_unlinked(const struct queue *queue)
{
    struct stat status;

    return fstat(queue->descriptor, &status) == 0 && status.st_nlink == 0;
}

enum queue_waited queue_wait(const struct queue *queue, short events, nanoseconds deadline,
                             bool watch_output)
{
    for (;;) {
        struct pollfd polled[] = {{.fd = queue->descriptor, .events = events},
                                  {.fd = watch_output ? STDOUT_FILENO : -1}};
        switch (wait_for(polled, 2, deadline_within(deadline, SECOND))) {
        case WAIT_SIGNALLED:
            return QUEUE_SIGNALLED;
        case WAIT_READY:
            return (polled[1].revents & (POLLERR | POLLHUP)) != 0 ? QUEUE_OUTPUT_GONE : QUEUE_READY;
        case WAIT_TIMED_OUT:
            break;
        }
        if (queue_unlinked(queue))
            return QUEUE_REMOVED;
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return QUEUE_TIMED_OUT;
    }
}
