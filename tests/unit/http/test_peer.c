/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sent a request, by address and by what proxies say. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "http/peer.h"
#include "support/check_main.h"

/* 127.0.0.1, 10.0.0.0/8, 2001:db8:1::/49 and unix: are trusted. */
static struct policy_network trusted[] = {
    {.address = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}, .prefix = 128},
    {.address = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9}, .prefix = 104},
    {.address = {0x20, 0x01, 0x0d, 0xb8, 0, 1}, .prefix = 49},
    {.is_unix = true},
};
static const struct policy_http http = {
    .trusted_proxies = trusted, .trusted_proxy_count = ARRAY_SIZE(trusted)};

static struct peer_address address_of(const char *text)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
    struct peer_address address;

    if (strcmp(text, "unix:") != 0 && inet_pton(AF_INET, text, &in->sin_addr) == 1)
        storage.ss_family = AF_INET;
    else if (strcmp(text, "unix:") != 0 && inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
        storage.ss_family = AF_INET6;
    ck_assert(peer_address_read((struct sockaddr *)&storage, &address));
    return address;
}

static void expect_same(const char *a, const char *b, bool same)
{
    struct peer_address address[2] = {address_of(a), address_of(b)};
    struct peer peer[2];

    for (int i = 0; i < 2; i++) {
        peer_of_address(&address[i], &peer[i]);
        ck_assert_uint_gt(peer[i].size, 0);
    }
    ck_assert_msg(bytes_equal(bytes_of(peer[0].octets, peer[0].size),
                      bytes_of(peer[1].octets, peer[1].size)) == same,
        "%s, %s", a, b);
}

START_TEST(senders_are_told_apart_by_address)
{
    expect_same("192.0.2.1", "192.0.2.1", true);
    expect_same("192.0.2.1", "192.0.2.2", false);
    expect_same("192.0.2.1", "::ffff:192.0.2.1", true);
    expect_same("2001:db8::1", "2001:db8::2:3:4:5", true);
    expect_same("2001:db8::1", "2001:db8:0:1::1", false);
    expect_same("unix:", "unix:", true);
    expect_same("unix:", "127.0.0.1", false);
    struct peer_address address;
    ck_assert(!peer_address_read(&(struct sockaddr){.sa_family = AF_UNSPEC}, &address));
}
END_TEST

START_TEST(certificates_are_told_apart)
{
    struct peer a, b, c;
    peer_of_certificate(bytes_of_string("one"), &a);
    peer_of_certificate(bytes_of_string("one"), &b);
    peer_of_certificate(bytes_of_string("other"), &c);
    ck_assert_uint_eq(a.size, PEER_OCTETS);
    ck_assert_mem_eq(a.octets, b.octets, a.size);
    ck_assert_mem_ne(a.octets, c.octets, a.size);
}
END_TEST

/* From the end of FROM, with the lines of Forwarded and X-Forwarded-For (a bar between two). */
static const struct {
    const char *from, *forwarded, *x_forwarded_for, *sender;
} said[] = {
    {"127.0.0.1", NULL, NULL, "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7", "192.0.2.7"},
    {"unix:", NULL, "192.0.2.7", "192.0.2.7"},
    {"2001:db8:1:7fff::1", NULL, "192.0.2.7", "192.0.2.7"},
    {"::ffff:127.0.0.1", NULL, "192.0.2.7", "192.0.2.7"},
    {"127.0.0.1", NULL, "192.0.2.7:65535", "192.0.2.7"},
    {"127.0.0.1", NULL, "[2001:db8::7]:80", "2001:db8::7"},
    {"127.0.0.1", NULL, "2001:db8::7", "2001:db8::7"},
    {"127.0.0.1", "for=192.0.2.7", NULL, "192.0.2.7"},
    {"127.0.0.1", "by=a;FOR=192.0.2.7:80;proto=https", NULL, "192.0.2.7"},
    {"127.0.0.1", "for=\"[2001:db8::7]:80\";by=_x", NULL, "2001:db8::7"},
    /* the last one that is not trusted */
    {"127.0.0.1", NULL, "192.0.2.1, 192.0.2.2", "192.0.2.2"},
    {"127.0.0.1", NULL, "192.0.2.1, 192.0.2.2 ,10.1.1.1,\t127.0.0.1 ", "192.0.2.2"},
    {"127.0.0.1", NULL, "192.0.2.1|192.0.2.2|10.1.1.1", "192.0.2.2"},
    {"127.0.0.1", "for=192.0.2.1, for=192.0.2.2;proto=http|for=10.1.1.1", NULL, "192.0.2.2"},
    {"127.0.0.1", NULL, "1|2|3|4|5|6|7|8|9|192.0.2.2|10.1.1.1", "192.0.2.2"},
    /* what a client wrote before it does no harm */
    {"127.0.0.1", NULL, "\"; nonsense,, 192.0.2.2", "192.0.2.2"},
    {"127.0.0.1", "for=\"evil, for=192.0.2.2", NULL, "192.0.2.2"},
    {"127.0.0.1", "for=\"evil\\\"|for=192.0.2.2", NULL, "192.0.2.2"},
    /* who is not trusted may say what he wants */
    {"192.0.2.9", NULL, "192.0.2.7", "192.0.2.9"},
    {"192.0.2.9", "for=192.0.2.7", NULL, "192.0.2.9"},
    {"127.0.0.2", NULL, "192.0.2.7", "127.0.0.2"},
    {"2001:db8:1:8000::1", NULL, "192.0.2.7", "2001:db8:1:8000::1"},
    /* two headers that differ */
    {"127.0.0.1", "for=192.0.2.7", "192.0.2.7", "192.0.2.7"},
    {"127.0.0.1", "for=192.0.2.6", "192.0.2.7", "127.0.0.1"},
    {"127.0.0.1", "for=unknown", "192.0.2.7", "127.0.0.1"},
    /* malformed, or no address */
    {"127.0.0.1", NULL, "", "127.0.0.1"},
    {"127.0.0.1", NULL, "10.1.1.1", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7,", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7, unknown", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7, 10.1.1.300", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7:", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7:123456", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2.7:8x", "127.0.0.1"},
    {"127.0.0.1", NULL, "192.0.2", "127.0.0.1"},
    {"127.0.0.1", NULL, "0192.0.2.7", "127.0.0.1"},
    {"127.0.0.1", NULL, "[192.0.2.7]", "127.0.0.1"},
    {"127.0.0.1", NULL, "[2001:db8::7", "127.0.0.1"},
    {"127.0.0.1", NULL, "[2001:db8::7]x", "127.0.0.1"},
    {"127.0.0.1", NULL, "2001:db8::7%eth0", "127.0.0.1"},
    {"127.0.0.1", NULL, "\"192.0.2.7\"", "127.0.0.1"},
    {"127.0.0.1", NULL, "for=192.0.2.7", "127.0.0.1"},
    {"127.0.0.1", "192.0.2.7", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=", NULL, "127.0.0.1"},
    {"127.0.0.1", "by=192.0.2.7", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=192.0.2.7;", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=192.0.2.7;for=192.0.2.8", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=\"192.0.2.7", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=192.0.2.7\"", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=\"", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=\"\\1\"", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=_hidden", NULL, "127.0.0.1"},
    {"127.0.0.1", "for=192.0.2.7;proto", NULL, "127.0.0.1"},
    {"127.0.0.1", NULL,
        "1111111111111111111111111111111111111111111111111111111111111111111111111111",
        "127.0.0.1"},
};

static void add_lines(struct peer_lines *lines, char *text)
{
    for (char *line; text && (line = strsep(&text, "|"));)
        peer_lines_add(lines, line);
}

START_TEST(what_a_proxy_says)
{
    for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
        struct peer_address found = address_of(said[i].from);
        struct peer_address sender = address_of(said[i].sender);
        char *forwarded AUTO_FREE = said[i].forwarded ? strdup(said[i].forwarded) : NULL;
        char *other AUTO_FREE = said[i].x_forwarded_for ? strdup(said[i].x_forwarded_for) : NULL;
        struct peer_lines lines[2] = {0};

        add_lines(&lines[0], forwarded);
        add_lines(&lines[1], other);
        peer_look_behind(&http, &lines[0], &lines[1], &found);
        ck_assert_msg(found.is_unix == sender.is_unix &&
                          memcmp(&found.in6, &sender.in6, sizeof(found.in6)) == 0,
            "%zu: from %s, Forwarded %s, X-Forwarded-For %s", i, said[i].from,
            said[i].forwarded ? said[i].forwarded : "-",
            said[i].x_forwarded_for ? said[i].x_forwarded_for : "-");
    }
}
END_TEST

CHECK_MAIN(
    "http/peer", senders_are_told_apart_by_address, certificates_are_told_apart, what_a_proxy_says)
