/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_TMPFILE */
#include "semaphore.h"

#include "limit.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NAME_MOST = 251 }; /* "sem." comes before it, and NAME_MAX is 255 */

struct path {
    char text[sizeof SEMAPHORE_DIRECTORY "/" SEMAPHORE_PREFIX + NAME_LONGEST];
};

struct name semaphore_name(const char *operand)
{
    static const char place[] = SEMAPHORE_DIRECTORY "/" SEMAPHORE_PREFIX;
    bool pasted = strncmp(operand, place, strlen(place)) == 0; /* what ls printed */
    const char *bare = operand + (pasted ? strlen(place) : 0);

    if (pasted && *bare != '\0' && strchr(bare, '/') == NULL)
        die(STATUS_USAGE, "invalid semaphore name '%s': the name is '%s'", shown(operand),
            shown(bare));
    return name_require(operand, "semaphore", NAME_MOST);
}

static struct path path_of(const struct name *name)
{
    struct path path;

    snprintf(path.text, sizeof path.text, "%s/%s%s", SEMAPHORE_DIRECTORY, SEMAPHORE_PREFIX,
             name->text + 1);
    return path;
}

/* What a shared semaphore looks like to this library; padding is 0. */
static void make_image(sem_t *image, unsigned value)
{
    memset(image, 0, sizeof *image);
    sem_init(image, 1, value);
}

/* Makes the file without a name, and gives it one when it is complete: nobody
 * ever sees it half made, or with another mode or owner. */
static int create_file(const struct name *name, const struct semaphore_attributes *attributes)
{
    struct path path = path_of(name);
    char unnamed[64];
    sem_t image;

    int fd = open(SEMAPHORE_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    make_image(&image, (unsigned)attributes->value);
    snprintf(unnamed, sizeof unnamed, "/proc/self/fd/%d", fd);
    ssize_t wrote = write(fd, &image, sizeof image);
    int error = 0;
    if (wrote != (ssize_t)sizeof image)
        error = wrote < 0 ? errno : ENOSPC;
    else if (fchown(fd, attributes->user, attributes->group) != 0 ||
             fchmod(fd, attributes->mode) != 0 ||
             linkat(AT_FDCWD, unnamed, AT_FDCWD, path.text, AT_SYMLINK_FOLLOW) != 0)
        error = errno;
    close(fd);
    return error;
}

enum status semaphore_create(const struct name *name, struct semaphore_attributes attributes)
{
    int error = create_file(name, &attributes);

    switch (error) {
    case 0:
        return STATUS_DONE;
    case EEXIST:
        return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return fail(STATUS_LIMIT, "cannot create semaphore %s: %s", shown(name->text),
                    no_room_text(SEMAPHORE_DIRECTORY, sizeof(sem_t), error));
    case EPERM:
        return owner_refused("semaphore", name, error);
    default:
        return fail(status_of_error(error) == STATUS_PERMISSION ? STATUS_PERMISSION : STATUS_SYSTEM,
                    "cannot create semaphore %s in %s: %s", shown(name->text), SEMAPHORE_DIRECTORY,
                    error_text(error));
    }
}

/* Whether the file holds what sem_init(3) makes, counters apart: glibc and
 * musl both keep in the third word whether processes share it (glibc on 32-bit
 * machines in the second). */
static bool like_a_semaphore(const sem_t *image)
{
#if defined __GLIBC__ && !defined __LP64__
    enum { SHARED_WORD = 1 };
#else
    enum { SHARED_WORD = 2 };
#endif
    int words[SHARED_WORD + 1], expected[SHARED_WORD + 1];
    sem_t made;

    make_image(&made, 0);
    memcpy(words, image, sizeof words);
    memcpy(expected, &made, sizeof expected);
    return words[SHARED_WORD] == expected[SHARED_WORD];
}

static const char *wrong_kind(const struct stat *status)
{
    static char text[120];

    if (S_ISLNK(status->st_mode))
        return "it is a symbolic link";
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (status->st_size == (off_t)sizeof(sem_t))
        return NULL;
    snprintf(text, sizeof text, "it has %lld bytes, and a semaphore of %s has %zu",
             (long long)status->st_size, SEMAPHORE_LIBRARY, sizeof(sem_t));
    return text;
}

int semaphore_look(const struct name *name, int access, struct semaphore_file *file)
{
    struct path path = path_of(name);

    *file = (struct semaphore_file){.descriptor = -1};
    if (fstatat(AT_FDCWD, path.text, &file->status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    file->has_status = true;
    if ((file->wrong = wrong_kind(&file->status)) != NULL)
        return EBADMSG;
    int fd = open(path.text, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    /* Another file may have come in between. */
    if (fstat(fd, &file->status) == 0 && (file->wrong = wrong_kind(&file->status)) == NULL &&
        (pread(fd, &file->image, sizeof file->image, 0) != (ssize_t)sizeof file->image ||
         !like_a_semaphore(&file->image)))
        file->wrong = "its content is not that of a semaphore of " SEMAPHORE_LIBRARY;
    if (file->wrong != NULL) {
        close(fd);
        return EBADMSG;
    }
    file->descriptor = fd;
    return 0;
}

enum status semaphore_failed(const char *act, const struct name *name,
                             const struct semaphore_file *file, int error)
{
    struct path path = path_of(name);

    switch (error) {
    case ENOENT:
        return fail(STATUS_NO_OBJECT, "cannot %s semaphore %s: no such semaphore", act,
                    shown(name->text));
    case EACCES:
        return fail(STATUS_PERMISSION,
                    "cannot %s semaphore %s: permission denied (it takes both read and write)", act,
                    shown(name->text));
    case EBADMSG:
        return fail(STATUS_DATA, "cannot %s semaphore %s: %s is no semaphore: %s", act,
                    shown(name->text), shown(path.text), file->wrong);
    default:
        return fail(status_of_error(error), "cannot %s semaphore %s: %s", act, shown(name->text),
                    error_text(error));
    }
}

static const struct semaphore *opened; /* for whom SIGBUS is */

/* Whoever may write the file may also cut it short under the mapping. The
 * signal comes from our own access to it, so that anything may be called. */
static void cut_short(int signal)
{
    (void)signal;
    die(STATUS_GONE, "semaphore %s has been destroyed: its file was cut short",
        shown(opened->name.text));
}

static void map(struct semaphore *semaphore)
{
    struct sigaction action = {.sa_handler = cut_short};
    void *place =
        mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, semaphore->descriptor, 0);

    if (place == MAP_FAILED)
        die(STATUS_SYSTEM, "cannot map semaphore %s: %s", shown(semaphore->name.text),
            error_text(errno));
    semaphore->counter = place;
    opened = semaphore;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

enum status semaphore_open(struct semaphore *semaphore, const struct name *name,
                           const struct patience *patience, const char *way_out)
{
    nanoseconds deadline = deadline_after(patience->timeout);
    struct pause pause = {0};
    struct semaphore_file file;
    int error;

    while ((error = semaphore_look(name, O_RDWR, &file)) == ENOENT && patience->await)
        if (!pause_or_die(&pause, SECOND / 20, deadline))
            return STATUS_TIMED_OUT;
    if (error == ENOENT && way_out == NULL)
        return STATUS_NO_OBJECT;
    if (error == ENOENT)
        die(STATUS_NO_OBJECT, "cannot open semaphore %s: no such semaphore; %s", shown(name->text),
            way_out);
    if (error != 0)
        quit(semaphore_failed("open", name, &file, error));
    *semaphore =
        (struct semaphore){.name = *name, .descriptor = file.descriptor, .status = file.status};
    map(semaphore);
    return STATUS_DONE;
}

static bool removed(const struct semaphore *semaphore)
{
    struct stat status;

    return fstat(semaphore->descriptor, &status) == 0 && status.st_nlink == 0;
}

static int wait_once(void *counter)
{
    return sem_wait(counter) == 0 ? 0 : errno;
}

static enum status take_one(const struct semaphore *semaphore, bool nonblock, nanoseconds deadline)
{
    for (;;) {
        int error = 0;
        if (sem_trywait(semaphore->counter) == 0)
            return STATUS_DONE;
        if (nonblock)
            return STATUS_WOULD_WAIT;
        if (removed(semaphore)) /* wakes nobody: looked at about once a second */
            return STATUS_GONE;
        if (deadline != NO_LIMIT && clock_now() >= deadline)
            return STATUS_TIMED_OUT;
        switch (wait_in_call(wait_once, semaphore->counter, deadline_within(deadline, SECOND),
                             &error)) {
        case WAIT_READY:
            if (error != 0)
                die(STATUS_SYSTEM, "cannot wait for semaphore %s: %s", shown(semaphore->name.text),
                    error_text(error));
            return STATUS_DONE;
        case WAIT_SIGNALLED:
            return STATUS_TIMED_OUT; /* the caller asks for signals first */
        case WAIT_TIMED_OUT:
            break;
        }
    }
}

static int lock_once(void *context)
{
    const struct semaphore *semaphore = context;

    return flock(semaphore->descriptor, LOCK_EX) == 0 ? 0 : errno;
}

/* Two that each hold a part of what they want would wait for each other for ever:
 * of those that may wait, one at a time gathers. */
static enum status lock_gathering(struct semaphore *semaphore, nanoseconds deadline)
{
    int error = 0;

    if (wait_in_call(lock_once, semaphore, deadline, &error) != WAIT_READY)
        return STATUS_TIMED_OUT; /* or a signal, which the caller asks for first */
    if (error != 0)
        die(STATUS_SYSTEM, "cannot lock semaphore %s: %s", shown(semaphore->name.text),
            error_text(error));
    return STATUS_DONE;
}

enum status semaphore_take(struct semaphore *semaphore, uint64_t count,
                           const struct patience *patience)
{
    nanoseconds deadline = deadline_after(patience->timeout);
    enum status status = STATUS_DONE;
    bool gathers = count > 1 && !patience->nonblock && patience->timeout > 0;
    uint64_t taken = 0;

    if (gathers)
        status = lock_gathering(semaphore, deadline);
    while (status == STATUS_DONE && taken < count &&
           (status = take_one(semaphore, patience->nonblock, deadline)) == STATUS_DONE)
        /* Where there are millions to take, it goes on for long without waiting. */
        if (++taken % 4096 == 0 && taken < count && signals_checkpoint())
            break;
    if (gathers)
        flock(semaphore->descriptor, LOCK_UN);
    if (taken == count)
        return STATUS_DONE;
    for (; taken > 0; taken--)
        sem_post(semaphore->counter);
    if (signals_caught() != 0)
        signals_die(signals_caught());
    if (status == STATUS_GONE)
        fail(status, "semaphore %s has been removed", shown(semaphore->name.text));
    return status;
}

enum status semaphore_post(const struct semaphore *semaphore)
{
    if (sem_post(semaphore->counter) == 0)
        return STATUS_DONE;
    if (errno == EOVERFLOW)
        return fail(STATUS_LIMIT, "cannot post semaphore %s: its value is the highest there is, %d",
                    shown(semaphore->name.text), SEM_VALUE_MAX);
    return fail(STATUS_SYSTEM, "cannot post semaphore %s: %s", shown(semaphore->name.text),
                error_text(errno));
}
