/* SPDX-License-Identifier: MIT */
/* NUL-terminated messages over a Unix socket, with deadlines. Functions that return an int return 0
 * or an errno value: ETIMEDOUT at the deadline, EMSGSIZE for a message of more than WIRE_OCTETS,
 * ENAMETOOLONG for a path that no socket can have, ECONNRESET when the other side has left. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_OCTETS 65536 /* the longest message that is taken, NUL included */

struct wire {
    int fd;       /* -1: not connected */
    size_t size;  /* octets in .in */
    size_t taken; /* how many of them are the message that wire_receive gave out last */
    char in[WIRE_OCTETS];
};

/* Returns the deadline of a wait of TIMEOUT milliseconds that begins now: milliseconds of
 * CLOCK_MONOTONIC. A negative TIMEOUT means for ever. */
int64_t wire_deadline(int timeout);

/* Connects to the socket at PATH within TIMEOUT milliseconds. Only after success does the caller
 * have to close WIRE. */
int wire_connect(struct wire *wire, const char *path, int timeout);
/* Closes the connection and wipes what was received. Closing twice does no harm. */
void wire_close(struct wire *wire);
/* Whether the connection is of no use for another call: closed, left by the other side, or holding
 * octets that nobody asked for. */
bool wire_is_stale(const struct wire *wire);

/* Sends MESSAGE with its NUL. */
int wire_send(struct wire *wire, const char *message, int64_t deadline);
/* Waits for the next message. *MESSAGE is NUL-terminated and lives until the next call on WIRE,
 * which wipes it. After ETIMEDOUT this can be called again, and goes on where it stopped. */
int wire_receive(struct wire *wire, int64_t deadline, char **message, size_t *size);
