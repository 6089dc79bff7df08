/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* makedev */
#include "procs.h"

#include "json.h"
#include "parse.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct numbered_object {
    struct object_id id;
    size_t object;
};

struct search {
    struct numbered_object *objects; /* by inode */
    size_t object_count;
    struct process_uses *uses;
    size_t capacity;
    bool first_seen; /* process 1, which proc(5) mounted with hidepid=2 does not show */
};

void proc_require_descriptors(int error)
{
    if (error == EMFILE || error == ENFILE)
        die(STATUS_SYSTEM, "cannot read /proc: %s", error_text(error));
}

/* The start of the file DIRECTORY/NAME as a string; false if it cannot be read. */
static bool read_start(int directory, const char *name, char *text, size_t size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        proc_require_descriptors(errno);
        return false;
    }
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* One entry for a process and an object, however many descriptors lead there. */
static struct process_use *entry_for(struct search *search, size_t object, pid_t pid,
                                     const char *command)
{
    struct process_uses *uses = search->uses;

    for (size_t i = uses->count; i > 0 && uses->rows[i - 1].pid == pid; i--)
        if (uses->rows[i - 1].object == object)
            return &uses->rows[i - 1];
    if (uses->count == search->capacity) {
        search->capacity = search->capacity == 0 ? 16 : 2 * search->capacity;
        struct process_use *rows = realloc(uses->rows, search->capacity * sizeof *rows);
        if (rows == NULL)
            die_of_memory();
        uses->rows = rows;
    }
    struct process_use *use = &uses->rows[uses->count++];
    *use = (struct process_use){.object = object, .pid = pid};
    snprintf(use->command, sizeof use->command, "%s", command);
    return use;
}

static int by_inode(const void *one, const void *other)
{
    const struct object_id *a = one, *b = &((const struct numbered_object *)other)->id;

    if (a->inode != b->inode)
        return a->inode < b->inode ? -1 : 1;
    return (a->device > b->device) - (a->device < b->device);
}

static int by_inode_and_number(const void *one, const void *other)
{
    const struct numbered_object *a = one, *b = other;
    int order = by_inode(a, b);

    return order != 0 ? order : (a->object > b->object) - (a->object < b->object);
}

/* Of objects that are the same, the first. */
static bool which_object(const struct search *search, dev_t device, ino_t inode, size_t *object)
{
    const struct object_id id = {device, inode};
    const struct numbered_object *found =
        bsearch(&id, search->objects, search->object_count, sizeof *found, by_inode);

    if (found == NULL)
        return false;
    while (found > search->objects && by_inode(&id, found - 1) == 0)
        found--;
    *object = found->object;
    return true;
}

static size_t *first_of_the_same(const struct search *search)
{
    size_t *first = calloc(search->object_count + 1, sizeof *first);

    if (first == NULL)
        die_of_memory();
    for (size_t i = 0, start = 0; i < search->object_count; i++) {
        if (by_inode(&search->objects[start], &search->objects[i]) != 0)
            start = i;
        first[search->objects[i].object] = search->objects[start].object;
    }
    return first;
}

/* A descriptor of the object; access mode from "flags:\t0100002", which fdinfo gives
 * in octal. */
static void add_descriptor(struct search *search, size_t object, pid_t pid, const char *command,
                           int process, const char *descriptor)
{
    char path[64], text[256];

    snprintf(path, sizeof path, "fdinfo/%.32s", descriptor);
    bool known = read_start(process, path, text, sizeof text);
    const char *flags = known ? strstr(text, "flags:") : NULL;
    unsigned long access = flags == NULL ? 0 : strtoul(flags + 6, NULL, 8);
    if ((access & O_PATH) != 0) /* a place in the file system, not a way to read or write */
        return;
    struct process_use *use = entry_for(search, object, pid, command);
    if (!known)
        return;
    access &= O_ACCMODE;
    use->reads = use->reads || access != O_WRONLY;
    use->writes = use->writes || access != O_RDONLY;
    use->descriptor = (int)strtol(descriptor, NULL, 10);
}

/* The same from a line of maps: "START-END rw-s OFFSET MAJOR:MINOR INODE PATH". */
static void look_at_mapping(struct search *search, pid_t pid, const char *command, const char *line)
{
    unsigned major_number, minor_number;
    unsigned long long inode;
    char permissions[5];
    size_t object;

    if (sscanf(line, "%*s %4s %*s %x:%x %llu", permissions, &major_number, &minor_number, &inode) !=
            4 ||
        !which_object(search, makedev(major_number, minor_number), (ino_t)inode, &object))
        return;
    struct process_use *use = entry_for(search, object, pid, command);
    use->maps = true;
    use->reads = use->reads || permissions[0] == 'r';
    /* What is written to a private mapping does not reach the object. */
    use->writes = use->writes || (permissions[1] == 'w' && permissions[3] == 's');
}

/* Root without CAP_SYS_PTRACE may list the descriptors of another user's process,
 * and no more: not even where their links lead. */
static bool may_not_follow(int descriptors, const char *name)
{
    char nowhere[1];

    return (errno == EACCES || errno == EPERM) &&
           readlinkat(descriptors, name, nowhere, sizeof nowhere) < 0 && errno != ENOENT;
}

/* False if they may not be seen. */
static bool look_at_mappings(struct search *search, pid_t pid, int process, const char *command)
{
    char *line = NULL;
    size_t size = 0;

    int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    if (maps == NULL) {
        proc_require_descriptors(errno);
        return errno != EACCES && errno != EPERM;
    }
    while (getline(&line, &size, maps) > 0)
        look_at_mapping(search, pid, command, line);
    free(line);
    fclose(maps);
    return true;
}

static void look_into(struct search *search, pid_t pid, int process, DIR *descriptors)
{
    char command[64] = "";
    struct dirent *entry;
    bool unseen = false;

    if (read_start(process, "comm", command, sizeof command))
        command[strcspn(command, "\n")] = '\0';
    while ((entry = readdir(descriptors)) != NULL) {
        struct stat status;
        size_t object;
        /* As it was last known: the server of some file elsewhere may not answer. */
        if (fstatat(dirfd(descriptors), entry->d_name, &status, AT_STATX_DONT_SYNC) != 0)
            unseen = unseen || may_not_follow(dirfd(descriptors), entry->d_name);
        else if (which_object(search, status.st_dev, status.st_ino, &object))
            add_descriptor(search, object, pid, command, process, entry->d_name);
    }
    unseen = !look_at_mappings(search, pid, process, command) || unseen;
    /* One of our own that is kept from us is the system's, as its first can be. */
    struct stat owner;
    search->uses->hidden += unseen && fstat(process, &owner) == 0 && owner.st_uid != geteuid();
}

/* One that has ended is nobody; any other might have an object open. */
static void not_seen(struct search *search, int error)
{
    proc_require_descriptors(error);
    if (error != ENOENT && error != ESRCH)
        search->uses->hidden++;
}

static void look_at_process(struct search *search, int proc, const char *name)
{
    uint64_t pid;

    if (!parse_number(name, 1, INT32_MAX, &pid) || (pid_t)pid == getpid())
        return;
    search->first_seen = search->first_seen || pid == 1;
    int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) {
        not_seen(search, errno);
        return;
    }
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *descriptors = fd < 0 ? NULL : fdopendir(fd);
    if (descriptors != NULL) {
        look_into(search, (pid_t)pid, process, descriptors);
        closedir(descriptors);
    } else {
        not_seen(search, errno);
    }
    close(process);
}

static int by_object_and_pid(const void *one, const void *other)
{
    const struct process_use *a = one, *b = other;

    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

struct process_uses processes_using(const struct object_id *objects, size_t count)
{
    struct process_uses uses = {0};
    struct search search = {.object_count = count, .uses = &uses};
    struct dirent *entry;

    search.objects = calloc(count + 1, sizeof *search.objects);
    if (search.objects == NULL)
        die_of_memory();
    for (size_t i = 0; i < count; i++)
        search.objects[i] = (struct numbered_object){objects[i], i};
    qsort(search.objects, count, sizeof *search.objects, by_inode_and_number);
    uses.first = first_of_the_same(&search);
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        die(status_of_system_error(errno), "cannot read /proc: %s", error_text(errno));
    while ((entry = readdir(proc)) != NULL)
        look_at_process(&search, dirfd(proc), entry->d_name);
    closedir(proc);
    uses.hidden += !search.first_seen;
    free(search.objects);
    if (uses.count > 0)
        qsort(uses.rows, uses.count, sizeof *uses.rows, by_object_and_pid);
    return uses;
}

void process_uses_free(struct process_uses *uses)
{
    free(uses->rows);
    free(uses->first);
    *uses = (struct process_uses){0};
}

const char *process_access(const struct process_use *use)
{
    static const char *const names[] = {"?", "r", "w", "rw", "m", "rm", "wm", "rwm"};

    return names[use->reads + 2 * use->writes + 4 * use->maps];
}

bool table_shows_processes(const struct table *table, const struct process_columns *columns)
{
    return table_shows(table, columns->pid) || table_shows(table, columns->access) ||
           table_shows(table, columns->command);
}

/* Of who is seen; null where nobody is and some may not be looked into. */
static void add_array(struct table *table, const struct process_use *uses, size_t count,
                      bool some_hidden)
{
    struct buffer members = {0};

    if (count == 0 && some_hidden) {
        json_null(&members, "processes");
        table_json(table, &members);
        buffer_free(&members);
        return;
    }
    json_open(&members, "processes", "[");
    for (size_t i = 0; i < count; i++) {
        json_open(&members, NULL, "{");
        json_number(&members, "pid", (unsigned long long)uses[i].pid);
        json_text(&members, "access", process_access(&uses[i]));
        json_text(&members, "command", uses[i].command);
        json_close(&members, "}");
    }
    json_close(&members, "]");
    table_json(table, &members);
    buffer_free(&members);
}

static const struct process_use *uses_of(const struct process_uses *uses, size_t object,
                                         size_t *count)
{
    size_t low = 0, high = uses->count;

    object = uses->first[object];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (uses->rows[middle].object < object)
            low = middle + 1;
        else
            high = middle;
    }
    for (*count = 0; low + *count < uses->count && uses->rows[low + *count].object == object;)
        ++*count;
    return uses->rows + low;
}

void table_processes(struct table *table, const struct process_columns *columns, bool json,
                     const struct object_id *objects, size_t count,
                     void (*fill_row)(struct table *table, const void *context, size_t i),
                     const void *context)
{
    struct process_uses uses = processes_using(objects, count);

    if (json) { /* they are in the array */
        table_leave_out(table, columns->pid);
        table_leave_out(table, columns->access);
        table_leave_out(table, columns->command);
    }
    for (size_t i = 0; i < count; i++) {
        size_t of_object;
        const struct process_use *use = uses_of(&uses, i, &of_object);
        for (size_t k = 0; k < of_object && !json; k++) {
            fill_row(table, context, i);
            table_number(table, columns->pid, (unsigned long long)use[k].pid);
            table_text(table, columns->access, process_access(&use[k]));
            table_text(table, columns->command, use[k].command);
        }
        if (json) {
            fill_row(table, context, i);
            add_array(table, use, of_object, uses.hidden > 0);
        }
    }
    if (uses.hidden > 0)
        note("%zu process%s of other users may not be looked into; root sees all", uses.hidden,
             uses.hidden == 1 ? "" : "es");
    process_uses_free(&uses);
}
