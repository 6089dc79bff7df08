/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include "options.h"
#include "parse.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
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

/* The last name is kept: the rows of a table mostly have one owner, and a
 * look-up reads a file. */
struct owner_text user_text(uid_t user)
{
    static struct owner_text name;
    static uid_t known;

    if (name.text[0] == '\0' || user != known) {
        const struct passwd *entry = getpwuid(user);
        if (entry != NULL)
            snprintf(name.text, sizeof name.text, "%s", entry->pw_name);
        else
            snprintf(name.text, sizeof name.text, "%lu", (unsigned long)user);
        known = user;
    }
    return name;
}

struct owner_text group_text(gid_t group)
{
    static struct owner_text name;
    static gid_t known;

    if (name.text[0] == '\0' || group != known) {
        const struct group *entry = getgrgid(group);
        if (entry != NULL)
            snprintf(name.text, sizeof name.text, "%s", entry->gr_name);
        else
            snprintf(name.text, sizeof name.text, "%lu", (unsigned long)group);
        known = group;
    }
    return name;
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
        return fail(STATUS_EXISTS, "%s %s exists already, owned by user %s, not %s", kind, object,
                    user_text(status->st_uid).text, user_text(user).text);
    if (names->group != NULL && status->st_gid != group_id(names->group))
        return fail(STATUS_EXISTS, "%s %s exists already, of group %s, not %s", kind, object,
                    group_text(status->st_gid).text, group_text(group_id(names->group)).text);
    return STATUS_DONE;
}
