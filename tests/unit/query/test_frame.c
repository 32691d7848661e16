/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/frame.h"

#include <string.h>
#include <sys/socket.h>

#include "query/server.h"
#include "support/check_main.h"

static int other; /* the client's end */

static struct frame frame_of_pair(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    other = pair[1];
    struct frame frame;
    frame_init(&frame, pair[0]);
    return frame;
}

static void done(struct frame *frame)
{
    close(frame->fd);
    close(other);
    frame_release(frame);
}

static void arrive(struct frame *frame, const void *octets, size_t size)
{
    ck_assert_int_eq(write(other, octets, size), (ssize_t)size);
    ck_assert_int_eq(frame_receive(frame), RESULT_OK);
}

static void ck_assert_next(struct frame *frame, const char *text)
{
    struct bytes message;
    ck_assert(frame_next(frame, &message));
    ck_assert_uint_eq(message.size, strlen(text));
    ck_assert_str_eq((const char *)message.data, text);
}

START_TEST(messages_come_out_one_by_one)
{
    struct frame frame = frame_of_pair();
    struct bytes message;
    ck_assert(!frame_next(&frame, &message));
    arrive(&frame, "one\0two\0\0thr", 12);
    ck_assert_next(&frame, "one");
    ck_assert_next(&frame, "two");
    ck_assert_next(&frame, "");
    ck_assert(!frame_next(&frame, &message));
    arrive(&frame, "ee\0", 3);
    ck_assert_next(&frame, "three");
    ck_assert(!frame_next(&frame, &message));
    ck_assert(!frame.ended);
    done(&frame);
}
END_TEST

START_TEST(a_message_may_come_octet_by_octet)
{
    struct frame frame = frame_of_pair();
    struct bytes message;
    for (const char *octet = "{\"method\":\"x\"}"; *octet != '\0'; octet++) {
        arrive(&frame, octet, 1);
        ck_assert(!frame_next(&frame, &message));
    }
    arrive(&frame, "", 1);
    ck_assert_next(&frame, "{\"method\":\"x\"}");
    done(&frame);
}
END_TEST

/* SIZE octets and, with END, a NUL; the last result of frame_receive. */
static enum result pour(struct frame *frame, size_t size, bool end, struct bytes *message)
{
    char *octets = calloc(1, size + 1);
    memset(octets, 'x', size);
    enum result result = RESULT_OK;
    bool found = false;
    for (size_t sent = 0, whole = size + end; result == RESULT_OK && sent < whole && !found;) {
        ssize_t now = write(other, octets + sent, whole - sent);
        sent += now > 0 ? (size_t)now : 0;
        for (int i = 0; i < 64 && result == RESULT_OK && !found; i++) {
            result = frame_receive(frame);
            found = result == RESULT_OK && frame_next(frame, message);
        }
    }
    free(octets);
    return found ? RESULT_OK : result;
}

START_TEST(a_message_has_a_bound)
{
    struct bytes message = {0};
    struct frame frame = frame_of_pair();
    ck_assert_int_eq(pour(&frame, QUERY_MESSAGE_MAX, true, &message), RESULT_OK);
    ck_assert_uint_eq(message.size, QUERY_MESSAGE_MAX);
    done(&frame);

    frame = frame_of_pair();
    ck_assert_int_eq(pour(&frame, QUERY_MESSAGE_MAX + 2, false, &message), RESULT_BAD_INPUT);
    done(&frame);
}
END_TEST

START_TEST(an_idle_connection_keeps_little)
{
    struct bytes message;
    struct frame frame = frame_of_pair();
    ck_assert_int_eq(pour(&frame, 30000, true, &message), RESULT_OK);
    ck_assert(!frame_next(&frame, &message));
    ck_assert_uint_le(frame.in.capacity, 4096);
    done(&frame);
}
END_TEST

START_TEST(what_a_slow_reader_leaves_waits)
{
    struct frame frame = frame_of_pair();
    char *text = calloc(1, QUERY_OUTPUT_MAX);
    ck_assert_int_eq(buffer_append(&frame.out, text, QUERY_OUTPUT_MAX), RESULT_OK);
    free(text);
    ck_assert_int_eq(frame_send(&frame), RESULT_OK);
    ck_assert_uint_gt(frame.out.size, 0);
    ck_assert_uint_lt(frame.out.size, QUERY_OUTPUT_MAX);
    char into[65536];
    size_t read_octets = 0;
    for (ssize_t now; (now = read(other, into, sizeof(into))) > 0;) {
        read_octets += (size_t)now;
        ck_assert_int_eq(frame_send(&frame), RESULT_OK);
    }
    ck_assert_uint_eq(read_octets, QUERY_OUTPUT_MAX);
    ck_assert_uint_eq(frame.out.size, 0);
    ck_assert_uint_le(frame.out.capacity, 4096);
    done(&frame);
}
END_TEST

START_TEST(the_end_shows)
{
    struct frame frame = frame_of_pair();
    struct bytes message;
    ck_assert_int_eq(write(other, "last", 5), 5);
    ck_assert_int_eq(shutdown(other, SHUT_WR), 0);
    ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
    ck_assert_next(&frame, "last");
    ck_assert_int_eq(frame_receive(&frame), RESULT_OK);
    ck_assert(frame.ended);
    ck_assert(!frame_next(&frame, &message));
    ck_assert_int_eq(buffer_append_text(&frame.out, "reply"), RESULT_OK);
    ck_assert_int_eq(frame_send(&frame), RESULT_OK);

    close(other);
    other = -1;
    ck_assert_int_eq(buffer_append_text(&frame.out, "reply"), RESULT_OK);
    ck_assert_int_eq(frame_send(&frame), RESULT_SYSTEM_ERROR);
    done(&frame);
}
END_TEST

CHECK_MAIN("query/frame", messages_come_out_one_by_one, a_message_may_come_octet_by_octet,
    a_message_has_a_bound, an_idle_connection_keeps_little, what_a_slow_reader_leaves_waits,
    the_end_shows)
