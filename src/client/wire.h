/* SPDX-License-Identifier: MIT */
/* NUL-terminated messages over a Unix socket, with deadlines. Functions that return an int return
 * an enum e2ekey_error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_OCTETS 65536 /* the longest message that is taken, NUL included */

struct wire {
    int fd;       /* -1: not connected */
    size_t size;  /* octets in .in */
    size_t taken; /* of which the message given out last */
    char in[WIRE_OCTETS];
};

/* On the steady clock, in milliseconds. */
int64_t wire_deadline(int timeout); /* negative = never */

int wire_connect(struct wire *wire, const char *path, int timeout);
void wire_close(struct wire *wire); /* wipes what is left */
/* Has the other side left, or said something unasked, while nothing was due? */
bool wire_is_stale(const struct wire *wire);

int wire_send(struct wire *wire, const char *message, int64_t deadline); /* with its NUL */
/* *MESSAGE stands, NUL-terminated, until the next call on WIRE, which wipes it. After
 * E2EKEY_TIMED_OUT it can be called again. */
int wire_receive(struct wire *wire, int64_t deadline, char **message, size_t *size);
