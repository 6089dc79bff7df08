/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* mkostemp; POSIX.1-2024 has it */
#include "rescue.h"

#include "limit.h"
#include "name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

static int spare = -1; /* kept free for the file */

void rescue_prepare(void)
{
    spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (spare >= 0 || (errno != EMFILE && errno != EINVAL))
        return;
    die(STATUS_LIMIT,
        "no descriptor is left for a file of messages that can neither be delivered nor put back: "
        "RLIMIT_NOFILE (ulimit -n) allows %llu; nothing was taken",
        (unsigned long long)resource_limit(RLIMIT_NOFILE));
}

static const char *directory_to_keep_in(size_t which)
{
    static const char *const fixed[KEPT_DIRECTORIES] = {NULL, "/tmp", "/var/tmp", "/dev/shm"};

    return which == 0 ? getenv("TMPDIR") : fixed[which];
}

static bool open_file(struct kept *kept, const char *directory)
{
    if (kept->messages > 0)
        return true;
    if (directory == NULL || directory[0] != '/')
        return false;
    int length = snprintf(kept->path, sizeof kept->path, "%s/%s.XXXXXX", directory, reporting.tool);
    if (length < 0 || (size_t)length >= sizeof kept->path)
        return false;
    if (spare >= 0)
        close(spare);
    spare = -1;
    kept->file = mkostemp(kept->path, O_CLOEXEC);
    return kept->file >= 0;
}

static bool write_whole(int fd, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t wrote = writev(fd, parts, count);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        for (; count > 0 && (size_t)wrote >= parts->iov_len; parts++, count--)
            wrote -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + wrote;
            parts->iov_len -= (size_t)wrote;
        }
    }
    return true;
}

/* A netstring with a prefix, written without allocating: memory may be what
 * there is too little of. */
static bool append(int file, const struct message *message)
{
    char prefix[24], head[48];
    int prefix_length =
        snprintf(prefix, sizeof prefix, "%llu\t", (unsigned long long)message->number);
    int head_length =
        snprintf(head, sizeof head, "%zu:%s", (size_t)prefix_length + message->length, prefix);
    struct iovec parts[] = {{head, (size_t)head_length},
                            {(char *)(uintptr_t)message->bytes, message->length},
                            {(char[]){","}, 1}};

    return write_whole(file, parts, 3);
}

/* The records before one that failed stay readable; a file without any goes. */
static void undo(const struct kept *kept, off_t start)
{
    if (kept->messages == 0)
        unlink(kept->path);
    else if (ftruncate(kept->file, start) != 0)
        note("%s ends in an incomplete record", shown(kept->path));
    close(kept->file);
}

static bool keep(struct saved *saved, const struct message *message)
{
    for (; saved->directory < KEPT_DIRECTORIES; saved->directory++) {
        struct kept *kept = &saved->kept[saved->directory];
        const char *directory = directory_to_keep_in(saved->directory);
        if (open_file(kept, directory)) {
            off_t start = lseek(kept->file, 0, SEEK_END);
            if (append(kept->file, message)) {
                kept->messages++;
                return true;
            }
            saved->error = errno;
            undo(kept, start);
        } else if (directory != NULL)
            saved->error = errno;
    }
    return false;
}

enum status rescue_bytes(const char *bytes, size_t length, const char *source)
{
    struct kept kept = {0};
    int error = 0;

    for (size_t i = 0; i < KEPT_DIRECTORIES; i++) {
        struct iovec all = {(char *)(uintptr_t)bytes, length};
        const char *directory = directory_to_keep_in(i);
        if (!open_file(&kept, directory)) {
            error = directory != NULL ? errno : error;
            continue;
        }
        /* Some file systems report a failed write only when it is closed. */
        if (write_whole(kept.file, &all, 1) && close(kept.file) == 0)
            return fail(STATUS_SAVED, "%zu byte%s of %s kept in %s", length, plural(length), source,
                        shown(kept.path));
        error = errno;
        undo(&kept, 0);
    }
    return fail(STATUS_LOST, "%zu byte%s of %s lost: cannot be kept: %s", length, plural(length),
                source, error_text(error));
}

static bool any_kept(const struct saved *saved)
{
    return saved->directory > 0 || saved->kept[0].messages > 0;
}

void rescue_messages(struct saved *saved, const struct rescuer *rescuer,
                     const struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool orderly = !any_kept(saved) || saved->directory == KEPT_DIRECTORIES;
        if (orderly && rescuer->put_back(rescuer->context, &messages[i]))
            saved->put_back++;
        else if (!keep(saved, &messages[i]))
            saved->lost++;
    }
}

enum status rescue_report(const struct saved *saved, const struct rescuer *rescuer)
{
    if (saved->put_back > 0)
        fail(STATUS_SAVED, "%zu message%s put back on queue %s", saved->put_back,
             plural(saved->put_back), shown(rescuer->queue));
    for (const struct kept *kept = saved->kept; kept < saved->kept + KEPT_DIRECTORIES; kept++)
        if (kept->messages > 0)
            fail(STATUS_SAVED,
                 "%zu message%s kept in %s (queue %s %s); to send: %s -S -P QUEUE <%s",
                 kept->messages, plural(kept->messages), shown(kept->path), shown(rescuer->queue),
                 rescuer->unable, rescuer->sender, shown(kept->path));
    if (saved->lost > 0)
        return fail(
            STATUS_LOST, "%zu message%s from queue %s lost: cannot be put back nor kept: %s",
            saved->lost, plural(saved->lost), shown(rescuer->queue), error_text(saved->error));
    return saved->put_back > 0 || any_kept(saved) ? STATUS_SAVED : STATUS_DONE;
}
