/* SPDX-License-Identifier: GPL-2.0-or-later */
/* varlink's framing: messages that each end in a NUL, over a non-blocking stream socket. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

#define FRAME_MESSAGE_MAX 65536   /* octets of one call */
#define FRAME_OUTPUT_MAX  1048576 /* octets still to be sent; with more a client is disconnected */

struct frame {
    int fd; /* borrowed */
    struct buffer in, out;
    size_t next;      /* in .in: where the next message begins */
    size_t searched;  /* in .in: there is no NUL from .next to here */
    bool ended;       /* the peer will send no more */
    bool asks_sender; /* fill in .sender; only for a socket with SO_PASSCRED */
    pid_t sender;     /* the process that sent everything in .in; 0 when several did */
};

void frame_init(struct frame *frame, int fd);
void frame_release(struct frame *frame);

/* Reads, once, what has arrived, into .in. RESULT_BAD_INPUT: a message is longer than
 * FRAME_MESSAGE_MAX; RESULT_SYSTEM_ERROR: the connection is broken; or buffer's errors. */
enum result frame_receive(struct frame *frame) WARN_UNUSED;

/* Takes the next complete message; false when there is none. MESSAGE is without its NUL, which
 * follows it in memory, and is valid until the next frame_receive. */
bool frame_next(struct frame *frame, struct bytes *message) WARN_UNUSED;

/* Writes as much of .out as can be sent without blocking; the rest stays there.
 * RESULT_SYSTEM_ERROR: the connection is broken. */
enum result frame_send(struct frame *frame) WARN_UNUSED;
