/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/frame.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "support/check_main.h"

static struct frame frame;
static int other; /* the client's end */

static void make_frame(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    frame_init(&frame, pair[0]);
    other = pair[1];
}

static void free_frame(void)
{
    close(frame.fd);
    if (other >= 0)
        close(other);
    frame_release(&frame);
}

static void arrive(const void *octets, size_t size)
{
    ck_assert_int_eq(write(other, octets, size), (ssize_t)size);
    ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
}

static void ck_assert_next(const char *text)
{
    struct bytes message;
    ck_assert(frame_next(&frame, &message));
    ck_assert_uint_eq(message.size, strlen(text));
    ck_assert_str_eq((const char *)message.data, text);
}

START_TEST(messages_come_out_one_by_one)
{
    struct bytes message;
    ck_assert(!frame_next(&frame, &message));
    arrive("one\0two\0\0thr", 12);
    ck_assert_next("one");
    ck_assert_next("two");
    ck_assert_next("");
    ck_assert(!frame_next(&frame, &message));
    arrive("ee\0", 3);
    ck_assert_next("three");
    ck_assert(!frame_next(&frame, &message));
    ck_assert(!frame.ended);
}
END_TEST

START_TEST(a_message_may_come_octet_by_octet)
{
    struct bytes message;
    for (const char *octet = "{\"method\":\"x\"}"; *octet != '\0'; octet++) {
        arrive(octet, 1);
        ck_assert(!frame_next(&frame, &message));
    }
    arrive("", 1);
    ck_assert_next("{\"method\":\"x\"}");
}
END_TEST

/* SIZE octets and, with END, a NUL; the last result of frame_receive. */
static enum result pour(size_t size, bool end, struct bytes *message)
{
    char *octets = calloc(1, size + 1);
    memset(octets, 'x', size);
    enum result result = RESULT_OK;
    bool found = false;
    for (size_t sent = 0, whole = size + end; result == RESULT_OK && sent < whole && !found;) {
        ssize_t now = write(other, octets + sent, whole - sent);
        sent += now > 0 ? (size_t)now : 0;
        for (int i = 0; i < 64 && result == RESULT_OK && !found; i++) {
            result = frame_receive(&frame);
            found = result == RESULT_OK && frame_next(&frame, message);
        }
    }
    free(octets);
    return found ? RESULT_OK : result;
}

START_TEST(a_message_has_a_bound)
{
    struct bytes message = {0};
    ck_assert_int_eq(pour(FRAME_MESSAGE_MAX, true, &message), RESULT_OK);
    ck_assert_uint_eq(message.size, FRAME_MESSAGE_MAX);
}
END_TEST

START_TEST(a_longer_message_ends_the_connection)
{
    struct bytes message;
    ck_assert_int_eq(pour(FRAME_MESSAGE_MAX + 2, false, &message), RESULT_BAD_INPUT);
}
END_TEST

START_TEST(an_idle_connection_keeps_little)
{
    struct bytes message;
    ck_assert_int_eq(pour(30000, true, &message), RESULT_OK);
    ck_assert(!frame_next(&frame, &message));
    ck_assert_uint_le(frame.in.capacity, 4096);
}
END_TEST

START_TEST(what_a_slow_reader_leaves_waits)
{
    char *text = calloc(1, FRAME_OUTPUT_MAX);
    ck_assert_int_eq(buffer_append(&frame.out, text, FRAME_OUTPUT_MAX), RESULT_OK);
    free(text);
    ck_assert_int_eq(frame_send(&frame), RESULT_OK);
    ck_assert_uint_gt(frame.out.size, 0);
    ck_assert_uint_lt(frame.out.size, FRAME_OUTPUT_MAX);
    char into[65536];
    size_t read_octets = 0;
    for (ssize_t now; (now = read(other, into, sizeof(into))) > 0;) {
        read_octets += (size_t)now;
        ck_assert_int_eq(frame_send(&frame), RESULT_OK);
    }
    ck_assert_uint_eq(read_octets, FRAME_OUTPUT_MAX);
    ck_assert_uint_eq(frame.out.size, 0);
    ck_assert_uint_le(frame.out.capacity, 4096);
}
END_TEST

START_TEST(the_end_shows)
{
    struct bytes message;
    ck_assert_int_eq(write(other, "last", 5), 5);
    ck_assert_int_eq(shutdown(other, SHUT_WR), 0);
    ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
    ck_assert_next("last");
    ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
    ck_assert(frame.ended);
    ck_assert(!frame_next(&frame, &message));
    ck_assert_int_eq(buffer_append(&frame.out, "reply", 5), RESULT_OK);
    ck_assert_int_eq(frame_send(&frame), RESULT_OK);

    close(other);
    other = -1;
    ck_assert_int_eq(buffer_append(&frame.out, "reply", 5), RESULT_OK);
    ck_assert_int_eq(frame_send(&frame), RESULT_SYSTEM_ERROR);
}
END_TEST

/* --- who sent it --- */

static void ask_sender(void)
{
    ck_assert_int_eq(setsockopt(frame.fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)), 0);
    frame.asks_sender = true;
}

static pid_t send_by_child(const char *text)
{
    pid_t child = fork();
    if (child == 0)
        _exit(write(other, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return child;
}

static void receive_all(void)
{
    struct pollfd waiting = {.fd = frame.fd, .events = POLLIN};
    while (poll(&waiting, 1, 0) > 0)
        ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
}

START_TEST(the_sender_is_told)
{
    struct bytes message;
    ask_sender();
    arrive("a", 2);
    ck_assert_int_eq(frame.sender, getpid());
    ck_assert(frame_next(&frame, &message) && !frame_next(&frame, &message));
    pid_t child = send_by_child("b");
    receive_all();
    ck_assert_int_eq(frame.sender, child);
}
END_TEST

START_TEST(what_several_sent_has_no_sender)
{
    struct bytes message;
    ask_sender();
    arrive("begun", 5);
    ck_assert_int_eq(frame.sender, getpid());
    send_by_child("ended");
    receive_all();
    ck_assert_int_eq(frame.sender, 0);
    arrive("", 1);
    ck_assert_int_eq(frame.sender, 0);
    ck_assert(frame_next(&frame, &message) && !frame_next(&frame, &message));
    arrive("next", 5);
    ck_assert_int_eq(frame.sender, getpid());
}
END_TEST

static void send_with_descriptor(int descriptor)
{
    union {
        char octets[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec part = {.iov_base = "call", .iov_len = 5};
    struct msghdr message = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control)};
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(first), &descriptor, sizeof(int));
    ck_assert_int_eq(sendmsg(other, &message, 0), 5);
}

START_TEST(descriptors_are_not_taken)
{
    for (int asks = 0; asks < 2; asks++) {
        if (asks)
            ask_sender();
        int next = dup(other);
        ck_assert_int_eq(close(next), 0);
        send_with_descriptor(other);
        ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
        ck_assert_uint_eq(frame.in.size, 5);
        ck_assert_int_lt(fcntl(next, F_GETFD), 0); /* the number that it would have got */
        ck_assert_next("call");
    }
}
END_TEST

CHECK_MAIN_FIXTURE("query/frame", make_frame, free_frame, messages_come_out_one_by_one,
    a_message_may_come_octet_by_octet, a_message_has_a_bound, a_longer_message_ends_the_connection,
    an_idle_connection_keeps_little, what_a_slow_reader_leaves_waits, the_end_shows,
    the_sender_is_told, what_several_sent_has_no_sender, descriptors_are_not_taken)
