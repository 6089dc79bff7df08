/* SPDX-License-Identifier: MIT
 *
 * Who is at the ends of FIFOs, and how full they are, learnt without opening
 * one: that would wake a peer that is blocked in open(2), which has no
 * descriptor yet. proc(5), pidfd_getfd(2).
 */
#ifndef IPCUTILS_PEERS_H
#define IPCUTILS_PEERS_H

#include "procs.h"

#include <stdbool.h>
#include <stddef.h>

struct peer {
    size_t object; /* its place in the array asked about */
    pid_t pid;
    bool reads, writes;
    bool opening;     /* blocked in open(2) */
    char command[64]; /* comm, unescaped */
};

struct fill {
    bool known;
    size_t unread, capacity; /* bytes */
};

struct ends {
    bool reads, writes;
};

struct peers {
    struct peer *rows; /* by object, then PID; owned */
    size_t count;
    size_t hidden;       /* processes that may not be looked into */
    struct ends *astray; /* of each object, owned: somebody is blocked in open(2) so, on a
                            FIFO that is no longer at its path, which may be this one */
    struct fill *fill;   /* of each object; owned */
};

struct peers peers_find(const struct object_id *objects, size_t count);

void peers_free(struct peers *peers);

/* "r", "w" or "rw". */
const char *peer_access(const struct peer *peer);

#endif
