/* SPDX-License-Identifier: MIT
 *
 * semwait: take from a POSIX named semaphore, waiting until its value allows.
 */
#include "options.h"
#include "semaphore.h"

static struct patience patience = PATIENCE_DEFAULT;
static uint64_t count = 1;

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "semaphore"),
    {'N', "count", "N", "take this many (default 1), or none", .number = &count, .least = 1,
     .most = SEM_VALUE_MAX},
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "semwait",
    .operands = "NAME",
    .purpose = "Wait for a POSIX named semaphore: take one from its value once that is above 0.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 1,
    .most_operands = 1,
    .version = SEMAPHORE_VERSION,
};

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = semaphore_name(argv[first]);
    struct semaphore semaphore;

    signals_catch();
    enum status status =
        semaphore_open(&semaphore, &name, &patience, "semcreate makes it, --await waits for it");
    if (status == STATUS_DONE)
        status = semaphore_take(&semaphore, count, &patience);
    if (status == STATUS_DONE)
        remark("took %llu from semaphore %s", (unsigned long long)count, shown(name.text));
    return (int)status;
}
