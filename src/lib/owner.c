/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include "options.h"
#include "parse.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

/* A name first, as chown(1) does: it may consist of digits. The highest
 * number, -1, means "no change" to chown(2). */
static uid_t user_id(const char *text)
{
    const struct passwd *entry = getpwnam(text);
    uint64_t number;

    if (entry != NULL)
        return entry->pw_uid;
    if (!parse_number(text, 0, (uid_t)-1 - 1, &number))
        usage_error("no user '%s'", shown(text));
    return (uid_t)number;
}

static gid_t group_id(const char *text)
{
    const struct group *entry = getgrnam(text);
    uint64_t number;

    if (entry != NULL)
        return entry->gr_gid;
    if (!parse_number(text, 0, (gid_t)-1 - 1, &number))
        usage_error("no group '%s'", shown(text));
    return (gid_t)number;
}

void owner_resolve(const struct owner_names *names, uid_t *user, gid_t *group)
{
    *user = names->user == NULL ? (uid_t)-1 : user_id(names->user);
    *group = names->group == NULL ? (gid_t)-1 : group_id(names->group);
}

enum status owner_refused(const char *kind, const struct name *name, int error)
{
    if (error == EPERM)
        return fail(STATUS_PERMISSION, "cannot create %s %s: only root may give it to that owner",
                    kind, shown(name->text));
    return fail(status_of_error(error), "cannot give %s %s to that owner: %s", kind,
                shown(name->text), error_text(error));
}

enum status owner_compare(const struct owner_names *names, const struct stat *status, mode_t mode,
                          const char *kind, const struct name *name)
{
    uid_t user = names->user == NULL ? geteuid() : user_id(names->user);
    const char *object = shown(name->text);

    if ((status->st_mode & 07777) != mode)
        return fail(STATUS_EXISTS, "%s %s exists already, with mode %04o, not %04o", kind, object,
                    (unsigned)status->st_mode & 07777u, (unsigned)mode);
    if (status->st_uid != user)
        return fail(STATUS_EXISTS, "%s %s exists already, owned by user %lu, not %lu", kind, object,
                    (unsigned long)status->st_uid, (unsigned long)user);
    if (names->group != NULL && status->st_gid != group_id(names->group))
        return fail(STATUS_EXISTS, "%s %s exists already, of group %lu, not %lu", kind, object,
                    (unsigned long)status->st_gid, (unsigned long)group_id(names->group));
    return STATUS_DONE;
}
