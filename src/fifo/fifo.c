/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* S_ISVTX */
#include "fifo.h"

#include "name.h"
#include "options.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

const char *fifo_instead(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "a regular file";
    case S_IFDIR:
        return "a directory";
    case S_IFLNK:
        return "a symbolic link";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static bool directory_of(const char *path, struct stat *status)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return stat(".", status) == 0;
    char *directory = strdup(path);
    if (directory == NULL)
        die_of_memory();
    directory[slash - path + 1] = '\0';
    bool found = stat(directory, status) == 0;
    free(directory);
    return found;
}

/* Where everyone may create and nobody may remove what is another's, a FIFO
 * may have been put in the way: by then only its owner is a sign of whose it is. */
static bool may_be_planted(const char *path, const struct stat *status)
{
    struct stat directory;

    if (status->st_uid == geteuid() || !directory_of(path, &directory))
        return false;
    return (directory.st_mode & S_ISVTX) != 0 && (directory.st_mode & S_IWOTH) != 0 &&
           status->st_uid != directory.st_uid;
}

static void require_usable(const char *path, const struct stat *status, bool anybodys)
{
    if (!S_ISFIFO(status->st_mode))
        die(STATUS_DATA, "cannot use %s as a FIFO: it is %s", shown(path),
            fifo_instead(status->st_mode));
    if (!anybodys && may_be_planted(path, status))
        die(STATUS_PERMISSION,
            "cannot use FIFO %s: it belongs to user %s, in a directory where everyone may create "
            "files; --existing accepts it",
            shown(path), user_text(status->st_uid).text);
}

static _Noreturn void cannot_open(const char *path, int access, int error)
{
    die(error == ENOTDIR ? STATUS_NO_OBJECT : status_of_error(error),
        "cannot open FIFO %s for %s: %s", shown(path), access == O_RDONLY ? "reading" : "writing",
        error == ENOTDIR ? "no such directory" : error_text(error));
}

/* Opens what is at the path now, once it has been found to be of use. Returns
 * 0; ENOENT; ENXIO where there is no reader; or EAGAIN where it was replaced or
 * removed meanwhile. A writer looks again once it is open: a reader that removes
 * the FIFO and then takes the rest cannot miss one that saw it in place after
 * that. A reader keeps what it has opened: from that moment on it can be written
 * to, by a sender that then removes it. */
static int try_open(struct fifo *fifo, int access, bool anybodys)
{
    struct stat before, opened;

    if (lstat(fifo->path, &before) != 0) {
        if (errno != ENOENT)
            cannot_open(fifo->path, access, errno);
        return ENOENT;
    }
    require_usable(fifo->path, &before, anybodys);
    int fd = open(fifo->path, access | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT && errno != ENXIO && errno != ELOOP)
            cannot_open(fifo->path, access, errno);
        return errno == ELOOP ? EAGAIN : errno;
    }
    if (fstat(fd, &opened) != 0)
        cannot_open(fifo->path, access, errno);
    require_usable(fifo->path, &opened, anybodys);
    fifo->device = opened.st_dev;
    fifo->inode = opened.st_ino;
    if (access == O_WRONLY && !fifo_in_place(fifo)) {
        close(fd);
        return EAGAIN;
    }
    fifo->descriptor = fd;
    return 0;
}

static void make(const char *path, mode_t mode)
{
    /* Without a umask, the mode is exact from the first moment on. */
    mode_t mask = umask(0);
    int result = mkfifo(path, mode);
    int error = errno;
    umask(mask);
    if (result == 0 || error == EEXIST)
        return;
    die(error == ENOTDIR ? STATUS_NO_OBJECT : status_of_error(error), "cannot make FIFO %s: %s",
        shown(path), error == ENOENT ? "no such directory" : error_text(error));
}

enum status fifo_open(struct fifo *fifo, const char *path, int access,
                      const struct fifo_wishes *wishes, const struct patience *patience)
{
    nanoseconds deadline = deadline_after(patience->timeout);
    struct pause pause = {0};
    bool makes = !wishes->existing && !patience->await;

    if (path[0] == '\0')
        usage_error("the path of the FIFO is empty");
    *fifo = (struct fifo){.path = path, .descriptor = -1, .turn = -1};
    for (;;) {
        int error = try_open(fifo, access, wishes->existing);
        if (error == 0)
            return STATUS_DONE;
        if (error == EAGAIN)
            continue;
        if (error == ENOENT && makes) {
            make(path, wishes->mode);
            continue;
        }
        if (error == ENOENT && !patience->await)
            die(STATUS_NO_OBJECT,
                "cannot open FIFO %s: no such FIFO; without --existing it is made", shown(path));
        if (patience->nonblock)
            return STATUS_WOULD_WAIT;
        if (!pause_or_die(&pause, SECOND / 50, deadline))
            return STATUS_TIMED_OUT;
    }
}

/* Whether an error of open(2) or lstat(2) says that a FIFO is not at its path. */
static bool leads_elsewhere(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO;
}

int fifo_renew(struct fifo *fifo)
{
    struct stat status;

    if (!fifo_in_place(fifo))
        return ENOENT; /* another one, opened even for a moment, would seem to have a reader */
    int fd = open(fifo->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return leads_elsewhere(errno) ? ENOENT : errno;
    if (fstat(fd, &status) != 0 || status.st_dev != fifo->device || status.st_ino != fifo->inode) {
        close(fd);
        return ENOENT;
    }
    if (fifo->descriptor != fifo->turn)
        close(fifo->descriptor);
    fifo->descriptor = fd;
    return 0;
}

void fifo_close(struct fifo *fifo)
{
    if (fifo->turn >= 0 && fifo->turn != fifo->descriptor)
        close(fifo->turn);
    close(fifo->descriptor);
    fifo->descriptor = fifo->turn = -1;
}

bool fifo_in_place(const struct fifo *fifo)
{
    struct stat status;

    if (lstat(fifo->path, &status) != 0)
        return !leads_elsewhere(errno);
    return status.st_dev == fifo->device && status.st_ino == fifo->inode;
}

bool fifo_replaced(const struct fifo *fifo)
{
    struct stat status;

    return lstat(fifo->path, &status) == 0 && S_ISFIFO(status.st_mode) &&
           (status.st_dev != fifo->device || status.st_ino != fifo->inode);
}

enum status fifo_remove(struct fifo *fifo)
{
    nanoseconds deadline = deadline_after(SECOND / 20);
    struct pause pause = {0};

    /* So that of two removers the slower cannot remove a FIFO that has been
     * made since. One that takes turns may keep the lock: not waited for. */
    while (!fifo_lock_readers(fifo))
        if (pause_before_looking(&pause, SECOND / 1000, deadline) == WAIT_TIMED_OUT)
            break;
    if (!fifo_in_place(fifo) || unlink(fifo->path) == 0 || errno == ENOENT)
        return STATUS_DONE;
    return fail(status_of_error(errno), "cannot remove FIFO %s: %s", shown(fifo->path),
                error_text(errno));
}

bool fifo_lock_readers(struct fifo *fifo)
{
    if (fifo->turn >= 0)
        return true;
    if (flock(fifo->descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK;
    fifo->turn = fifo->descriptor;
    return true;
}

size_t fifo_unread(const struct fifo *fifo)
{
    int unread = 0;

    ioctl(fifo->descriptor, FIONREAD, &unread);
    return unread > 0 ? (size_t)unread : 0;
}
