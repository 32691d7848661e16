/* SPDX-License-Identifier: GPL-2.0-or-later */
/* varlink's framing: messages that each end in a NUL, over a non-blocking stream socket. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

struct frame {
    int fd; /* borrowed */
    struct buffer in, out;
    size_t next;      /* in .in: where the next message begins */
    size_t searched;  /* in .in: there is no NUL from .next to here */
    bool ended;       /* the peer will send no more */
    bool asks_sender; /* of a socket with SO_PASSCRED: then there is */
    pid_t sender;     /* who sent all that is in .in; 0 when it was more than one */
};

void frame_init(struct frame *frame, int fd);
void frame_release(struct frame *frame);

/* Reads what is there, once. RESULT_BAD_INPUT: a message longer than QUERY_MESSAGE_MAX;
 * RESULT_SYSTEM_ERROR: the connection is broken. */
enum result frame_receive(struct frame *frame) WARN_UNUSED;

/* The next whole message, without its NUL, which stands there too; until the next frame_receive. */
bool frame_next(struct frame *frame, struct bytes *message) WARN_UNUSED;

/* Writes what the peer takes now; the rest stays in .out. RESULT_SYSTEM_ERROR as above. */
enum result frame_send(struct frame *frame) WARN_UNUSED;
