/* SPDX-License-Identifier: MIT
 *
 * sempost: add to a POSIX named semaphore, and so let its waiters go on.
 */
#include "options.h"
#include "semaphore.h"

static uint64_t count = 1;

static const struct option_row options[] = {
    {'N', "count", "N", "post this many times (default 1)", .number = &count, .least = 1,
     .most = SEM_VALUE_MAX},
    {0},
};

static const struct tool tool = {
    .name = "sempost",
    .operands = "NAME",
    .purpose = "Post a POSIX named semaphore: add to its value.",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .version = SEMAPHORE_VERSION,
};

/* Looked at first, so that a count that does not fit is not added in part. */
static void require_room(const struct semaphore *semaphore)
{
    int value;

    if (sem_getvalue(semaphore->counter, &value) == 0 && value >= 0 &&
        count > (uint64_t)(SEM_VALUE_MAX - value))
        die(STATUS_LIMIT,
            "cannot post semaphore %s %llu time%s: its value is %d, and the highest there is %d; "
            "nothing was posted",
            shown(semaphore->name.text), (unsigned long long)count, plural(count), value,
            SEM_VALUE_MAX);
}

int main(int argc, char **argv)
{
    static const struct patience patience = PATIENCE_DEFAULT;
    int first = options_parse(&tool, argc, argv);
    struct name name = semaphore_name(argv[first]);
    struct semaphore semaphore;
    uint64_t posted = 0;
    enum status status = STATUS_DONE;

    semaphore_open(&semaphore, &name, &patience, "semcreate makes it");
    require_room(&semaphore);
    while (posted < count && (status = semaphore_post(&semaphore)) == STATUS_DONE)
        posted++;
    if (status != STATUS_DONE && count > 1)
        note("posted %llu of %llu times", (unsigned long long)posted, (unsigned long long)count);
    if (status == STATUS_DONE)
        remark("added %llu to semaphore %s", (unsigned long long)count, shown(name.text));
    return (int)status;
}
