/* SPDX-License-Identifier: MIT */
#include "rescue.h"

#include "name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static bool open_file(struct saved *saved)
{
    const char *directories[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};

    for (size_t i = 0; saved->file < 0 && i < sizeof directories / sizeof directories[0]; i++) {
        if (directories[i] == NULL || directories[i][0] != '/')
            continue;
        int length = snprintf(saved->path, sizeof saved->path, "%s/%s.XXXXXX", directories[i],
                              reporting.tool);
        if (length > 0 && (size_t)length < sizeof saved->path)
            saved->file = mkstemp(saved->path);
    }
    return saved->file >= 0;
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
static bool keep(struct saved *saved, const struct message *message)
{
    char prefix[24], head[48];

    if (!open_file(saved))
        return false;
    off_t start = lseek(saved->file, 0, SEEK_END);
    int prefix_length = snprintf(prefix, sizeof prefix, "%llu\t",
                                 (unsigned long long)message->number);
    int head_length = snprintf(head, sizeof head, "%zu:%s",
                               (size_t)prefix_length + message->length, prefix);
    struct iovec parts[] = {{head, (size_t)head_length},
                            {(char *)(uintptr_t)message->bytes, message->length},
                            {(char[]){","}, 1}};
    if (write_whole(saved->file, parts, 3))
        return true;
    if (ftruncate(saved->file, start) != 0) /* the records before it stay readable */
        return false;
    return false;
}

void rescue_messages(struct saved *saved, const struct rescuer *rescuer,
                     const struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (saved->file < 0 && rescuer->put_back(rescuer->context, &messages[i]))
            saved->put_back++;
        else if (keep(saved, &messages[i]))
            saved->kept++;
        else
            saved->lost++;
    }
}

enum status rescue_report(const struct saved *saved, const struct rescuer *rescuer)
{
    const char *name = shown(rescuer->queue);

    if (saved->put_back > 0)
        fail(STATUS_SAVED, "%zu message%s put back on queue %s", saved->put_back,
             plural(saved->put_back), name);
    if (saved->kept > 0)
        fail(STATUS_SAVED, "%zu message%s kept in %s (queue %s %s); to send: %s -S -P QUEUE <%s",
             saved->kept, plural(saved->kept), shown(saved->path), name, rescuer->unable,
             rescuer->sender, shown(saved->path));
    if (saved->lost > 0)
        return fail(STATUS_LOST, "%zu message%s from queue %s lost: cannot be put back nor kept: %s",
                    saved->lost, plural(saved->lost), name, strerror(errno));
    return saved->put_back + saved->kept > 0 ? STATUS_SAVED : STATUS_DONE;
}
