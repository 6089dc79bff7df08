/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_TMPFILE, MAP_POPULATE */
#include "journal.h"

#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    FILL = 0xff,
    TMPFS = 0x01021994 /* as statfs(2) tells it */
};
#define MAGIC      "mqrun 1\n"
#define SLOT_FREE  UINT32_MAX /* in the place of a priority */
#define NOT_STORED UINT64_MAX /* in the place of a length */

struct header {
    char magic[8];
    uint64_t slots, slot_size, message_size;
    struct name queue;
};

/* Volatile: each store is to be in the file before the next system call. */
struct slot {
    volatile uint32_t priority;
    volatile uint32_t attempts; /* begun */
    volatile uint64_t length;
    char bytes[];
};

static size_t in_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

static size_t file_size(const struct journal *journal)
{
    return in_pages(sizeof(struct header)) + journal->slots * journal->slot_size;
}

static struct header *header_of(const struct journal *journal)
{
    return (struct header *)(void *)journal->map;
}

static struct slot *slot_at(const struct journal *journal, size_t i)
{
    return (struct slot *)(void *)(journal->map + in_pages(sizeof(struct header)) +
                                   i * journal->slot_size);
}

/* ---- Opening ---------------------------------------------------------------- */

static _Noreturn void refuse(const struct journal *journal, const char *why)
{
    die(STATUS_DATA, "cannot use %s as a journal: %s; it is left as it is", shown(journal->path),
        why);
}

static _Noreturn void no_memory(const struct journal *journal, int error)
{
    if (error == ENOSPC || error == EDQUOT)
        die(STATUS_LIMIT, "cannot make journal %s: its %zu bytes are more than is free there",
            shown(journal->path), file_size(journal));
    if (error == EFBIG)
        die(STATUS_LIMIT,
            "cannot make journal %s: it has %zu bytes, and RLIMIT_FSIZE (ulimit -f) allows a file "
            "%llu",
            shown(journal->path), file_size(journal),
            (unsigned long long)resource_limit(RLIMIT_FSIZE));
    if (error == EAGAIN || error == ENOMEM || error == EPERM)
        die(STATUS_LIMIT,
            "cannot keep the %zu bytes of journal %s in memory: RLIMIT_MEMLOCK (ulimit -l) allows "
            "%llu bytes; fewer --jobs take less",
            file_size(journal), shown(journal->path),
            (unsigned long long)resource_limit(RLIMIT_MEMLOCK));
    die(status_of_error(error), "cannot make journal %s: %s", shown(journal->path),
        error_text(error));
}

static void require_tmpfs(const struct journal *journal)
{
    struct statfs system;

    if (fstatfs(journal->fd, &system) == 0 && system.f_type == TMPFS)
        return;
    refuse(journal, "it is not on a tmpfs, as in /dev/shm or /run, where writing to a mapped page "
                    "cannot fail");
}

static _Noreturn void cannot_map(const struct journal *journal, int error)
{
    uint64_t most = resource_limit(RLIMIT_AS);

    if (error == ENOMEM && most != UINT64_MAX)
        die(STATUS_LIMIT,
            "cannot map the %zu bytes of journal %s: RLIMIT_AS (ulimit -v) allows mqrun %llu bytes "
            "in all; fewer --jobs take less",
            file_size(journal), shown(journal->path), (unsigned long long)most);
    die(status_of_error(error), "cannot map journal %s: %s", shown(journal->path),
        error_text(error));
}

static void map(struct journal *journal)
{
    void *address = mmap(NULL, file_size(journal), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_POPULATE, journal->fd, 0);

    if (address == MAP_FAILED)
        cannot_map(journal, errno);
    journal->map = address;
}

/* The kernel must never meet a page of it that it cannot have while it holds a
 * message: they are all there, and stay. */
static void keep_in_memory(const struct journal *journal)
{
    if (mlock(journal->map, file_size(journal)) != 0)
        no_memory(journal, errno);
}

/* F_SETLK: a child between fork(2) and exec(3) does not inherit it, and so
 * cannot keep it from the next mqrun. */
static void lock(const struct journal *journal)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(journal->fd, F_SETLK, &whole) == 0)
        return;
    if (errno == EAGAIN || errno == EACCES)
        die(STATUS_LIMIT, "journal %s is in use by another mqrun: each needs one of its own",
            shown(journal->path));
    die(STATUS_SYSTEM, "cannot lock journal %s: %s", shown(journal->path), error_text(errno));
}

static void give_up(struct journal *journal)
{
    munmap(journal->map, file_size(journal));
    close(journal->fd);
}

/* Made without a name, and named when it is whole: there is no half a journal. False
 * if another mqrun was faster. */
static bool make(struct journal *journal, const struct queue *queue)
{
    char *directory = strdup(journal->path);
    char descriptor[32];

    if (directory == NULL)
        die_of_memory();
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory] = '\0';
    journal->fd = open(slash == NULL ? "." : directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    free(directory);
    if (journal->fd < 0 && errno == EOPNOTSUPP)
        refuse(journal, "it would not be on a tmpfs, as in /dev/shm or /run");
    if (journal->fd < 0 && errno == ENOENT)
        die(STATUS_DATA, "cannot make journal %s: there is no such directory",
            shown(journal->path));
    if (journal->fd < 0)
        die(status_of_error(errno), "cannot make journal %s: %s", shown(journal->path),
            error_text(errno));
    require_tmpfs(journal);
    int error = posix_fallocate(journal->fd, 0, (off_t)file_size(journal));
    if (error != 0)
        no_memory(journal, error);
    map(journal);
    keep_in_memory(journal);
    for (size_t i = 0; i < journal->slots; i++)
        slot_at(journal, i)->priority = SLOT_FREE;
    struct header *header = header_of(journal);
    *header = (struct header){.slots = journal->slots,
                              .slot_size = journal->slot_size,
                              .message_size = journal->message_size,
                              .queue = queue->name};
    memcpy(header->magic, MAGIC, sizeof header->magic);
    lock(journal);
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", journal->fd);
    if (linkat(AT_FDCWD, descriptor, AT_FDCWD, journal->path, AT_SYMLINK_FOLLOW) == 0)
        return true;
    if (errno == ENOENT)
        die(STATUS_SYSTEM, "cannot make journal %s: its directory has gone, or there is no /proc",
            shown(journal->path));
    if (errno != EEXIST)
        die(status_of_error(errno), "cannot make journal %s: %s", shown(journal->path),
            error_text(errno));
    give_up(journal);
    return false;
}

/* Reads the header of the file that is there; the SIZE is what it should have. */
static void check(const struct journal *journal, const struct queue *queue, off_t size,
                  struct header *header)
{
    static const char damaged[] = "it is damaged, or no journal of mqrun";

    if (pread(journal->fd, header, sizeof *header, 0) != (ssize_t)sizeof *header ||
        memcmp(header->magic, MAGIC, sizeof header->magic) != 0 || header->slots == 0 ||
        header->slots > UINT16_MAX || header->message_size > SIZE_MAX / 2 / UINT16_MAX ||
        header->slot_size != in_pages(sizeof(struct slot) + header->message_size) ||
        (uint64_t)size != in_pages(sizeof *header) + header->slots * header->slot_size ||
        memchr(header->queue.text, '\0', sizeof header->queue.text) == NULL)
        refuse(journal, damaged);
    if (strcmp(header->queue.text, queue->name.text) != 0)
        die(STATUS_DATA, "cannot use %s as a journal: it is that of queue %s; it is left as it is",
            shown(journal->path), shown(header->queue.text));
}

static bool is_empty(const struct journal *journal)
{
    for (size_t i = 0; i < journal->slots; i++)
        if (slot_at(journal, i)->priority != SLOT_FREE)
            return false;
    return true;
}

static bool still_named(const struct journal *journal, const struct stat *status)
{
    struct stat there;

    return lstat(journal->path, &there) == 0 && there.st_dev == status->st_dev &&
           there.st_ino == status->st_ino;
}

/* Opens and locks what is there; false if there is nothing. */
static bool open_and_lock(struct journal *journal, struct stat *status)
{
    for (;;) {
        journal->fd = open(journal->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (journal->fd < 0 && errno == ENOENT)
            return false;
        if (journal->fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
            refuse(journal, "it is no regular file");
        if (journal->fd < 0)
            die(status_of_error(errno), "cannot open journal %s: %s", shown(journal->path),
                error_text(errno));
        if (fstat(journal->fd, status) != 0 || !S_ISREG(status->st_mode))
            refuse(journal, "it is no regular file");
        require_tmpfs(journal);
        lock(journal);
        if (still_named(journal, status))
            return true;
        close(journal->fd); /* it was removed, or replaced, before it was locked */
    }
}

/* Whether the file that is there is the journal wanted. One that has another shape,
 * or is empty as mktemp(1) makes it, is removed for a new one to be made. */
static bool open_existing(struct journal *journal, const struct queue *queue)
{
    const struct journal wanted = *journal;
    struct stat status;
    struct header header;

    if (!open_and_lock(journal, &status))
        return false;
    if (fstat(journal->fd, &status) == 0 && status.st_size > 0) {
        check(journal, queue, status.st_size, &header);
        journal->slots = header.slots;
        journal->slot_size = header.slot_size;
        journal->message_size = header.message_size;
        map(journal);
        bool same = wanted.slots == journal->slots && wanted.message_size == journal->message_size;
        if (same) {
            keep_in_memory(journal);
            return true;
        }
        if (!is_empty(journal))
            die(STATUS_DATA,
                "journal %s holds messages of a run with --jobs=%zu and a message size of %zu: "
                "finish them in the same way first",
                shown(journal->path), journal->slots, journal->message_size);
        munmap(journal->map, file_size(journal));
    } else if (status.st_uid != geteuid()) {
        refuse(journal, "it is an empty file of another user");
    }
    if (unlink(journal->path) != 0 && errno != ENOENT)
        die(status_of_error(errno), "cannot replace journal %s: %s", shown(journal->path),
            error_text(errno));
    close(journal->fd);
    *journal = wanted;
    return false;
}

struct journal journal_open(const char *path, const struct queue *queue, size_t slots)
{
    struct journal journal = {.path = path,
                              .slots = slots,
                              .slot_size = in_pages(sizeof(struct slot) + queue->message_size),
                              .message_size = queue->message_size};

    while (!open_existing(&journal, queue) && !make(&journal, queue))
        continue;
    return journal;
}

/* ---- Slots ------------------------------------------------------------------- */

char *journal_bytes(const struct journal *journal, size_t i)
{
    return slot_at(journal, i)->bytes;
}

ssize_t journal_receive(struct journal *journal, size_t i, mqd_t descriptor, unsigned *priority)
{
    struct slot *slot = slot_at(journal, i);

    slot->attempts = 0;
    slot->length = NOT_STORED;
    memset(slot->bytes, FILL, journal->message_size);
    ssize_t length = mq_receive(descriptor, slot->bytes, journal->message_size,
                                (unsigned *)(uintptr_t)&slot->priority);
    if (length < 0)
        return length;
    slot->length = (uint64_t)length;
    *priority = slot->priority;
    return length;
}

bool journal_holds(const struct journal *journal, size_t i, struct message *message,
                   unsigned long *attempts)
{
    const struct slot *slot = slot_at(journal, i);

    if (slot->priority == SLOT_FREE)
        return false;
    size_t length = slot->length <= journal->message_size ? slot->length : journal->message_size;
    if (slot->length == NOT_STORED)
        while (length > 0 && (unsigned char)slot->bytes[length - 1] == FILL)
            length--;
    *message = (struct message){slot->bytes, length, slot->priority};
    *attempts = slot->attempts;
    return true;
}

void journal_attempt(struct journal *journal, size_t i, unsigned long attempt)
{
    slot_at(journal, i)->attempts = (uint32_t)attempt;
}

void journal_free(struct journal *journal, size_t i)
{
    slot_at(journal, i)->priority = SLOT_FREE;
}
