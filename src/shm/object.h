/* SPDX-License-Identifier: MIT
 *
 * POSIX shared memory objects (shm_overview(7)): opening what is one and
 * refusing what is not, under a lock that is still that of the name, and with
 * memory that is reserved before the first byte changes. On Linux an object is
 * a regular file in /dev/shm, a tmpfs.
 */
#ifndef IPCUTILS_OBJECT_H
#define IPCUTILS_OBJECT_H

#include "name.h"
#include "report.h"
#include "wait.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define OBJECT_DIRECTORY    "/dev/shm"
#define OBJECT_MODE_DEFAULT 0600

/* The bytes that are read or written at a time. */
enum { OBJECT_CHUNK = 256 * 1024 };

/* Up to here, data is in memory while it waits for input or output. */
enum { OBJECT_IN_MEMORY = 1024 * 1024 };

struct object {
    struct name name;
    int fd;
    struct stat status; /* as it was when it was opened, or locked */
    int held;           /* LOCK_SH or LOCK_EX if a shmrun around us has it locked; else 0 */
};

/* Reads an operand, or ends the process: 64, and 65 for the name of a semaphore. */
struct name object_name(const char *operand);

/* Where the object is. */
struct object_path {
    char text[sizeof OBJECT_DIRECTORY + NAME_LONGEST + 1];
};
struct object_path object_path(const struct name *name);

enum object_access {
    OBJECT_TO_READ,
    OBJECT_TO_WRITE,
    OBJECT_TO_LOCK /* whatever is permitted */
};

/* Opens an existing object without waiting or locking: 0, or an errno value
 * (ELOOP, EISDIR, ENXIO: there is something else in its place). */
int object_try_open(struct object *object, const struct name *name, enum object_access access);

/* What is known of an object without opening it: 0, or an errno value as
 * above. */
int object_look(const struct name *name, struct stat *status);

enum object_found { OBJECT_FOUND, OBJECT_MISSING, OBJECT_BUSY, OBJECT_TIMED_OUT };

/* Opens an object and takes its flock(2) LOCK, LOCK_SH or LOCK_EX (0: none),
 * unless a shmrun around us holds it; with patience->await once it exists.
 * Once it is locked, the name leads to that object still. The lock is given
 * up by object_close(). Ends the process for whatever else goes wrong. */
enum object_found object_open(struct object *object, const struct name *name,
                              enum object_access access, int lock, const struct patience *patience);

void object_close(struct object *object);

/* Whether its name leads to it still: while a lock was waited for, it can have
 * been removed or replaced. Brings object->status up to date. */
bool object_still_named(struct object *object);

/* Ends the process as a user expects who was told why there is no object:
 * not for OBJECT_FOUND. WAY_OUT is what he can do about a missing one. */
_Noreturn void object_give_up(enum object_found found, const struct name *name,
                              const char *way_out);

/* What an errno value of the above means to a user, and its status. */
const char *object_error(int error);
enum status object_error_status(int error);

/* Gives LENGTH bytes from FROM on memory of their own, so that writing them
 * cannot fail for want of it; the size grows if need be. 0, or an errno value:
 * nothing has changed then. */
int object_reserve(int fd, uint64_t from, uint64_t length);

/* Says why an attempt ("create") to make an object failed, for an errno value of
 * shm_open(3) or draft.h, and returns the status. */
enum status object_not_made(const char *attempt, const struct name *name, int error);

/* Says that an attempt ("write") at an object asked for ASKED bytes and that
 * they were too many (ENOSPC, EFBIG), or what else the ERROR is, and returns the
 * status. What the caller has in use and is to give back, it has given back. */
enum status object_no_room(const char *attempt, const struct name *name, uint64_t asked, int error);

#endif
