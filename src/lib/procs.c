/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* makedev */
#include "procs.h"

#include "parse.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct search {
    const struct object_id *objects;
    size_t object_count;
    bool mappings; /* some object can be mapped */
    struct process_uses *uses;
    size_t capacity;
};

/* The start of the file DIRECTORY/NAME as a string; false if it cannot be read. */
static bool read_start(int directory, const char *name, char *text, size_t size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
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

static bool which_object(const struct search *search, dev_t device, ino_t inode, size_t *object)
{
    for (size_t i = 0; i < search->object_count; i++)
        if (search->objects[i].inode == inode && search->objects[i].device == device) {
            *object = i;
            return true;
        }
    return false;
}

/* Access mode from "flags:\t0100002", which fdinfo gives in octal. */
static void add_access(struct process_use *use, int process, const char *descriptor)
{
    char path[64], text[256];

    snprintf(path, sizeof path, "fdinfo/%.32s", descriptor);
    if (!read_start(process, path, text, sizeof text))
        return;
    const char *flags = strstr(text, "flags:");
    unsigned long access = flags == NULL ? 0 : strtoul(flags + 6, NULL, 8) & O_ACCMODE;
    use->reads = use->reads || access != O_WRONLY;
    use->writes = use->writes || access != O_RDONLY;
}

static struct process_use *use_of(struct search *search, size_t object, pid_t pid, int process)
{
    char command[64] = "";

    if (read_start(process, "comm", command, sizeof command))
        command[strcspn(command, "\n")] = '\0';
    return entry_for(search, object, pid, command);
}

/* Lines such as "7f…-7f… rw-s 00000000 00:17 1234  /dev/shm/sem.jobs". */
static void look_at_mappings(struct search *search, pid_t pid, int process)
{
    char line[PATH_MAX + 128];

    int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    if (maps == NULL)
        return;
    while (fgets(line, sizeof line, maps) != NULL) {
        char allowed[5];
        unsigned high, low;
        unsigned long long inode;
        size_t object;
        if (sscanf(line, "%*s %4s %*s %x:%x %llu", allowed, &high, &low, &inode) != 4 ||
            !which_object(search, makedev(high, low), (ino_t)inode, &object) ||
            !search->objects[object].mappable)
            continue;
        struct process_use *use = use_of(search, object, pid, process);
        use->reads = use->reads || allowed[0] == 'r';
        use->writes = use->writes || allowed[1] == 'w';
    }
    fclose(maps);
}

static void look_at_descriptors(struct search *search, pid_t pid, int process, DIR *descriptors)
{
    struct dirent *entry;

    while ((entry = readdir(descriptors)) != NULL) {
        struct stat status;
        size_t object;
        if (fstatat(dirfd(descriptors), entry->d_name, &status, 0) != 0 ||
            !which_object(search, status.st_dev, status.st_ino, &object))
            continue;
        add_access(use_of(search, object, pid, process), process, entry->d_name);
    }
}

static void look_at_process(struct search *search, int proc, const char *name)
{
    uint64_t pid;

    if (!parse_number(name, 1, INT32_MAX, &pid) || (pid_t)pid == getpid())
        return;
    int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return;
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *descriptors = fd < 0 ? NULL : fdopendir(fd);
    if (descriptors != NULL) {
        look_at_descriptors(search, (pid_t)pid, process, descriptors);
        closedir(descriptors);
        if (search->mappings)
            look_at_mappings(search, (pid_t)pid, process);
    } else if (errno == EACCES) {
        search->uses->hidden++;
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
    struct search search = {.objects = objects, .object_count = count, .uses = &uses};
    struct dirent *entry;

    for (size_t i = 0; i < count; i++)
        search.mappings = search.mappings || objects[i].mappable;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        die(status_of_error(errno), "cannot read /proc: %s", strerror(errno));
    while ((entry = readdir(proc)) != NULL)
        look_at_process(&search, dirfd(proc), entry->d_name);
    closedir(proc);
    if (uses.count > 0)
        qsort(uses.rows, uses.count, sizeof *uses.rows, by_object_and_pid);
    return uses;
}

void process_uses_free(struct process_uses *uses)
{
    free(uses->rows);
    *uses = (struct process_uses){0};
}

const char *process_access(const struct process_use *use)
{
    if (use->reads && use->writes)
        return "rw";
    return use->writes ? "w" : use->reads ? "r" : "?";
}
