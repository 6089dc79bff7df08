/* SPDX-License-Identifier: MIT
 *
 * shmstat: show POSIX shared memory objects, their locks, and the processes
 * that have them open or mapped.
 */
#include "lock.h"
#include "object.h"
#include "options.h"
#include "procs.h"
#include "table.h"
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

static struct table_style style;
static struct watching watching = WATCHING_DEFAULT;
static bool processes;

static const struct option_row options[] = {
    {'p', "processes", NULL, "a row per process that has it open or mapped", .flag = &processes},
    OPTION_JSON(style),
    OPTION_NOHEADINGS(style),
    OPTION_NAMES(style),
    OPTION_OUTPUT(style),
    OPTION_WATCH(watching),
    {0},
};

static const struct option_conflict conflicts[] = {INSPECTING_CONFLICTS, {0}};

static const struct tool tool = {
    .name = "shmstat",
    .operands = "[NAME]...",
    .purpose = "Show POSIX shared memory objects: those named, or all.",
    .options = options,
    .conflicts = conflicts,
    .most_operands = -1,
};

enum { NAME, SIZE, RESIDENT, USER, GROUP, MODE, MODIFIED, LOCK, PID, ACCESS, COMMAND };

static const struct column columns[] = {
    [NAME] = {"NAME", false},     [SIZE] = {"SIZE", true},        [RESIDENT] = {"RESIDENT", true},
    [USER] = {"USER", false},     [GROUP] = {"GROUP", false},     [MODE] = {"MODE", false},
    [LOCK] = {"LOCK", false},     [PID] = {"PID", true},          [MODIFIED] = {"MODIFIED", false},
    [ACCESS] = {"ACCESS", false}, [COMMAND] = {"COMMAND", false}, {0},
};

static const struct process_columns process_columns = {PID, ACCESS, COMMAND};

#define OBJECT_COLUMNS  "name,size,resident,user,group,mode,modified,lock"
#define PROCESS_COLUMNS "name,pid,access,command"

struct state {
    struct name name;
    struct stat status;
};

/* What there is to show. */
struct states {
    struct buffer rows; /* of struct state */
    struct lock_list locks;
};

static const struct state *state_at(const struct states *states, size_t i)
{
    return (const struct state *)(const void *)states->rows.bytes + i;
}

static size_t state_count(const struct states *states)
{
    return states->rows.length / sizeof(struct state);
}

/* In UTC: the same for whoever reads it. */
static void fill_time(struct table *table, time_t at)
{
    char text[32];
    struct tm parts;

    if (gmtime_r(&at, &parts) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        table_text(table, MODIFIED, text);
}

static void fill_row(struct table *table, const void *context, size_t i)
{
    const struct states *states = context;
    const struct state *state = state_at(states, i);
    const struct lock *lock =
        lock_list_find(&states->locks, state->status.st_dev, state->status.st_ino);

    table_row(table);
    table_text(table, NAME, state->name.text);
    table_number(table, SIZE, (unsigned long long)state->status.st_size);
    table_number(table, RESIDENT, (unsigned long long)state->status.st_blocks * 512);
    table_user(table, USER, state->status.st_uid);
    table_group(table, GROUP, state->status.st_gid);
    table_mode(table, MODE, state->status.st_mode);
    fill_time(table, state->status.st_mtime);
    if (!states->locks.unknown)
        table_text(table, LOCK,
                   lock == NULL            ? "none"
                   : lock->kind == LOCK_EX ? "exclusive"
                                           : "shared");
}

static void fill_processes(struct table *table, const struct states *states)
{
    size_t count = state_count(states);
    struct object_id *ids = calloc(count + 1, sizeof *ids);

    if (ids == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++) {
        const struct stat *status = &state_at(states, i)->status;
        ids[i] = (struct object_id){status->st_dev, status->st_ino};
    }
    table_processes(table, &process_columns, style.json, ids, count, fill_row, states);
    free(ids);
}

static void show(struct states *states)
{
    struct table *table =
        table_new(columns, &style, processes && !style.json ? PROCESS_COLUMNS : OBJECT_COLUMNS);

    if (table_shows(table, LOCK))
        states->locks = lock_list();
    if (processes || table_shows_processes(table, &process_columns))
        fill_processes(table, states);
    else
        for (size_t i = 0; i < state_count(states); i++)
            fill_row(table, states, i);
    table_print(table);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct state *)one)->name.text, ((const struct state *)other)->name.text);
}

/* Everything in the directory that is an object. One that goes meanwhile is no
 * error. */
static void look_at_all(struct states *states)
{
    struct dirent *entry;
    struct state state;

    DIR *directory = opendir(OBJECT_DIRECTORY);
    if (directory == NULL)
        die(status_of_system_error(errno), "cannot list %s: %s", OBJECT_DIRECTORY,
            error_text(errno));
    while ((entry = readdir(directory)) != NULL) {
        if (strncmp(entry->d_name, "sem.", 4) == 0 ||
            fstatat(dirfd(directory), entry->d_name, &state.status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(state.status.st_mode))
            continue;
        snprintf(state.name.text, sizeof state.name.text, "/%s", entry->d_name);
        buffer_add(&states->rows, &state, sizeof state);
    }
    closedir(directory);
    if (state_count(states) > 0)
        qsort(states->rows.bytes, state_count(states), sizeof state, by_name);
}

static int look_at_named(struct states *states, char **names)
{
    int result = STATUS_DONE;

    for (size_t i = 0; names[i] != NULL; i++)
        object_name(names[i]); /* a bad name is refused before anything is shown */
    for (size_t i = 0; names[i] != NULL; i++) {
        struct state state = {.name = object_name(names[i])};
        int error = object_look(&state.name, &state.status);
        if (error == 0) {
            buffer_add(&states->rows, &state, sizeof state);
            continue;
        }
        enum status status =
            fail(object_error_status(error), "cannot look at shared memory object %s: %s",
                 shown(state.name.text), object_error(error));
        if (result == STATUS_DONE)
            result = (int)status;
    }
    return result;
}

/* OPERANDS end with NULL. */
static int look(void *operands)
{
    char **names = operands;
    struct states states = {0};
    int result = STATUS_DONE;

    if (names[0] != NULL)
        result = look_at_named(&states, names);
    else
        look_at_all(&states);
    show(&states);
    buffer_free(&states.rows);
    free(states.locks.locks);
    return result;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    return watch(&watching, &style, look, argv + first);
}
