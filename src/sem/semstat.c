/* SPDX-License-Identifier: MIT
 *
 * semstat: show POSIX named semaphores, their values and who has them open.
 */
#include "options.h"
#include "procs.h"
#include "semaphore.h"
#include "table.h"
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct table_style style;
static struct watching watching = WATCHING_DEFAULT;
static bool processes;

static const struct option_row options[] = {
    {'p', "processes", NULL, "a row per process that has the semaphore open", .flag = &processes},
    OPTION_JSON(style),
    OPTION_NOHEADINGS(style),
    OPTION_NAMES(style),
    OPTION_OUTPUT(style),
    OPTION_WATCH(watching),
    {0},
};

static const struct option_conflict conflicts[] = {INSPECTING_CONFLICTS, {0}};

static const struct tool tool = {
    .name = "semstat",
    .operands = "[NAME]...",
    .purpose = "Show POSIX named semaphores: those named, or all.",
    .options = options,
    .conflicts = conflicts,
    .most_operands = -1,
    .version = SEMAPHORE_VERSION,
};

enum { NAME, VALUE, USER, GROUP, MODE, PID, ACCESS, COMMAND };

static const struct column columns[] = {
    [NAME] = {"NAME", false},     [VALUE] = {"VALUE", true},      [USER] = {"USER", false},
    [GROUP] = {"GROUP", false},   [MODE] = {"MODE", false},       [PID] = {"PID", true},
    [ACCESS] = {"ACCESS", false}, [COMMAND] = {"COMMAND", false}, {0},
};

static const struct process_columns process_columns = {PID, ACCESS, COMMAND};

#define SEMAPHORE_COLUMNS "name,value,user,group,mode"
#define PROCESS_COLUMNS   "name,pid,access,command"

/* What is known of a semaphore. */
struct state {
    struct name name;
    bool has_value;
    int value;
    struct stat status;
};

static void fill_row(struct table *table, const void *states, size_t i)
{
    const struct state *state = (const struct state *)states + i;

    table_row(table);
    table_text(table, NAME, state->name.text);
    if (state->has_value)
        table_number(table, VALUE, (unsigned long long)state->value);
    table_user(table, USER, state->status.st_uid);
    table_group(table, GROUP, state->status.st_gid);
    table_mode(table, MODE, state->status.st_mode);
}

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

/* The value is read from a copy: nothing is mapped, so that no other program
 * can take it away. What may not be read is still shown from outside. Returns
 * 0 or an errno value, with *WHY for semaphore_failed. */
static int look(struct state *state, struct semaphore_file *why)
{
    int error = semaphore_look(&state->name, O_RDONLY, why);

    state->status = why->status;
    if (error == 0) {
        state->has_value = sem_getvalue(&why->image, &state->value) == 0 && state->value >= 0;
        close(why->descriptor);
    }
    return error == EACCES && why->has_status ? 0 : error;
}

/* Whether a look that failed is worth a word in a list: what has gone since is
 * not, nor, where names do not tell them apart, what is shared memory. */
static bool noteworthy(int error)
{
    return error != ENOENT && (error != EBADMSG || SEMAPHORE_HAS_PREFIX);
}

static int show(const struct name *names, size_t count, bool listed)
{
    struct state *states = calloc(count + 1, sizeof *states);
    struct semaphore_file why;
    int result = STATUS_DONE;
    size_t seen = 0;

    if (states == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++) {
        enum status status = STATUS_DONE;
        states[seen] = (struct state){.name = names[i]};
        int error = look(&states[seen], &why);
        if (error == 0)
            seen++;
        else if (!listed)
            status = semaphore_failed("look at", &names[i], &why, error);
        else if (noteworthy(error) && !reporting.quiet)
            semaphore_failed("look at", &names[i], &why, error);
        if (result == STATUS_DONE)
            result = (int)status;
    }

    struct table *table =
        table_new(columns, &style, processes && !style.json ? PROCESS_COLUMNS : SEMAPHORE_COLUMNS);
    if (processes || table_shows_processes(table, &process_columns))
        fill_processes(table, states, seen);
    else
        for (size_t i = 0; i < seen; i++)
            fill_row(table, states, i);
    table_print(table);
    free(states);
    return result;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct name *)one)->text, ((const struct name *)other)->text);
}

static int show_all(void)
{
    const size_t prefix = strlen(SEMAPHORE_PREFIX);
    struct buffer names = {0};
    struct dirent *entry;

    DIR *directory = opendir(SEMAPHORE_DIRECTORY);
    if (directory == NULL)
        die(status_of_system_error(errno), "cannot list the semaphores in %s: %s",
            SEMAPHORE_DIRECTORY, error_text(errno));
    while ((entry = readdir(directory)) != NULL) {
        const char *bare = entry->d_name + prefix;
        struct name name;
        if (strncmp(entry->d_name, SEMAPHORE_PREFIX, prefix) != 0 || *bare == '\0' ||
            strcmp(bare, ".") == 0 || strcmp(bare, "..") == 0)
            continue;
        snprintf(name.text, sizeof name.text, "/%s", bare);
        buffer_add(&names, &name, sizeof name);
    }
    closedir(directory);
    size_t count = names.length / sizeof(struct name);
    if (count > 0)
        qsort(names.bytes, count, sizeof(struct name), by_name);
    if (!SEMAPHORE_HAS_PREFIX)
        note("semaphores of " SEMAPHORE_LIBRARY " have no names of their own: what else of %zu "
             "bytes looks like one in " SEMAPHORE_DIRECTORY " is listed too",
             sizeof(sem_t));
    int result = show((struct name *)(void *)names.bytes, count, true);
    buffer_free(&names);
    return result;
}

static int show_named(char **operands, size_t count)
{
    struct name *names = calloc(count, sizeof *names);

    if (names == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        names[i] = semaphore_name(operands[i]);
    int result = show(names, count, false);
    free(names);
    return result;
}

/* OPERANDS end with NULL. */
static int look_at(void *operands)
{
    char **names = operands;
    size_t count = 0;

    while (names[count] != NULL)
        count++;
    return count > 0 ? show_named(names, count) : show_all();
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    return watch(&watching, &style, look_at, argv + first);
}
