/* SPDX-License-Identifier: GPL-2.0-or-later */
/* varlink's framing: messages that each end in a NUL, over a non-blocking stream socket. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

#define FRAME_MESSAGE_MAX 65536   /* octets of one call */
#define FRAME_OUTPUT_MAX  1048576 /* octets waiting for one slow client; then it is dropped */

struct frame {
    int fd; /* borrowed */
    struct buffer in, out;
    size_t next;      /* in .in: where the next message begins */
    size_t searched;  /* in .in: there is no NUL from .next to here */
    bool ended;       /* the peer will send no more */
    bool asks_sender; /* fill in .sender; only for a socket with SO_PASSCRED */
    pid_t sender;     /* the process that sent all that is in .in; 0 when there were several */
};

void frame_init(struct frame *frame, int fd);
void frame_release(struct frame *frame);

/* Reads once what has arrived. RESULT_BAD_INPUT: a message longer than FRAME_MESSAGE_MAX;
 * RESULT_SYSTEM_ERROR: the connection is broken; or buffer's errors. */
enum result frame_receive(struct frame *frame) WARN_UNUSED;

/* The next complete message; false: there is none. MESSAGE does not count its NUL, which follows it
 * in memory, and is valid until the next frame_receive. */
bool frame_next(struct frame *frame, struct bytes *message) WARN_UNUSED;

/* Writes what the peer takes now; the rest stays in .out. RESULT_SYSTEM_ERROR as above. */
enum result frame_send(struct frame *frame) WARN_UNUSED;
