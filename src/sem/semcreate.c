/* SPDX-License-Identifier: MIT
 *
 * semcreate: create a POSIX named semaphore.
 */
#include "options.h"
#include "owner.h"
#include "semaphore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool if_missing;
static struct semaphore_attributes wanted = {
    .mode = SEMAPHORE_MODE_DEFAULT, .user = (uid_t)-1, .group = (gid_t)-1};
static struct owner_names owner;

static const struct option_row options[] = {
    {'i', "if-missing", NULL, "an existing one with this mode and owner will do",
     .flag = &if_missing},
    OPTION_MODE(wanted.mode),
    OPTION_USER(owner),
    OPTION_GROUP(owner),
    {0},
};

static const struct tool tool = {
    .name = "semcreate",
    .operands = "NAME VALUE",
    .purpose = "Create a POSIX named semaphore with a value.",
    .options = options,
    .least_operands = 2,
    .most_operands = 2,
    .version = SEMAPHORE_VERSION,
};

/* What is to be said of one that exists (NO_OBJECT if it does not any more): with --if-missing,
 * whether it is what would have been created. Its value is not compared: it changes with use. */
static enum status exists(const struct name *name)
{
    struct semaphore_file file;
    int error = semaphore_look(name, O_RDONLY, &file);

    if (file.descriptor >= 0)
        close(file.descriptor);
    if (error == ENOENT)
        return STATUS_NO_OBJECT;
    if (error != 0 && (error != EACCES || !file.has_status))
        return semaphore_failed("create", name, &file, error);
    if (!if_missing)
        return fail(STATUS_EXISTS,
                    "cannot create semaphore %s: it exists already (--if-missing accepts it)",
                    shown(name->text));
    return owner_compare(&owner, &file.status, wanted.mode, "semaphore", name);
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = semaphore_name(argv[first]);
    const char *value = argv[first + 1];

    if (!parse_number(value, 0, SEM_VALUE_MAX, &wanted.value))
        usage_error("invalid value '%s': it is a whole number from 0 to %d", shown(value),
                    SEM_VALUE_MAX);
    if ((wanted.mode & 0111) != 0)
        usage_error("invalid mode %04o: a semaphore takes read and write bits only",
                    (unsigned)wanted.mode);
    owner_resolve(&owner, &wanted.user, &wanted.group);

    signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE is then an error that can be told */
    enum status status;
    do {
        status = semaphore_create(&name, wanted);
        if (status == STATUS_EXISTS)
            status = exists(&name);
    } while (status == STATUS_NO_OBJECT);
    if (status == STATUS_DONE)
        remark("semaphore %s is there", shown(name.text));
    return (int)status;
}
