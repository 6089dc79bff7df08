/* SPDX-License-Identifier: MIT
 *
 * The standard streams: none may be mistaken for an object, and no error on
 * them goes unnoticed.
 */
#ifndef IPCUTILS_STREAM_H
#define IPCUTILS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Fills the places of closed standard descriptors, so that no object gets
 * number 0, 1 or 2. Reading or writing them still fails, and a COMMAND finds
 * them closed as they were. */
void streams_secure(void);

/* For a tool that is about to wait for input: ends the process (74) where none can
 * come, for it is closed or the writing end of a pipe. */
void input_require(void);

/* Whether standard output is a regular file or /dev/null: it has no reader, and a
 * write never waits for one. */
bool output_never_waits(void);

/* For a tool that is about to take: ends the process (74) if standard output
 * cannot be written, is closed or has no reader. */
void output_require(void);

/* Whether standard output is a pipe or socket whose reader has gone. */
bool output_reader_gone(void);

/* For a tool that is to wait until everything has been read: ends the process
 * (65) where that cannot be told, as on a socket. */
void output_require_confirmable(void);

/* Bytes that standard output can hold unread, if it is a pipe or FIFO; else 0. */
size_t output_pipe_capacity(void);

/* Bytes that nobody has read from that pipe, whoever wrote them; known also
 * when its reader has gone. */
size_t output_pipe_unread(void);

/* Writes what there is room for to a descriptor from output_without_blocking;
 * -1 with EAGAIN where there is none, also where it is standard output itself:
 * a socket, or a pipe that may not be reopened. */
ssize_t output_write(int output, const void *bytes, size_t length);

/* A descriptor for standard output whose writes do not block, where there can
 * be one; else standard output itself. O_NONBLOCK on that would reach everyone
 * who shares it. The process's own until it ends. */
int output_without_blocking(void);

/* Flushes stdout; returns STATUS, or 74 where it was 0 and something was not
 * written. For the end of main. */
int output_finish(int status);

#endif
