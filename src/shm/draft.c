/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_TMPFILE */
#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* A name cannot be given to an unnamed file and be taken from another in one
 * system call: for an instant the new object has a hidden name. There are a few
 * for each object and user; whoever uses one holds a lock on the file there, so
 * that one without a lock is known to be left over. */
enum { PLACES = 8 };

/* Through which link(2) finds what has no name. */
#define DESCRIPTORS "/proc/self/fd"

static struct name place_of(const struct name *name, int place)
{
    uint64_t hash =
        UINT64_C(14695981039346656037); /* FNV-1a: the name may be too long to be used */
    struct name hidden;

    for (const char *at = name->text; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    snprintf(hidden.text, sizeof hidden.text, "/.ipcutils.%lu.%016llx.%d", (unsigned long)geteuid(),
             (unsigned long long)hash, place);
    return hidden;
}

static void sweep_place(const struct name *place)
{
    const struct object_path path = object_path(place);
    struct object object;
    struct stat now;

    if (object_try_open(&object, place, OBJECT_TO_LOCK) != 0)
        return;
    if (flock(object.fd, LOCK_EX | LOCK_NB) == 0 && lstat(path.text, &now) == 0 &&
        now.st_ino == object.status.st_ino)
        unlink(path.text);
    object_close(&object);
}

void draft_sweep(const struct name *name)
{
    for (int i = 0; i < PLACES; i++) {
        struct name place = place_of(name, i);
        sweep_place(&place);
    }
}

static int lock_draft(const struct draft *draft)
{
    return flock(draft->fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

/* For a file system without O_TMPFILE, or where no name can be given to what
 * has none: a file that has its hidden name from the start. */
static int start_placed(struct draft *draft, const struct name *name)
{
    int error = EEXIST;

    draft_sweep(name);
    for (int i = 0; i < PLACES && error == EEXIST; i++) {
        draft->place = place_of(name, i);
        draft->fd = open(object_path(&draft->place).text,
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        error = draft->fd < 0 ? errno : lock_draft(draft);
    }
    draft->placed = error == 0;
    return error == EEXIST ? EBUSY : error;
}

int draft_start(struct draft *draft, const struct name *name)
{
    *draft = (struct draft){.fd = -1};
    if (access(DESCRIPTORS, F_OK) != 0)
        return start_placed(draft, name);
    draft->fd = open(OBJECT_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (draft->fd >= 0)
        return 0;
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
        return start_placed(draft, name);
    return errno;
}

int draft_start_scratch(struct draft *draft, const struct name *name)
{
    int error = draft_start(draft, name);

    if (draft->placed && unlink(object_path(&draft->place).text) == 0) {
        draft->placed = false;
        draft->nameless = true;
    }
    return error;
}

int draft_attributes(const struct draft *draft, uid_t user, gid_t group, mode_t mode)
{
    /* In this order: the mode does not apply to the wrong owner for a moment. */
    if ((user != (uid_t)-1 || group != (gid_t)-1) && fchown(draft->fd, user, group) != 0)
        return errno;
    return fchmod(draft->fd, mode) == 0 ? 0 : errno;
}

/* Links the unnamed file: 0 or an errno value. */
static int link_as(const struct draft *draft, const struct name *name)
{
    char source[48];

    snprintf(source, sizeof source, DESCRIPTORS "/%d", draft->fd);
    return linkat(AT_FDCWD, source, AT_FDCWD, object_path(name).text, AT_SYMLINK_FOLLOW) == 0
               ? 0
               : errno;
}

int draft_publish(struct draft *draft, const struct name *name)
{
    if (!draft->placed)
        return link_as(draft, name);
    if (link(object_path(&draft->place).text, object_path(name).text) != 0)
        return errno;
    unlink(object_path(&draft->place).text);
    draft->placed = false;
    return 0;
}

static int take_place(struct draft *draft, const struct name *name)
{
    int error = lock_draft(draft);

    if (error != 0)
        return error;
    draft_sweep(name);
    error = EEXIST;
    for (int i = 0; i < PLACES && error == EEXIST; i++) {
        draft->place = place_of(name, i);
        error = link_as(draft, &draft->place);
    }
    draft->placed = error == 0;
    return error == EEXIST ? EBUSY : error;
}

int draft_replace(struct draft *draft, const struct name *name)
{
    int error = draft->placed ? 0 : take_place(draft, name);

    if (error != 0)
        return error;
    if (rename(object_path(&draft->place).text, object_path(name).text) != 0)
        return errno;
    draft->placed = false;
    return 0;
}

void draft_discard(struct draft *draft)
{
    if (draft->placed)
        unlink(object_path(&draft->place).text);
    if (draft->fd >= 0)
        close(draft->fd);
    *draft = (struct draft){.fd = -1};
}
