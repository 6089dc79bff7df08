/* SPDX-License-Identifier: MIT
 *
 * mqunlink: remove POSIX message queues by name. Processes that have one open
 * go on using it.
 */
#include "options.h"
#include "queue.h"

#include <errno.h>

static bool force;

static const struct option_row options[] = {
    {'f', "force", NULL, "a queue that does not exist is success", .flag = &force},
    {0},
};

static const struct tool tool = {
    .name = "mqunlink",
    .operands = "QUEUE...",
    .purpose = "Remove POSIX message queues.",
    .options = options,
    .least_operands = 1,
    .most_operands = -1,
};

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    int result = STATUS_DONE;

    for (int i = first; i < argc; i++)
        queue_name(argv[i]); /* a bad name is refused before anything is removed */
    for (int i = first; i < argc; i++) {
        struct name name = queue_name(argv[i]);
        enum status status = STATUS_DONE;
        if (mq_unlink(name.text) == 0)
            remark("removed queue %s", shown(name.text));
        else if (errno == ENOENT)
            status = force ? STATUS_DONE
                           : fail(STATUS_NO_OBJECT, "cannot remove queue %s: no such queue",
                                  shown(name.text));
        else
            status = fail(status_of_error(errno), "cannot remove queue %s: %s", shown(name.text),
                          error_text(errno));
        if (status != STATUS_DONE && result == STATUS_DONE)
            result = (int)status;
    }
    return result;
}
