/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/listen_address.h"

#include <arpa/inet.h>

#include "base/cleanup.h"
#include "support/check_main.h"

START_TEST(takes_addresses_of_both_kinds)
{
    struct listen_address address;
    ck_assert(listen_address_parse("192.0.2.1:8383", &address));
    ck_assert_int_eq(address.socket.any.sa_family, AF_INET);
    ck_assert_uint_eq(address.size, sizeof(address.socket.in));
    ck_assert_uint_eq(ntohl(address.socket.in.sin_addr.s_addr), 0xc0000201);
    ck_assert_uint_eq(ntohs(address.socket.in.sin_port), 8383);
    ck_assert(listen_address_parse("[2001:db8::1]:65535", &address));
    ck_assert_int_eq(address.socket.any.sa_family, AF_INET6);
    ck_assert_uint_eq(address.size, sizeof(address.socket.in6));
    ck_assert_uint_eq(address.socket.in6.sin6_addr.s6_addr[15], 1);
    ck_assert_uint_eq(ntohs(address.socket.in6.sin6_port), 65535);
    ck_assert(listen_address_parse("0.0.0.0:0", &address));
}
END_TEST

START_TEST(takes_nothing_else)
{
    static const char *const bad[] = {"", ":", "127.0.0.1", "127.0.0.1:", ":8383", "::1:8383",
        "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:080", "127.0.0.1:-1", "127.0.0.1:1 ",
        "127.1:8383", "256.0.0.1:1", "localhost:8383", "[::1]", "[::1:8383", "[]:8383", "[:8383",
        "[127.0.0.1]:8383", "[fe80::1%lo]:8383", "unix:/run/socket",
        "[0000:0000:0000:0000:0000:0000:255.255.255.2555]:1"};
    struct listen_address address;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!listen_address_parse(bad[i], &address), "%s", bad[i]);
}
END_TEST

START_TEST(tells_what_other_hosts_reach)
{
    static const struct {
        const char *text;
        bool is_local;
    } cases[] = {
        {"127.0.0.1:1", true},
        {"127.1.2.3:1", true},
        {"[::1]:1", true},
        {"[::ffff:127.0.0.1]:1", true},
        {"0.0.0.0:1", false},
        {"192.0.2.1:1", false},
        {"[::]:1", false},
        {"[::ffff:192.0.2.1]:1", false},
        {"[7f00::1]:1", false},
    };
    struct listen_address address;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ck_assert(listen_address_parse(cases[i].text, &address));
        ck_assert_msg(listen_address_is_local(&address) == cases[i].is_local, "%s", cases[i].text);
    }
}
END_TEST

CHECK_MAIN("base/listen_address", takes_addresses_of_both_kinds, takes_nothing_else,
    tells_what_other_hosts_reach)
