/* SPDX-License-Identifier: MIT
 *
 * shmunlink: remove POSIX shared memory objects by name. Processes that have
 * one open or mapped go on using it.
 */
#include "draft.h"
#include "object.h"
#include "options.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool force;

static const struct option_row options[] = {
    {'f', "force", NULL, "an object that does not exist is success", .flag = &force},
    {0},
};

static const struct tool tool = {
    .name = "shmunlink",
    .operands = "NAME...",
    .purpose = "Remove POSIX shared memory objects.",
    .options = options,
    .least_operands = 1,
    .most_operands = -1,
};

/* 0 or an errno value; ENXIO for what is no shared memory object. */
static int try_unlink(const struct name *name)
{
    struct stat status;

    int error = object_look(name, &status);
    if (error != 0)
        return error;
    return shm_unlink(name->text) == 0 ? 0 : errno;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    int result = STATUS_DONE;

    for (int i = first; i < argc; i++)
        object_name(argv[i]); /* a bad name is refused before anything is removed */
    for (int i = first; i < argc; i++) {
        struct name name = object_name(argv[i]);
        int error = try_unlink(&name);
        draft_sweep(&name);
        if (error == 0)
            remark("removed shared memory object %s", shown(name.text));
        if (error == 0 || (error == ENOENT && force))
            continue;
        enum status status =
            fail(object_error_status(error), "cannot remove shared memory object %s: %s",
                 shown(name.text), object_error(error));
        if (result == STATUS_DONE)
            result = (int)status;
    }
    return result;
}
