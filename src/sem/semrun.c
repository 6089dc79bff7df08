/* SPDX-License-Identifier: MIT
 *
 * semrun: run a command while holding one of a POSIX named semaphore, and post
 * it again exactly once, however the command ends.
 */
#include "options.h"
#include "owner.h"
#include "run.h"
#include "semaphore.h"

#include <stdlib.h>
#include <unistd.h>

extern char **environ;

static struct patience patience = PATIENCE_DEFAULT;
static uint64_t slots, conflict_status;

enum { KEY_SLOTS = OPTION_LONG_ONLY };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "semaphore"),
    {KEY_SLOTS, "slots", "N", "create the semaphore with N slots if missing", .number = &slots,
     .least = 1, .most = SEM_VALUE_MAX},
    {'E', "conflict-exit-code", "N", "exit N, not 1 or 124, when busy or timed out",
     .number = &conflict_status, .most = 255},
    {0},
};

static const struct option_conflict conflicts[] = {{'n', 't'}, {'n', 'a'}, {0}};

static const struct tool tool = {
    .name = "semrun",
    .operands = "NAME COMMAND [ARG]...",
    .purpose = "Run COMMAND while holding one of a POSIX named semaphore. Exits as COMMAND does.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 2,
    .most_operands = -1,
    .data_operands = true,
    .own_failure = STATUS_RUN_FAILED,
    .version = SEMAPHORE_VERSION,
};

static void create_if_missing(const struct name *name)
{
    const struct semaphore_attributes attributes = {
        .value = slots, .mode = SEMAPHORE_MODE_DEFAULT, .user = (uid_t)-1, .group = (gid_t)-1};
    enum status status = semaphore_create(name, attributes);

    if (status != STATUS_DONE && status != STATUS_EXISTS)
        quit(status);
}

/* Whoever asks for a semaphore to be made does not expect one that another
 * user has put there. */
static void refuse_foreign(const struct semaphore *semaphore)
{
    uid_t owner = semaphore->status.st_uid;

    if (owner != geteuid() && owner != 0)
        die(STATUS_PERMISSION,
            "semaphore %s exists already and belongs to user %s; to use it as it is, leave out "
            "--slots",
            shown(semaphore->name.text), user_text(owner).text);
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);
    struct name name = semaphore_name(argv[first]);
    struct semaphore semaphore;

    signals_catch();
    signals_survive_writes();
    if (slots > 0)
        patience.await = false; /* one that is removed meanwhile is made again */
    enum status status;
    do {
        if (slots > 0)
            create_if_missing(&name);
        status = semaphore_open(&semaphore, &name, &patience,
                                slots > 0 ? NULL : "--slots makes it, --await waits for it");
    } while (status == STATUS_NO_OBJECT);
    if (status == STATUS_DONE && slots > 0)
        refuse_foreign(&semaphore);
    if (status == STATUS_DONE)
        status = semaphore_take(&semaphore, 1, &patience);
    if (status == STATUS_GONE)
        quit(status);
    if (status != STATUS_DONE)
        return option_given('E') ? (int)conflict_status : (int)status;

    /* A signal that came with the count is for semrun: there is no COMMAND yet. */
    int error = 0;
    int ended = !signals_checkpoint() ? run_and_wait(argv + first + 1, environ, &error) : 0;
    if (semaphore_post(&semaphore) != STATUS_DONE)
        quit(STATUS_LIMIT);
    if (error != 0)
        ended = run_cannot_start(argv[first + 1], error);
    if (signals_caught() != 0)
        signals_die(signals_caught());
    return ended;
}
