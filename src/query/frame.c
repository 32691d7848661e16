/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define READ_OCTETS 4096
#define IDLE_OCTETS 4096 /* of memory that an empty buffer may keep */

void frame_init(struct frame *frame, int fd)
{
    *frame =
        (struct frame){.fd = fd, .in.limit = FRAME_MESSAGE_MAX + 1, .out.limit = FRAME_OUTPUT_MAX};
}

void frame_release(struct frame *frame)
{
    buffer_release(&frame->in);
    buffer_release(&frame->out);
}

/* Frees the memory of a buffer that was large once, so that an idle connection costs little. */
static void shrink(struct buffer *buffer)
{
    if (buffer->size == 0 && buffer->capacity > IDLE_OCTETS)
        buffer_release(buffer);
}

static bool is_transient(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Like recv(2). Also sets *SENDER, if FRAME asks for it. The control buffer has room for the sender
 * only, which the kernel puts first, so that file descriptors from a client are not received. */
static ssize_t receive(const struct frame *frame, uint8_t *out, size_t room, pid_t *sender)
{
    union {
        char octets[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {.iov_base = out, .iov_len = room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (frame->asks_sender) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    *sender = 0;
    ssize_t size = recvmsg(frame->fd, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *first = size >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_CREDENTIALS) {
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(first), sizeof(credentials));
        *sender = credentials.pid;
    }
    return size;
}

enum result frame_receive(struct frame *frame)
{
    struct buffer *in = &frame->in;
    buffer_consume(in, frame->next);
    frame->searched -= frame->next;
    frame->next = 0;
    if (in->size == in->limit)
        return RESULT_BAD_INPUT;

    size_t room = in->limit - in->size < READ_OCTETS ? in->limit - in->size : READ_OCTETS;
    TRY(buffer_reserve(in, room));
    pid_t sender;
    ssize_t size = receive(frame, in->data + in->size, room, &sender);
    if (size < 0)
        return is_transient(errno) ? RESULT_OK : RESULT_SYSTEM_ERROR;
    if (size > 0)
        frame->sender = in->size == 0 || sender == frame->sender ? sender : 0;
    frame->ended = size == 0;
    in->size += (size_t)size;
    return RESULT_OK;
}

bool frame_next(struct frame *frame, struct bytes *message)
{
    struct buffer *in = &frame->in;
    const uint8_t *end = frame->searched < in->size
                             ? memchr(in->data + frame->searched, 0, in->size - frame->searched)
                             : NULL;
    if (!end) {
        frame->searched = in->size;
        if (frame->next == in->size) {
            buffer_consume(in, in->size);
            frame->next = frame->searched = 0;
            shrink(in);
        }
        return false;
    }
    size_t size = (size_t)(end - in->data) - frame->next;
    *message = bytes_of(in->data + frame->next, size);
    frame->next = frame->searched = frame->next + size + 1;
    return true;
}

enum result frame_send(struct frame *frame)
{
    struct buffer *out = &frame->out;
    if (out->size > 0) {
        ssize_t size = send(frame->fd, out->data, out->size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0)
            return is_transient(errno) ? RESULT_OK : RESULT_SYSTEM_ERROR;
        buffer_consume(out, (size_t)size);
    }
    shrink(out);
    return RESULT_OK;
}
