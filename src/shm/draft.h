/* SPDX-License-Identifier: MIT
 *
 * A shared memory object in the making: filled while it has no name, and given
 * its name whole. A process that dies leaves no part of one behind.
 */
#ifndef IPCUTILS_DRAFT_H
#define IPCUTILS_DRAFT_H

#include "object.h"

struct draft {
    int fd;        /* empty at first, mode 0600, for reading and writing */
    bool placed;   /* it has a name of its own, hidden, for the time being */
    bool nameless; /* it can never have a name */
    struct name place;
};

/* Begins one that may become the object of that name: 0 or an errno value. */
int draft_start(struct draft *draft, const struct name *name);

/* Begins one for bytes to be kept in: however this process ends, they are gone. It
 * can be nameless. */
int draft_start_scratch(struct draft *draft, const struct name *name);

/* Gives it owner ((uid_t)-1, (gid_t)-1: whoever runs this) and mode: 0 or an
 * errno value. */
int draft_attributes(const struct draft *draft, uid_t user, gid_t group, mode_t mode);

/* Gives it the name, if there is nothing of that name: 0, EEXIST, or another
 * errno value. */
int draft_publish(struct draft *draft, const struct name *name);

/* Puts it in the place of the object of that name, at once: 0 or an errno
 * value (EBUSY: others use all of the hidden names that there are). Takes a lock
 * on it that lasts until it is closed. */
int draft_replace(struct draft *draft, const struct name *name);

void draft_discard(struct draft *draft);

/* Removes what a process killed within draft_replace() has left behind. */
void draft_sweep(const struct name *name);

#endif
