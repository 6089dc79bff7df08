/* SPDX-License-Identifier: MIT
 *
 * semunlink: remove POSIX named semaphores by name. Processes that have one
 * open go on using it.
 */
#include "options.h"
#include "semaphore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool force;

static const struct option_row options[] = {
    {'f', "force", NULL, "a semaphore that does not exist is success", .flag = &force},
    {0},
};

static const struct tool tool = {
    .name = "semunlink",
    .operands = "NAME...",
    .purpose = "Remove POSIX named semaphores.",
    .options = options,
    .least_operands = 1,
    .most_operands = -1,
    .version = SEMAPHORE_VERSION,
};

static enum status remove_one(const struct name *name)
{
    struct semaphore_file file;
    int error;

    error = semaphore_look(name, O_RDONLY, &file);
    if (error == 0)
        close(file.descriptor);
    /* A file that was cut short may go, unless its name may be that of shared memory. */
    if (error == EBADMSG && (!SEMAPHORE_HAS_PREFIX || !S_ISREG(file.status.st_mode)))
        return semaphore_failed("remove", name, &file, error);
    if (sem_unlink(name->text) == 0) {
        remark("removed semaphore %s", shown(name->text));
        return STATUS_DONE;
    }
    error = errno;
    if (error == ENOENT && force)
        return STATUS_DONE;
    return fail(status_of_error(error), "cannot remove semaphore %s: %s", shown(name->text),
                error == ENOENT ? "no such semaphore" : error_text(error));
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    int result = STATUS_DONE;

    for (int i = first; i < argc; i++)
        semaphore_name(argv[i]); /* a bad name is refused before anything is removed */
    for (int i = first; i < argc; i++) {
        struct name name = semaphore_name(argv[i]);
        enum status status = remove_one(&name);
        if (status != STATUS_DONE && result == STATUS_DONE)
            result = (int)status;
    }
    return result;
}
