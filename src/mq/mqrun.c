/* SPDX-License-Identifier: MIT
 *
 * mqrun: run a command once per message of a POSIX message queue. Exit 0 of
 * the command acknowledges the message; one that is not acknowledged is tried
 * again, goes to the dead-letter queue, or is put back.
 */
#include "jobs.h"
#include "journal.h"
#include "options.h"
#include "queue.h"
#include "run.h"
#include "save.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct patience patience = PATIENCE_DEFAULT;
static uint64_t wanted = 1, most_jobs = 1, retries;
static nanoseconds retry_delay = SECOND;
static const char *dead_letter_name, *journal_path;
static bool drain, follow;
static struct jobs jobs;

enum { KEY_RETRY_DELAY = OPTION_LONG_ONLY, KEY_JOURNAL };

static const struct option_row options[] = {
    OPTION_NONBLOCK(patience),
    OPTION_TIMEOUT(patience),
    OPTION_AWAIT(patience, "queue"),
    {'N', "count", "N", "handle this many messages (default 1)", .number = &wanted, .least = 1,
     .most = UINT64_MAX},
    {'d', "drain", NULL, "until the queue is empty, never waiting", .flag = &drain},
    {'f', "follow", NULL, "go on until the queue is removed", .flag = &follow},
    {'J', "jobs", "N", "run up to N commands at once (default 1)", .number = &most_jobs, .least = 1,
     .most = 1024},
    {'R', "retries", "N", "further attempts if COMMAND fails (default 0)", .number = &retries,
     .most = UINT32_MAX},
    {KEY_RETRY_DELAY, "retry-delay", "DURATION", "before the first of them (default 1s), doubling",
     .duration = &retry_delay},
    {'D', "dead-letter", "QUEUE", "where messages go that fail for good",
     .text = &dead_letter_name},
    {KEY_JOURNAL, "journal", "FILE", "keeps what is in hand if mqrun dies (on a tmpfs)",
     .text = &journal_path},
    {'I', "replace", "STR", "replace STR in the arguments by the message", .text = &jobs.replace},
    {0},
};

static const struct option_conflict conflicts[] = {
    {'n', 't'}, {'n', 'a'}, {'f', 'd'}, {'f', 'N'}, {0}};

static const struct tool tool = {
    .name = "mqrun",
    .operands = "QUEUE COMMAND [ARG]...",
    .purpose = "Run COMMAND once per message of a POSIX message queue, with the message as its\n"
               "standard input. Its exit status 0 acknowledges the message.",
    .options = options,
    .conflicts = conflicts,
    .least_operands = 2,
    .most_operands = -1,
    .data_operands = true,
};

enum { GOING_ON = -1 };

static struct queue queue, dead_letters;
static struct journal journal; /* used if journal_path is set */
static struct saved saved = SAVED_NONE;
static int ending = GOING_ON; /* or the status to end with, once no job is active */
static uint64_t taken, acknowledged, dead_lettered, left_in_journal;
static nanoseconds message_deadline; /* of the wait for a message; 0: not waiting */

/* From here on no more is taken. The first reason counts, but that no more came is
 * none where a message in hand fails afterwards. */
static void end_with(enum status status)
{
    switch (ending) {
    case GOING_ON:
    case STATUS_DONE:
    case STATUS_WOULD_WAIT:
    case STATUS_TIMED_OUT:
    case STATUS_GONE:
        ending = (int)status;
        break;
    default:
        break;
    }
}

static bool taking(void)
{
    return ending == GOING_ON && signals_caught() == 0 && (follow || taken < wanted);
}

/* The message is acknowledged, or is kept elsewhere. */
static void forget(struct job *job)
{
    job->state = JOB_FREE;
    if (journal_path != NULL)
        journal_free(&journal, (size_t)(job - jobs.job));
}

/* Only ever when no more is taken: what stays in its slot is not overwritten. */
static void put_back(struct job *job)
{
    if (journal_path == NULL) {
        save_messages(&saved, &queue, &job->message, 1);
    } else if (save_put_back(&queue, &job->message)) {
        saved.put_back++;
    } else { /* the journal is as good as a file, and the next mqrun looks there */
        left_in_journal++;
        job->state = JOB_FREE;
        return;
    }
    forget(job);
}

static enum status report_saved(void)
{
    enum status status = save_report(&saved, &queue);

    if (left_in_journal == 0)
        return status;
    return fail(STATUS_SAVED, "%llu message%s left in journal %s, for the next mqrun with it",
                (unsigned long long)left_in_journal, plural(left_in_journal), shown(journal_path));
}

/* For die(): whatever is in hand goes back. */
static enum status rescue(void)
{
    for (size_t i = 0; i < jobs.count; i++)
        if (jobs.job[i].state != JOB_FREE)
            put_back(&jobs.job[i]);
    return report_saved();
}

static void start(struct job *job)
{
    if (jobs.replace != NULL && !job_fits_argument(job)) {
        end_with(fail(STATUS_DATA,
                      "a message from queue %s has a NUL in it, and cannot be an "
                      "argument (--replace); standard input takes any",
                      shown(queue.name.text)));
        put_back(job);
        return;
    }
    if (journal_path != NULL)
        journal_attempt(&journal, (size_t)(job - jobs.job), job->attempt + 1);
    int error = job_run(&jobs, job);
    if (error == 0)
        return;
    run_cannot_start(jobs.command[0], error);
    end_with(run_start_status(error));
    put_back(job);
}

/* NULL, or why not. */
static const char *send_dead_letter(const struct message *message)
{
    int sent;

    /* What is sent to a queue without a name has no reader to come. */
    if (queue_unlinked(&dead_letters))
        return "it has been removed";
    do
        sent = mq_send(dead_letters.descriptor, message->bytes, message->length,
                       (unsigned)message->number);
    while (sent != 0 && errno == EINTR);
    if (sent == 0)
        return NULL;
    return errno == EAGAIN ? "it is full" : error_text(errno);
}

/* A message that has failed for good. */
static void give_up(struct job *job)
{
    if (dead_letter_name == NULL) {
        end_with(STATUS_SAVED);
        put_back(job);
        return;
    }
    const char *why_not = send_dead_letter(&job->message);
    if (why_not == NULL) {
        dead_lettered++;
        forget(job);
        return;
    }
    end_with(fail(STATUS_SAVED, "cannot send to dead-letter queue %s: %s",
                  shown(dead_letters.name.text), why_not));
    put_back(job);
}

static nanoseconds delay_before(unsigned long attempt)
{
    nanoseconds delay = retry_delay;

    for (unsigned long i = 2; i < attempt && delay < NO_LIMIT / 2; i++)
        delay *= 2;
    return delay;
}

/* Ctrl-C reaches the COMMANDs at the same time as this process: a COMMAND that
 * seems to have ended by it may be seen before the signal is. */
static void await_own_signal(const struct job *job)
{
    int status = run_exit_status(job->wait_status);
    nanoseconds deadline = deadline_after(SECOND / 20);

    if (status != 128 + SIGINT && status != 128 + SIGQUIT && status != 128 + SIGHUP &&
        status != 128 + SIGTERM)
        return;
    while (!signals_checkpoint() && clock_now() < deadline)
        wait_for(NULL, 0, deadline_within(deadline, SECOND / 1000));
}

static void handle_failure(struct job *job)
{
    if (!signals_checkpoint())
        await_own_signal(job);
    if (signals_caught() != 0) { /* it may have got the signal too: no attempt lost */
        put_back(job);
        return;
    }
    fail(STATUS_DONE,
         "attempt %lu of %llu on a message from queue %s failed: %s (priority %u, %zu byte%s)",
         job->attempt, (unsigned long long)retries + 1, shown(queue.name.text),
         run_outcome(job->wait_status), (unsigned)job->message.number, job->message.length,
         plural(job->message.length));
    if (job->attempt > retries) {
        give_up(job);
        return;
    }
    job->due = deadline_after(delay_before(job->attempt + 1));
    job->state = JOB_DELAYED;
}

static void handle_ended_jobs(void)
{
    signals_children_seen();
    jobs_collect(&jobs);
    for (size_t i = 0; i < jobs.count; i++) {
        struct job *job = &jobs.job[i];
        if (job->state == JOB_SUCCEEDED) {
            acknowledged++;
            forget(job);
        } else if (job->state == JOB_FAILED) {
            handle_failure(job);
        }
    }
}

/* A signal passes on to the COMMANDs from the second one on, unless they have got it
 * from the terminal. What waits for a
 * further attempt goes back when there is to be none. */
static void handle_signals(void)
{
    static int passed_on = 1;

    signals_checkpoint();
    for (; passed_on < signals_count(); passed_on++)
        if (!signals_caught_from_terminal())
            jobs_signal(&jobs, signals_caught());
    for (size_t i = 0; i < jobs.count && signals_caught() != 0; i++)
        if (jobs.job[i].state == JOB_DELAYED)
            put_back(&jobs.job[i]);
}

static void start_due_jobs(void)
{
    for (size_t i = 0; i < jobs.count; i++)
        if (jobs.job[i].state == JOB_DELAYED && jobs.job[i].due <= clock_now())
            start(&jobs.job[i]);
}

/* What an empty queue means. */
static void handle_empty(void)
{
    if (drain) {
        if (jobs_active(&jobs) == 0) /* a COMMAND may still send to the queue */
            end_with(STATUS_DONE);
    } else if (patience.nonblock) {
        end_with(STATUS_WOULD_WAIT);
    } else if (queue_unlinked(&queue) && queue_depth(&queue) == 0) {
        end_with(follow ? STATUS_DONE
                        : fail(STATUS_GONE, "queue %s has been removed", shown(queue.name.text)));
    } else if (message_deadline == 0) {
        message_deadline = deadline_after(patience.timeout);
    } else if (message_deadline != NO_LIMIT && clock_now() >= message_deadline) {
        end_with(STATUS_TIMED_OUT);
    }
}

/* Takes a message for the job: as mq_receive(3). */
static ssize_t receive_for(struct job *job)
{
    unsigned priority = 0;
    ssize_t length =
        journal_path != NULL
            ? journal_receive(&journal, (size_t)(job - jobs.job), queue.descriptor, &priority)
            : mq_receive(queue.descriptor, job->bytes, queue.message_size, &priority);

    job->attempt = 0;
    job->message.length = length < 0 ? 0 : (size_t)length;
    job->message.number = priority;
    if (length >= 0)
        job->state = JOB_DELAYED; /* in hand from now on: rescue() finds it */
    return length;
}

/* What an mqrun that was killed had taken. Each gets one attempt at least. */
static void replay_journal(void)
{
    for (size_t i = 0; i < jobs.count; i++) {
        struct job *job = &jobs.job[i];
        if (!journal_holds(&journal, i, &job->message, &job->attempt))
            continue;
        if (job->attempt > retries)
            job->attempt = retries;
        taken++;
        note("a message from queue %s is in the journal: it is handled again (priority %u, %zu "
             "byte%s)",
             shown(queue.name.text), (unsigned)job->message.number, job->message.length,
             plural(job->message.length));
        start(job);
    }
}

static void take_messages(void)
{
    struct job *job;

    while (taking() && (job = jobs_free(&jobs)) != NULL) {
        ssize_t length = receive_for(job);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN) {
            handle_empty();
            return;
        }
        if (length < 0)
            die(status_of_error(errno), "cannot receive from queue %s: %s", shown(queue.name.text),
                error_text(errno));
        taken++;
        message_deadline = 0;
        start(job);
        handle_signals();
    }
}

/* Sleeps until something can have changed. */
static void wait_for_change(void)
{
    bool watches_queue = taking() && jobs_free(&jobs) != NULL;
    nanoseconds deadline = jobs_due(&jobs);
    struct pollfd polled = {.fd = watches_queue ? queue.descriptor : -1, .events = POLLIN};

    if (watches_queue) {
        if (message_deadline != 0 && message_deadline < deadline)
            deadline = message_deadline;
        deadline = deadline_within(deadline, SECOND); /* an unlink wakes nobody */
    }
    wait_for(&polled, 1, deadline);
}

static void work(void)
{
    for (;;) {
        handle_ended_jobs(); /* first: a signal may act within it */
        handle_signals();
        start_due_jobs();
        take_messages();
        if (jobs_active(&jobs) == 0 && !taking())
            return;
        wait_for_change();
    }
}

static void open_dead_letters(void)
{
    static const struct patience none = {.timeout = NO_LIMIT};
    struct stat here, there;

    if (dead_letter_name == NULL)
        return;
    dead_letters = queue_open(dead_letter_name, QUEUE_OF_DEAD_LETTERS, &none, false);
    if (fstat(queue.descriptor, &here) == 0 && fstat(dead_letters.descriptor, &there) == 0 &&
        here.st_ino == there.st_ino && here.st_dev == there.st_dev)
        usage_error("queue %s cannot be its own dead-letter queue", shown(queue.name.text));
    if (dead_letters.message_size < queue.message_size)
        die(STATUS_DATA,
            "dead-letter queue %s takes messages up to %zu bytes, queue %s holds some up to %zu",
            shown(dead_letters.name.text), dead_letters.message_size, shown(queue.name.text),
            queue.message_size);
}

static int report_end(void)
{
    enum status status = report_saved();

    if (signals_caught() != 0)
        signals_die(signals_caught());
    if (status == STATUS_LOST)
        return STATUS_LOST;
    if (dead_lettered > 0)
        note("%llu message%s sent to dead-letter queue %s", (unsigned long long)dead_lettered,
             plural(dead_lettered), shown(dead_letters.name.text));
    if (ending == STATUS_WOULD_WAIT || ending == STATUS_TIMED_OUT) {
        if (taken > 0 && option_given('N'))
            note("%llu of %llu messages handled", (unsigned long long)taken,
                 (unsigned long long)wanted);
        else if (taken > 0)
            note("%llu message%s handled", (unsigned long long)taken, plural(taken));
        return ending;
    }
    remark("%llu message%s acknowledged", (unsigned long long)acknowledged, plural(acknowledged));
    if (ending == GOING_ON || ending == STATUS_DONE)
        return dead_lettered > 0 ? STATUS_DEAD_LETTERED : STATUS_DONE;
    return ending;
}

int main(int argc, char **argv)
{
    int first = options_parse(&tool, argc, argv);

    if (jobs.replace != NULL && jobs.replace[0] == '\0')
        usage_error("--replace takes a text that is not empty");
    if (journal_path != NULL && journal_path[0] == '\0')
        usage_error("--journal takes the path of a file");
    if (drain && !option_given('N'))
        wanted = UINT64_MAX;
    if (dead_letter_name != NULL)
        queue_name(dead_letter_name);
    signals_catch();
    signals_survive_writes();
    queue = queue_open(argv[first], QUEUE_TO_RECEIVE, &patience, false);
    open_dead_letters();
    signals_watch_children(); /* only now: one that was there before ends no wait for the queue */
    rescue_prepare();
    jobs.command = argv + first + 1;
    jobs.queue = queue.name.text;
    if (journal_path != NULL)
        journal = journal_open(journal_path, &queue, most_jobs);
    jobs_start(&jobs, most_jobs, queue.message_size, journal_path != NULL ? &journal : NULL);
    reporting.rescue = rescue;
    if (journal_path != NULL)
        replay_journal();
    work();
    reporting.rescue = NULL;
    return report_end();
}
