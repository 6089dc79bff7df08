/* SPDX-License-Identifier: MIT
 *
 * Owner and permission bits of an object that is created.
 */
#ifndef IPCUTILS_OWNER_H
#define IPCUTILS_OWNER_H

#include "name.h"
#include "report.h"

#include <sys/stat.h>
#include <sys/types.h>

/* What a user says about an owner. */
struct owner_names {
    const char *user; /* a name or a number; NULL: whoever creates it */
    const char *group;
};

/* An owner as messages and tables name him; an id without a name is its number. */
struct owner_text {
    char text[64];
};
struct owner_text user_text(uid_t user);
struct owner_text group_text(gid_t group);

/* The rows of an options table (options.h). */
#define OPTION_MODE(m)                                                                             \
    {                                                                                              \
        'm', "mode", "MODE", "mode in octal, exactly as given (default 0600)", .mode = &(m)        \
    }
#define OPTION_USER(o)                                                                             \
    {                                                                                              \
        'u', "user", "USER", "owner of what is created", .text = &(o).user                         \
    }
#define OPTION_GROUP(o)                                                                            \
    {                                                                                              \
        'g', "group", "GROUP", "group of what is created", .text = &(o).group                      \
    }

/* Looks the names up, or ends the process (64); -1 where none was given. */
void owner_resolve(const struct owner_names *names, uid_t *user, gid_t *group);

/* Says why a new object could not get its owner, an errno value; returns the status. */
enum status owner_refused(const char *kind, const struct name *name, int error);

/* Whether an existing object has the mode, the owner and, where one was asked
 * for, the group; says the first difference (73). */
enum status owner_compare(const struct owner_names *names, const struct stat *status, mode_t mode,
                          const char *kind, const struct name *name);

#endif
