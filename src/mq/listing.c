/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall, statfs */
#include "listing.h"

#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MQUEUE_MAGIC = 0x19800202 };

#if defined SYS_fsopen && defined SYS_fsconfig && defined SYS_fsmount
/* <linux/mount.h>, which musl's compiler does not find. */
enum { CLOSE_ON_EXEC = 1, CMD_CREATE = 6 };

/* A mount outside of any mount namespace: it goes when it is closed. Needs
 * CAP_SYS_ADMIN. */
static int private_mount(void)
{
    int mount = -1;
    int directory = -1;

    int context = (int)syscall(SYS_fsopen, "mqueue", CLOSE_ON_EXEC);
    if (context < 0)
        return -1;
    if (syscall(SYS_fsconfig, context, CMD_CREATE, NULL, NULL, 0) == 0)
        mount = (int)syscall(SYS_fsmount, context, CLOSE_ON_EXEC, 0);
    close(context);
    if (mount < 0)
        return -1;
    directory = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(mount);
    return directory;
}
#else
static int private_mount(void)
{
    return -1;
}
#endif

static int open_if_mqueue(const char *path)
{
    struct statfs status;

    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0 && (fstatfs(directory, &status) != 0 || status.f_type != MQUEUE_MAGIC)) {
        close(directory);
        return -1;
    }
    return directory;
}

/* The mount point in a line of mountinfo (proc(5)), its octal escapes undone;
 * NULL if the line is of another file system. */
static char *mount_point(char *line)
{
    if (strstr(line, " - mqueue ") == NULL)
        return NULL;
    for (int field = 0; field < 4 && line != NULL; field++)
        if ((line = strchr(line, ' ')) != NULL)
            line++;
    if (line == NULL)
        return NULL;
    char *to = line;
    for (char *from = line; *from != ' ' && *from != '\0'; from++)
        if (*from == '\\' && strlen(from) >= 4) {
            *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    *to = '\0';
    return line;
}

static int mounted_elsewhere(void)
{
    char line[4096];
    int directory = -1;

    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (mounts == NULL)
        return -1;
    while (directory < 0 && fgets(line, sizeof line, mounts) != NULL) {
        const char *path = mount_point(line);
        if (path != NULL)
            directory = open_if_mqueue(path);
    }
    fclose(mounts);
    return directory;
}

int queue_directory(void)
{
    int directory = private_mount();

    if (directory < 0)
        directory = open_if_mqueue("/dev/mqueue");
    if (directory < 0)
        directory = mounted_elsewhere();
    if (directory < 0)
        errno = EPERM;
    return directory;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct name *)one)->text, ((const struct name *)other)->text);
}

struct name *queue_list(int directory, size_t *count)
{
    struct buffer names = {0};
    struct dirent *entry;

    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    if (entries == NULL)
        die(status_of_error(errno), "cannot list the queues: %s", error_text(errno));
    while ((entry = readdir(entries)) != NULL) {
        struct name name;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name.text, sizeof name.text, "/%s", entry->d_name);
        buffer_add(&names, &name, sizeof name);
    }
    closedir(entries);
    *count = names.length / sizeof(struct name);
    if (*count > 0)
        qsort(names.bytes, *count, sizeof(struct name), by_name);
    return (struct name *)(void *)names.bytes;
}
