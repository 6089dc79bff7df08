/* SPDX-License-Identifier: MIT
 *
 * scarce: preloaded, it makes the allocation number SCARCE_MEMORY of a program
 * fail, from 1, and then makes the file SCARCE_MARK. With SCARCE_BYTES it lets no
 * read or write move more than so many bytes, but a page of a regular file: as few
 * as a kernel may.
 *
 * Not while glibc looks up users and groups: where it has no memory then, it
 * crashes by itself.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long allocations;
static int looking_up;

/* Not those of a sanitizer, which starts before and does not do without. */
__attribute__((constructor)) static void start(void)
{
    allocations = 0;
}

static unsigned long setting(const char *name)
{
    const char *value = getenv(name);

    return value == NULL ? 0 : strtoul(value, NULL, 10);
}

static int fails(void)
{
    if (looking_up || ++allocations != setting("SCARCE_MEMORY"))
        return 0;
    const char *mark = getenv("SCARCE_MARK");
    int fd = mark == NULL ? -1 : open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    errno = ENOMEM;
    return 1;
}

/* The allocator behind this one: the C library's, or a sanitizer's. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *malloc(size_t size)
{
    return fails() ? NULL : NEXT(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : NEXT(calloc)(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : NEXT(realloc)(old, size);
}

/* LOOK_UP(RESULT, NAME, TYPE): RESULT NAME(TYPE), with all the memory there is. */
#define LOOK_UP(result, name, type)                                                                \
    result name(type key)                                                                          \
    {                                                                                              \
        looking_up++;                                                                              \
        result (*real)(type) = (result(*)(type))dlsym(RTLD_NEXT, #name);                           \
        result found = real(key);                                                                  \
        looking_up--;                                                                              \
        return found;                                                                              \
    }
LOOK_UP(struct passwd *, getpwuid, uid_t)
LOOK_UP(struct group *, getgrgid, gid_t)
LOOK_UP(struct passwd *, getpwnam, const char *)
LOOK_UP(struct group *, getgrnam, const char *)

static size_t few(int fd, size_t bytes)
{
    enum { PAGE = 4096 };
    unsigned long most = setting("SCARCE_BYTES");
    struct stat status;

    if (most != 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        most = PAGE;
    return most != 0 && bytes > most ? most : bytes;
}

ssize_t read(int fd, void *bytes, size_t length)
{
    return syscall(SYS_read, fd, bytes, few(fd, length));
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    return syscall(SYS_write, fd, bytes, few(fd, length));
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    return syscall(SYS_pread64, fd, bytes, few(fd, length), offset);
}

ssize_t pread64(int fd, void *bytes, size_t length, off_t offset)
{
    return pread(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return syscall(SYS_pwrite64, fd, bytes, few(fd, length), offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
    return pwrite(fd, bytes, length, offset);
}
