/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/listen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/check_main.h"

static unsigned port_of(const struct listener *listener)
{
    return (unsigned)strtoul(strrchr(listener->address, ':') + 1, NULL, 10);
}

static void expect_connection(const struct listener *listener)
{
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port_of(listener)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

START_TEST(listens)
{
    struct fault fault = FAULT_INIT;
    struct listener listener;

    ck_assert_int_eq(listener_open("127.0.0.1:0", 0, (gid_t)-1, &listener, &fault), RESULT_OK);
    int fd AUTO_CLOSE = listener.fd;
    ck_assert_uint_ne(port_of(&listener), 0);
    ck_assert_int_eq(strncmp(listener.address, "127.0.0.1:", 10), 0);
    ck_assert(listener.is_local);
    expect_connection(&listener);
}
END_TEST

START_TEST(tells_loopback_from_others)
{
    struct fault fault = FAULT_INIT;
    struct listener listener;

    ck_assert_int_eq(listener_open("0.0.0.0:0", 0, (gid_t)-1, &listener, &fault), RESULT_OK);
    int any AUTO_CLOSE = listener.fd;
    ck_assert(!listener.is_local);
    ck_assert_int_eq(listener_open("127.1.2.3:0", 0, (gid_t)-1, &listener, &fault), RESULT_OK);
    int local AUTO_CLOSE = listener.fd;
    ck_assert(listener.is_local);
}
END_TEST

START_TEST(ipv6_leaves_the_port_to_ipv4)
{
    struct fault fault = FAULT_INIT;
    struct listener six, four;
    char text[LISTEN_ADDRESS_OCTETS];

    if (listener_open("[::]:0", 0, (gid_t)-1, &six, &fault) != RESULT_OK)
        return; /* a host without IPv6 */
    int six_fd AUTO_CLOSE = six.fd;
    ck_assert_int_eq(strncmp(six.address, "[::]:", 5), 0);
    ck_assert(!six.is_local);
    snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(&six));
    ck_assert_int_eq(listener_open(text, 0, (gid_t)-1, &four, &fault), RESULT_OK);
    int four_fd AUTO_CLOSE = four.fd;
    expect_connection(&four);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":8383", "::1:8383x",
        "127.0.0.1:http", "localhost:8383", "[::1]", "[]:8383", "127.0.0.1:-1", "256.0.0.1:1",
        "a very long text that is no address at all but has a colon and a number at its end:1"};
    struct listener listener;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct fault fault = FAULT_INIT;
        ck_assert_msg(
            listener_open(bad[i], 0, (gid_t)-1, &listener, &fault) == RESULT_BAD_CONFIGURATION,
            "%s", bad[i]);
        ck_assert_int_eq(listener.fd, -1);
        ck_assert_ptr_nonnull(strstr(fault.text, "not an address"));
    }
}
END_TEST

START_TEST(an_address_in_use)
{
    struct fault fault = FAULT_INIT;
    struct listener first, second;

    ck_assert_int_eq(listener_open("127.0.0.1:0", 0, (gid_t)-1, &first, &fault), RESULT_OK);
    int fd AUTO_CLOSE = first.fd;
    ck_assert_int_eq(
        listener_open(first.address, 0, (gid_t)-1, &second, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_ptr_nonnull(strstr(fault.text, first.address));
    ck_assert_int_eq(second.fd, -1);
}
END_TEST

START_TEST(adopts_listening_sockets_only)
{
    struct fault fault = FAULT_INIT;
    struct listener first, adopted;

    ck_assert_int_eq(listener_open("127.0.0.1:0", 0, (gid_t)-1, &first, &fault), RESULT_OK);
    ck_assert_int_eq(listener_adopt(first.fd, &adopted, &fault), RESULT_OK);
    int fd AUTO_CLOSE = adopted.fd;
    ck_assert_str_eq(adopted.address, first.address);
    ck_assert(adopted.is_local);

    const int others[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0),
        socket(AF_UNIX, SOCK_STREAM, 0), dup(STDIN_FILENO)};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        ck_assert_int_eq(listener_adopt(others[i], &adopted, &fault), RESULT_BAD_CONFIGURATION);
        ck_assert_int_eq(adopted.fd, -1);
        ck_assert_int_eq(close(others[i]), -1); /* it was taken over */
    }
}
END_TEST

CHECK_MAIN("http/listen", listens, tells_loopback_from_others, ipv6_leaves_the_port_to_ipv4,
    says_what_is_wrong, an_address_in_use, adopts_listening_sockets_only)
