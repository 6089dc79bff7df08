/* SPDX-License-Identifier: MIT
 *
 * POSIX named semaphores (sem_overview(7)): creating, opening, taking. They
 * are files that the C library maps; which file, and what is in it, differs
 * from library to library.
 *
 * sem_open(3) maps whatever stands under the name, without a look at it, and
 * gives no descriptor. These functions open the file themselves, look, and then
 * map what they have looked at; from there on all is done by sem_wait(3),
 * sem_post(3) and their kin.
 */
#ifndef IPCUTILS_SEMAPHORE_H
#define IPCUTILS_SEMAPHORE_H

#include "name.h"
#include "report.h"
#include "wait.h"

#include <limits.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* POSIX: at least 32767; Linux: INT_MAX, with glibc and with musl. */
#ifndef SEM_VALUE_MAX
#define SEM_VALUE_MAX INT_MAX
#endif

#define SEMAPHORE_DIRECTORY "/dev/shm"
#ifdef __GLIBC__
#define SEMAPHORE_PREFIX  "sem."
#define SEMAPHORE_LIBRARY "glibc"
#else
#define SEMAPHORE_PREFIX  ""
#define SEMAPHORE_LIBRARY "musl"
#endif

/* Without a prefix a semaphore cannot be told from shared memory by its name. */
#define SEMAPHORE_HAS_PREFIX (sizeof SEMAPHORE_PREFIX > 1)

/* For --version: another library's semaphores are other objects. */
#define SEMAPHORE_VERSION                                                                          \
    "semaphores of " SEMAPHORE_LIBRARY ", kept as " SEMAPHORE_DIRECTORY "/" SEMAPHORE_PREFIX "NAME"

#define SEMAPHORE_MODE_DEFAULT 0600

struct name semaphore_name(const char *operand);

/* What a semaphore is created with. */
struct semaphore_attributes {
    uint64_t value; /* at most SEM_VALUE_MAX */
    mode_t mode;
    uid_t user;  /* (uid_t)-1: whoever creates it */
    gid_t group; /* (gid_t)-1: likewise */
};

/* Creates a semaphore that is not there yet. Returns 0, or the status after
 * saying why not; EXISTS is not said, the caller knows better. */
enum status semaphore_create(const struct name *name, struct semaphore_attributes attributes);

/* What stands under a name. */
struct semaphore_file {
    int descriptor; /* -1 if it is not open */
    bool has_status;
    struct stat status;
    sem_t image;       /* a copy: for sem_getvalue(3) only; valid while descriptor >= 0 */
    const char *wrong; /* NULL, or why it is no semaphore; valid until the next look */
};

/* Looks without mapping, and without opening what is not a regular file. ACCESS
 * is O_RDONLY or O_RDWR. Returns 0, or an errno value: EBADMSG if it is no
 * semaphore. On 0 the descriptor is the caller's to close. */
int semaphore_look(const struct name *name, int access, struct semaphore_file *file);

/* Says that a look at it ended in ERROR, while one tried to ACT ("open"). */
enum status semaphore_failed(const char *act, const struct name *name,
                             const struct semaphore_file *file, int error);

struct semaphore {
    struct name name;
    int descriptor;
    struct stat status; /* when it was opened */
    sem_t *counter;     /* mapped */
};

/* Opens a semaphore, with patience->await once it is there. Returns 0, or
 * STATUS_TIMED_OUT without a word; ends the process for anything else. WAY_OUT is
 * what the user can do about a missing one; NULL: NO_OBJECT is returned instead. */
enum status semaphore_open(struct semaphore *semaphore, const struct name *name,
                           const struct patience *patience, const char *way_out);

/* Takes COUNT from it: all or, after giving back what it had, none. Returns 0,
 * STATUS_WOULD_WAIT or STATUS_TIMED_OUT without a word, or STATUS_GONE if the
 * semaphore has been removed, after saying so. A signal that is caught while it
 * waits ends the process. Only after signals_catch. */
enum status semaphore_take(struct semaphore *semaphore, uint64_t count,
                           const struct patience *patience);

/* Adds one: 0, or the status after saying why not. */
enum status semaphore_post(const struct semaphore *semaphore);

#endif
