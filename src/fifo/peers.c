/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall, process_vm_readv, F_GETPIPE_SZ, O_PATH */
#include "peers.h"

#include "buffer.h"
#include "parse.h"
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct search {
    const struct object_id *objects;
    size_t object_count;
    struct buffer rows;  /* of struct peer */
    bool blind;          /* some threads may not be looked at closely enough */
    struct ends *astray; /* of each object */
};

/* The start of the file DIRECTORY/NAME without its newline. */
static bool read_line(int directory, const char *name, char *text, size_t size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        proc_require_descriptors(errno);
        return false;
    }
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return got > 0;
}

/* ---- Blocked in open(2) ------------------------------------------------------ */

/* An open that a thread is in. */
struct opening {
    int directory;      /* a descriptor of that process, or AT_FDCWD */
    unsigned long path; /* an address there */
    int flags;
};

/* From a line of /proc/PID/syscall: number, six arguments, two registers. */
static bool parse_opening(const char *line, pid_t pid, struct opening *opening)
{
    unsigned long a[4];
    long number;

    if (sscanf(line, "%ld %lx %lx %lx %lx", &number, &a[0], &a[1], &a[2], &a[3]) != 5)
        return false;
#ifdef SYS_open
    if (number == SYS_open) {
        *opening = (struct opening){AT_FDCWD, a[0], (int)a[1]};
        return true;
    }
#endif
#ifdef SYS_creat
    if (number == SYS_creat) {
        *opening = (struct opening){AT_FDCWD, a[0], O_WRONLY};
        return true;
    }
#endif
    *opening = (struct opening){(int)a[0], a[1], (int)a[2]};
#ifdef SYS_openat2
    if (number == SYS_openat2) { /* its flags are the first member of what is pointed to */
        uint64_t flags = 0;
        struct iovec here = {&flags, sizeof flags};
        struct iovec there = {(void *)a[2], sizeof flags};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof flags)
            return false;
        opening->flags = (int)flags;
        return true;
    }
#endif
    return number == SYS_openat;
}

/* Reads by pages: the next one may not be there. */
static bool read_string(pid_t pid, unsigned long address, char text[static PATH_MAX])
{
    size_t length = 0;

    while (length < PATH_MAX) {
        size_t size = 4096 - (address + length) % 4096;
        if (size > PATH_MAX - length)
            size = PATH_MAX - length;
        struct iovec here = {text + length, size};
        struct iovec there = {(void *)(address + length), size};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)size)
            return false;
        if (memchr(text + length, '\0', size) != NULL)
            return true;
        length += size;
    }
    return false;
}

/* What the path means to that thread; stat(2) opens nothing. */
static bool stat_as(int thread, int directory, const char *path, struct stat *status)
{
    char base[32] = "cwd";

    if (path[0] == '/')
        snprintf(base, sizeof base, "root");
    else if (directory != AT_FDCWD)
        snprintf(base, sizeof base, "fd/%d", directory);
    while (*path == '/')
        path++;
    int from = openat(thread, base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (from < 0)
        return false;
    bool found = fstatat(from, path, status, 0) == 0;
    close(from);
    return found;
}

/* Another thread of the process may do the same. */
static bool is_known(const struct search *search, const struct peer *peer)
{
    const struct peer *rows = (const struct peer *)(const void *)search->rows.bytes;

    for (size_t i = search->rows.length / sizeof *rows; i > 0 && rows[i - 1].pid == peer->pid; i--)
        if (rows[i - 1].object == peer->object && rows[i - 1].opening &&
            rows[i - 1].reads == peer->reads && rows[i - 1].writes == peer->writes)
            return true;
    return false;
}

static void add_opener(struct search *search, pid_t pid, int thread, const struct stat *status,
                       int flags)
{
    for (size_t i = 0; i < search->object_count; i++) {
        if (search->objects[i].inode != status->st_ino ||
            search->objects[i].device != status->st_dev)
            continue;
        struct peer peer = {.object = i, .pid = pid, .opening = true};
        peer.reads = (flags & O_ACCMODE) != O_WRONLY;
        peer.writes = (flags & O_ACCMODE) != O_RDONLY;
        if (is_known(search, &peer))
            return;
        read_line(thread, "comm", peer.command, sizeof peer.command);
        buffer_add(&search->rows, &peer, sizeof peer);
        return;
    }
}

/* Where a thread sleeps, for only there an open(2) waits for the other end; UNKNOWN
 * is for where that is not for us to see. */
static bool waits_for_partner(int thread, bool unknown)
{
    char sleeps_in[64];

    if (!read_line(thread, "wchan", sleeps_in, sizeof sleeps_in))
        return unknown;
    return strcmp(sleeps_in, "wait_for_partner") == 0;
}

/* An open(2) that waits, while its path leads to no FIFO (any more): the FIFO has been
 * removed, or renamed within its file system. */
static void add_astray(struct search *search, int thread, const struct opening *opening,
                       const char *path)
{
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : (int)(slash - path) + 1;
    char directory[PATH_MAX + 2];
    struct stat status;

    snprintf(directory, sizeof directory, "%.*s.", length, path);
    bool known = stat_as(thread, opening->directory, directory, &status);
    for (size_t i = 0; i < search->object_count; i++) {
        if (known && status.st_dev != search->objects[i].device)
            continue;
        if ((opening->flags & O_ACCMODE) != O_WRONLY)
            search->astray[i].reads = true;
        if ((opening->flags & O_ACCMODE) != O_RDONLY)
            search->astray[i].writes = true;
    }
}

static void look_at_thread(struct search *search, pid_t pid, int tasks, const char *name)
{
    char line[256], path[PATH_MAX];
    struct opening opening = {0};
    struct stat status;

    if (name[0] == '.')
        return;
    int thread = openat(tasks, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (thread < 0) {
        proc_require_descriptors(errno);
        return;
    }
    /* A running thread has "running" there, one that is not to be seen nothing. */
    errno = 0;
    bool opens = read_line(thread, "syscall", line, sizeof line) &&
                 parse_opening(line, pid, &opening) && read_string(pid, opening.path, path);
    bool found = opens && stat_as(thread, opening.directory, path, &status);
    if (found && S_ISFIFO(status.st_mode))
        add_opener(search, pid, thread, &status, opening.flags);
    else if (!found && (errno == EPERM || errno == EACCES) && waits_for_partner(thread, true))
        search->blind = true;
    else if (opens && (found || errno == ENOENT) && waits_for_partner(thread, false))
        add_astray(search, thread, &opening, path);
    close(thread);
}

static void look_at_process(struct search *search, int proc, const char *name)
{
    struct dirent *entry;
    char path[64];
    uint64_t pid;

    if (!parse_number(name, 1, INT32_MAX, &pid) || (pid_t)pid == getpid())
        return;
    snprintf(path, sizeof path, "%.32s/task", name);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    if (tasks == NULL) {
        proc_require_descriptors(errno);
        return;
    }
    while ((entry = readdir(tasks)) != NULL)
        look_at_thread(search, (pid_t)pid, dirfd(tasks), entry->d_name);
    closedir(tasks);
}

static void find_openers(struct search *search)
{
    struct dirent *entry;

    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return;
    while ((entry = readdir(proc)) != NULL)
        look_at_process(search, dirfd(proc), entry->d_name);
    closedir(proc);
}

/* ---- The fill ---------------------------------------------------------------- */

/* A copy of another process's descriptor; -1 where that is not allowed. */
static int borrow(pid_t pid, int descriptor)
{
    int fd = -1;

#if defined SYS_pidfd_open && defined SYS_pidfd_getfd
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return -1;
    fd = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    close(process);
#else
    (void)pid;
    (void)descriptor;
#endif
    return fd;
}

/* The descriptor may lead elsewhere by now. */
static void measure_by(struct fill *fill, const struct object_id *object, int fd)
{
    struct stat status;
    int unread;

    if (fstat(fd, &status) == 0 && status.st_ino == object->inode &&
        status.st_dev == object->device && ioctl(fd, FIONREAD, &unread) == 0) {
        int capacity = fcntl(fd, F_GETPIPE_SZ);
        if (unread >= 0 && capacity >= 0)
            *fill = (struct fill){true, (size_t)unread, (size_t)capacity};
    }
}

static void measure(struct fill *fill, const struct object_id *object,
                    const struct process_use *use)
{
    int fd = borrow(use->pid, use->descriptor);

    if (fd < 0)
        return;
    measure_by(fill, object, fd);
    close(fd);
}

/* By a descriptor that this process was given: it is no peer, for it goes at once. */
static void measure_own(struct fill *fill, const struct object_id *object)
{
    struct dirent *entry;

    DIR *descriptors = opendir("/proc/self/fd");
    while (descriptors != NULL && !fill->known && (entry = readdir(descriptors)) != NULL) {
        uint64_t number;
        if (parse_number(entry->d_name, 0, INT_MAX, &number))
            measure_by(fill, object, (int)number);
    }
    if (descriptors != NULL)
        closedir(descriptors);
}

static int by_object_and_pid(const void *one, const void *other)
{
    const struct peer *a = one, *b = other;

    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

struct peers peers_find(const struct object_id *objects, size_t count)
{
    struct search search = {.objects = objects, .object_count = count};
    struct process_uses uses = processes_using(objects, count);
    struct fill *fill = calloc(count + 1, sizeof *fill);

    search.astray = calloc(count + 1, sizeof *search.astray);
    if (fill == NULL || search.astray == NULL)
        die_of_memory();
    for (size_t i = 0; i < uses.count; i++) {
        const struct process_use *use = &uses.rows[i];
        struct peer peer = {
            .object = use->object, .pid = use->pid, .reads = use->reads, .writes = use->writes};
        memcpy(peer.command, use->command, sizeof peer.command);
        buffer_add(&search.rows, &peer, sizeof peer);
        if (!fill[use->object].known)
            measure(&fill[use->object], &objects[use->object], use);
    }
    for (size_t i = 0; i < count; i++)
        if (!fill[i].known)
            measure_own(&fill[i], &objects[i]);
    find_openers(&search);
    struct peers peers = {.rows = (struct peer *)(void *)search.rows.bytes,
                          .count = search.rows.length / sizeof(struct peer),
                          .hidden = uses.hidden + (search.blind && uses.hidden == 0),
                          .astray = search.astray,
                          .fill = fill};
    process_uses_free(&uses);
    if (peers.count > 0)
        qsort(peers.rows, peers.count, sizeof *peers.rows, by_object_and_pid);
    return peers;
}

void peers_free(struct peers *peers)
{
    free(peers->rows);
    free(peers->fill);
    free(peers->astray);
    *peers = (struct peers){0};
}

const char *peer_access(const struct peer *peer)
{
    if (peer->reads && peer->writes)
        return "rw";
    return peer->writes ? "w" : peer->reads ? "r" : "?";
}
