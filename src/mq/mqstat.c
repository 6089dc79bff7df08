/* SPDX-License-Identifier: MIT
 *
 * mqstat: show POSIX message queues, their fill and who has them open; or the
 * limits that they are subject to.
 */
#include "gauge.h"
#include "limit.h"
#include "listing.h"
#include "options.h"
#include "procs.h"
#include "queue.h"
#include "stream.h"
#include "table.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct table_style style;
static struct watching watching = WATCHING_DEFAULT;
static bool processes, limits;

enum { KEY_LIMITS = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    {'p', "processes", NULL, "a row per process that has the queue open", .flag = &processes},
    OPTION_JSON(style),
    OPTION_NOHEADINGS(style),
    OPTION_NAMES(style),
    OPTION_OUTPUT(style),
    OPTION_WATCH(watching),
    {KEY_LIMITS, "limits", NULL, "the limits of the system and of this user", .flag = &limits},
    {0},
};

static const struct option_conflict conflicts[] = {
    INSPECTING_CONFLICTS, {KEY_LIMITS, 'p'}, {KEY_LIMITS, '0'}, {KEY_LIMITS, 'w'}, {0}};

static const struct tool tool = {
    .name = "mqstat",
    .operands = "[QUEUE]...",
    .purpose = "Show POSIX message queues: those named, or all of this IPC namespace.",
    .options = options,
    .conflicts = conflicts,
    .most_operands = -1,
};

enum {
    NAME,
    MESSAGES,
    MAXMSG,
    MSGSIZE,
    BYTES,
    USE,
    USER,
    GROUP,
    MODE,
    NOTIFY,
    FILL,
    HISTORY,
    PID,
    ACCESS,
    COMMAND
};

static const struct column columns[] = {
    [NAME] = {"NAME", false},       [MESSAGES] = {"MESSAGES", true},
    [MAXMSG] = {"MAXMSG", true},    [MSGSIZE] = {"MSGSIZE", true},
    [BYTES] = {"BYTES", true},      [USE] = {"USE%", true},
    [USER] = {"USER", false},       [GROUP] = {"GROUP", false},
    [MODE] = {"MODE", false},       [NOTIFY] = {"NOTIFY", true},
    [FILL] = {"FILL", false},       [HISTORY] = {"HISTORY", false},
    [PID] = {"PID", true},          [ACCESS] = {"ACCESS", false},
    [COMMAND] = {"COMMAND", false}, {0},
};

static const struct process_columns process_columns = {PID, ACCESS, COMMAND};

#define QUEUE_COLUMNS   "name,messages,maxmsg,msgsize,bytes,use%,user,group,mode,notify"
#define WATCH_COLUMNS   "name,messages,maxmsg,fill,history"
#define PROCESS_COLUMNS "name,pid,access,command"

/* What is known of a queue. */
struct state {
    struct name name;
    bool has_status, has_attributes, has_content;
    struct stat status;
    struct mq_attr attributes;
    unsigned long long bytes, notify; /* the pid registered for notification; 0: none */
};

/* Reading a queue's descriptor gives "QSIZE:… NOTIFY:… SIGNO:… NOTIFY_PID:…". */
static void read_content(struct state *state, int descriptor)
{
    char text[128];

    ssize_t got = pread(descriptor, text, sizeof text - 1, 0);
    if (got <= 0)
        return;
    text[got] = '\0';
    const char *size = strstr(text, "QSIZE:");
    const char *pid = strstr(text, "NOTIFY_PID:");
    if (size == NULL || pid == NULL)
        return;
    state->bytes = strtoull(size + strlen("QSIZE:"), NULL, 10);
    state->notify = strtoull(pid + strlen("NOTIFY_PID:"), NULL, 10);
    state->has_content = true;
}

/* Looks at a queue: as far as its permissions let us, else from outside, in
 * DIRECTORY if that is not -1. False with errno if nothing can be seen. */
static bool look(struct state *state, int directory)
{
    struct queue queue;

    int error = queue_try_open(&queue, &state->name, O_RDONLY);
    if (error == 0)
        read_content(state, queue.descriptor);
    else if (error == EACCES)
        error = queue_try_open(&queue, &state->name, O_WRONLY);
    if (error == 0) {
        state->has_status = fstat(queue.descriptor, &state->status) == 0;
        state->has_attributes = mq_getattr(queue.descriptor, &state->attributes) == 0;
        mq_close(queue.descriptor);
        return true;
    }
    if (error == EACCES && directory >= 0)
        state->has_status =
            fstatat(directory, state->name.text + 1, &state->status, AT_SYMLINK_NOFOLLOW) == 0;
    errno = error;
    return state->has_status;
}

static void fill_row(struct table *table, const void *states, size_t i)
{
    const struct state *state = (const struct state *)states + i;

    table_row(table);
    table_text(table, NAME, state->name.text);
    if (state->has_attributes) {
        unsigned long long messages = (unsigned long long)state->attributes.mq_curmsgs;
        unsigned long long most = (unsigned long long)state->attributes.mq_maxmsg;
        table_number(table, MESSAGES, messages);
        table_number(table, MAXMSG, most);
        table_number(table, MSGSIZE, (unsigned long long)state->attributes.mq_msgsize);
        table_number(table, USE, most == 0 ? 0 : messages * 100 / most);
        gauge_bar(table, FILL, messages, most);
        gauge_history(table, HISTORY, state->name.text, messages, most);
        table_mark(table, gauge_mark(messages, most));
    }
    if (state->has_content) {
        table_number(table, BYTES, state->bytes);
        table_number(table, NOTIFY, state->notify);
    }
    if (state->has_status) {
        table_user(table, USER, state->status.st_uid);
        table_group(table, GROUP, state->status.st_gid);
        table_mode(table, MODE, state->status.st_mode);
    }
}

/* A row per process for each queue; in JSON a row per queue. */
static void fill_processes(struct table *table, const struct state *states, size_t count)
{
    struct object_id *ids = calloc(count + 1, sizeof *ids);

    if (ids == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        ids[i] = (struct object_id){states[i].status.st_dev, states[i].status.st_ino};
    table_processes(table, &process_columns, style.json, ids, count, fill_row, states);
    free(ids);
}

static int show_queues(const struct name *names, size_t count, int directory, bool listed)
{
    struct state *states = calloc(count + 1, sizeof *states);
    int result = STATUS_DONE;
    size_t seen = 0;

    if (states == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++) {
        struct state *state = &states[seen];
        enum status status = STATUS_DONE;
        *state = (struct state){.name = names[i]};
        if (look(state, directory))
            seen++;
        else if (!listed || errno != ENOENT) /* a queue that went since is no error */
            status =
                fail(status_of_error(errno), "cannot look at queue %s: %s", shown(names[i].text),
                     errno == ENOENT ? "no such queue" : error_text(errno));
        if (result == STATUS_DONE)
            result = (int)status;
    }

    struct table *table = table_new(columns, &style,
                                    processes && !style.json         ? PROCESS_COLUMNS
                                    : watching.wanted && !style.json ? WATCH_COLUMNS
                                                                     : QUEUE_COLUMNS);
    if (processes || table_shows_processes(table, &process_columns))
        fill_processes(table, states, seen);
    else
        for (size_t i = 0; i < seen; i++)
            fill_row(table, states, i);
    table_print(table);
    gauge_forget_unseen();
    free(states);
    return result;
}

static int show_all(void)
{
    int directory = queue_directory();
    size_t count;

    if (directory < 0)
        die(STATUS_PERMISSION, "cannot list the queues: no mqueue file system is mounted; as root: "
                               "mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue");
    struct name *names = queue_list(directory, &count);
    int result = show_queues(names, count, directory, true);
    free(names);
    close(directory);
    return result;
}

static int show_named(char **operands, size_t count)
{
    struct name *names = calloc(count, sizeof *names);

    if (names == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        names[i] = queue_name(operands[i]);
    int directory = queue_directory();
    int result = show_queues(names, count, directory, false);
    free(names);
    if (directory >= 0)
        close(directory);
    return result;
}

/* UINT64_MAX stands for none: in JSON, where what is here is a number, that is null, as
 * is one that is not known. */
static void limit_row(struct table *table, const char *name, uint64_t value, bool known)
{
    table_row(table);
    table_text(table, 0, name);
    if (value == UINT64_MAX && !style.json)
        table_text(table, 1, "unlimited");
    else if (known && value < UINT64_MAX)
        table_number(table, 1, value);
}

static int show_limits(void)
{
    static const struct column limit_columns[] = {{"LIMIT", false}, {"VALUE", true}, {0}};
    static const char *const names[] = {"queues_max", "msg_max", "msgsize_max", "msg_default",
                                        "msgsize_default"};
    struct table *table = table_new(limit_columns, &style, "limit,value");

    bool readable = queue_system_limit("msg_max") > 0; /* it is never 0 */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "fs.mqueue.%s", names[i]);
        limit_row(table, name, queue_system_limit(names[i]), readable);
    }
    limit_row(table, "RLIMIT_MSGQUEUE", resource_limit(RLIMIT_MSGQUEUE), true);
    table_print(table);
    return STATUS_DONE;
}

/* OPERANDS end with NULL. */
static int show(void *operands)
{
    char **names = operands;
    size_t count = 0;

    while (names[count] != NULL)
        count++;
    return limits ? show_limits() : count > 0 ? show_named(names, count) : show_all();
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    if (limits && first < argc)
        usage_error("--limits takes no QUEUE");
    return watch(&watching, &style, show, argv + first);
}
