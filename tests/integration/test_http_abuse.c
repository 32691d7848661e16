/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP on the real daemon: what clients should not do, and that it leaves the others alone. */
#include "support/check_main.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/exchange.h"
#include "support/raw.h"
#include "tls/context.h"

static struct daemon daemon_;
static struct initiator_credential *meter;

static void set_up(const char *policy)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    meter = exchange_credential(&daemon_, "meter");
}

/* The daemon lives, has complained of nothing that is its own, and stops as it should. */
static void tear_down(void)
{
    char *log = daemon_log(&daemon_);

    ck_assert_msg(!strstr(log, "error: "), "%s", log);
    free(log);
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

#define GET(path, headers)  "GET " path " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE headers "\r\n"
#define POST(headers, body) "POST " ENTRY " HTTP/1.1\r\n" HOST CLOSE headers "\r\n" body

START_TEST(malformed_requests_are_refused)
{
    static const struct {
        const char *request;
        int status; /* 0: hanging up will do */
        const char *rsc;
    } cases[] = {
        {GET("/cse-in/%zz", ""), 400, "4000"},
        {GET("/cse-in/%4", ""), 400, "4000"},
        {GET("/cse-in/%", ""), 400, "4000"},
        {GET("/cse-in%00/e2EKeyCSE", ""), 400, "4000"},
        {GET("/%ff%fe", ""), 404, "4004"},
        {GET("/cse-in/../../etc/passwd", ""), 404, "4004"},
        {GET(ENTRY "?rt=%zz", ""), 400, "4000"},
        {GET(ENTRY, "X-M2M-Origin: Cother\r\n"), 400, "4000"},
        {GET(ENTRY, "x-m2m-ri: r1\r\n"), 400, "4000"},
        {GET(ENTRY, "X-M2M-RVI: 4\r\n"), 400, "4000"},
        {"GET " ENTRY " HTTP/1.1\r\n" HOST CLOSE "X-M2M-RI: r1\r\n\r\n", 400, "4000"},
        {"GET " ENTRY " HTTP/1.1\r\n" HOST CLOSE "X-M2M-Origin: Cmeter\r\n\r\n", 400, "4000"},
        {POST(PRIMITIVE CREATE "Content-Length: 0\r\n", ""), 400, "4000"},
        {POST(PRIMITIVE CREATE "Content-Length: 4\r\n", "null"), 400, "4000"},
        {POST(PRIMITIVE CREATE "Content-Length: 4\r\n", "{\"a\""), 400, "4000"},
        {POST(PRIMITIVE CREATE CREATE "Content-Length: 2\r\n", "{}"), 400, "4000"},
        {POST(PRIMITIVE "Content-Length: 2\r\n", "{}"), 415, "4015"},
        {POST(PRIMITIVE CREATE "Content-Length: 2\r\nContent-Length: 3\r\n", "{} "), 400, "4000"},
        {POST(PRIMITIVE CREATE "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
             "2\r\n{}\r\n0\r\n\r\n"),
            400, NULL},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: gzip\r\n", "{}"), 400, NULL},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400, NULL},
        {POST(PRIMITIVE CREATE "Content-Length: -1\r\n", "{}"), 400, NULL},
        {POST(PRIMITIVE CREATE "Content-Length: two\r\n", "{}"), 400, NULL},
        {POST(PRIMITIVE CREATE "Content-Length: 99999999999999999999\r\n", "{}"), 0, NULL},
        {POST(PRIMITIVE CREATE "Content-Length: 1000000\r\n", "{}"), 400, "4102"},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 0, NULL},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"), 0,
            NULL},
        {"GET " ENTRY " HTTP/1.1\r\n" CLOSE PRIMITIVE "\r\n", 400, NULL}, /* no Host */
        {GET(ENTRY, "Host: other\r\n"), 400, NULL},
        {"GET " ENTRY " HTTP/7.5\r\n" HOST CLOSE PRIMITIVE "\r\n", 505, NULL},
        {"GET " ENTRY "\r\n\r\n", 0, NULL},
        {"\r\n\r\n\r\n\r\nnonsense\r\n\r\n", 0, NULL},
        {"GET\r\n\r\n", 0, NULL},
        {"GET " ENTRY " HTTP/1.1\r\nno colon\r\n" HOST "\r\n", 0, NULL},
        {"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\r\n\r\n", 0, NULL},
        {"{\"m2m:e2ek\":{}}\r\n\r\n", 0, NULL},
    };

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        raw_send_text(fd, cases[i].request);
        raw_receive_all(fd, &answer);
        if (cases[i].status > 0)
            raw_expect_status(&answer, cases[i].status, cases[i].rsc);
        else
            ck_assert_msg(raw_status(&answer) / 100 != 2, "%s: %s", cases[i].request, answer.text);
        close(fd);
    }
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

#define LINE   "GET " ENTRY " HTTP/1.1\r\n"
#define IS_LAX (MHD_VERSION < 0x01000000) /* docs/security.md says what is not seen then */

/* What a proxy may understand otherwise than we (RFC 9112): refused, and nothing behind it is read.
 */
START_TEST(nothing_is_smuggled_in)
{
    static const struct {
        const char *name, *octets;
        size_t size;
        bool
            is_lenient; /* not seen by libmicrohttpd 0.9: answered, but nothing is read behind it */
        bool may_hang_up; /* without an answer, as libmicrohttpd 1.0 does */
    } cases[] = {
#define CASE(name, octets) {name, octets, sizeof(octets) - 1, false, false}
#define LENIENT_CASE(name, octets)                                                                 \
    {                                                                                              \
        name, octets, sizeof(octets) - 1, true, false                                              \
    }
#define MUTE_CASE(name, octets)                                                                    \
    {                                                                                              \
        name, octets, sizeof(octets) - 1, false, true                                              \
    }
        CASE("blank before the colon", LINE HOST PRIMITIVE "X-A : b\r\n\r\n"),
        CASE("tab before the colon", LINE HOST PRIMITIVE "X-A\t: b\r\n\r\n"),
        CASE("blank in a name", LINE HOST PRIMITIVE "X A: b\r\n\r\n"),
        CASE("empty name", LINE HOST PRIMITIVE ": b\r\n\r\n"),
        CASE("bare LF in a header", LINE HOST PRIMITIVE "X-A: b\nX-B: c\r\n\r\n"),
        CASE("bare LF at the end", LINE HOST PRIMITIVE "X-A: b\r\n\n"),
        CASE("bare LF after the request line", "GET " ENTRY " HTTP/1.1\n" HOST PRIMITIVE "\r\n"),
        CASE("bare CR in a value", LINE HOST PRIMITIVE "X-A: b\rc\r\n\r\n"),
        CASE("NUL in a value", LINE HOST PRIMITIVE "X-A: b\0c\r\n\r\n"),
        CASE("NUL in a name", LINE HOST PRIMITIVE "X-\0A: b\r\n\r\n"),
        CASE("fold", LINE HOST PRIMITIVE "X-A: b\r\n c\r\n\r\n"),
        CASE("fold of the first", "GET " ENTRY " HTTP/1.1\r\n X-A: c\r\n" HOST PRIMITIVE "\r\n"),
        MUTE_CASE("NUL in the target", "GET " ENTRY "\0x HTTP/1.1\r\n" HOST PRIMITIVE "\r\n"),
        MUTE_CASE("NUL in the query", "GET " ENTRY "?rt=3\0x HTTP/1.1\r\n" HOST PRIMITIVE "\r\n"),
        CASE("two spaces", "GET  " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n"),
        CASE("space in the target", "GET " ENTRY " x HTTP/1.1\r\n" HOST PRIMITIVE "\r\n"),
        CASE("space in the query", "GET " ENTRY "?rt=3 x HTTP/1.1\r\n" HOST PRIMITIVE "\r\n"),
        CASE("two lengths", CREATE_LINE "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        CASE("length and chunks",
            CREATE_LINE "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        CASE("length with a sign", CREATE_LINE "Content-Length: +2\r\n\r\n{}"),
        CASE("length list", CREATE_LINE "Content-Length: 2, 2\r\n\r\n{}"),
        CASE("other coding", CREATE_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        CASE("coding twice", CREATE_LINE
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
#define CHUNKED CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n"
        CASE("chunk size that overflows", CHUNKED "10000000000000002\r\n{}\r\n0\r\n\r\n"),
        CASE("chunk size with junk", CHUNKED "2x\r\n{}\r\n0\r\n\r\n"),
        CASE("chunk size 0x", CHUNKED "0x2\r\n{}\r\n0\r\n\r\n"),
        CASE("negative chunk size", CHUNKED "-2\r\n{}\r\n0\r\n\r\n"),
        CASE("no break after a chunk", CHUNKED "2\r\n{}x\r\n0\r\n\r\n"),
        LENIENT_CASE("NUL for CR", LINE HOST PRIMITIVE "X-A: b\0\nConnection: close\r\n\r\n"),
        LENIENT_CASE("bare LF after a chunk size", CHUNKED "2\n{}\r\n0\r\n\r\n"),
        LENIENT_CASE("bare LF after a chunk", CHUNKED "2\r\n{}\n0\r\n\r\n"),
        LENIENT_CASE("bare LF after the last", CHUNKED "2\r\n{}\r\n0\n\n"),
        LENIENT_CASE("bare LF in a trailer", CHUNKED "2\r\n{}\r\n0\r\nX-A: b\n\r\n"),
        LENIENT_CASE("bare LF in an extension", CHUNKED "2;a\nb\r\n{}\r\n0\r\n\r\n"),
    };
    static const char next[] = LINE HOST PRIMITIVE "X-Second: yes\r\n\r\n";

    set_up(NULL);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        size_t number = i / 2,
               piece = i % 2 ? 1 : cases[number].size; /* at once, or by the octet */
        struct raw_answer answer;
        const int now = 1;
        int fd = raw_connect(daemon_.port);
        ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now)), 0);
        for (size_t sent = 0; sent < cases[number].size; sent += piece)
            raw_send(fd, cases[number].octets + sent, piece);
        raw_send(fd, next, sizeof(next) - 1);
        raw_receive_all(fd, &answer);
        int status = raw_status(&answer);
        close(fd);
        if (status == 0 && answer.size == 0 && cases[number].may_hang_up && !IS_LAX)
            continue;
        ck_assert_msg(
            status == 400 || status == 413 || (cases[number].is_lenient && IS_LAX && status != 0),
            "%s: %s", cases[number].name, answer.text);
        const char *connection = raw_header(&answer, "Connection");
        ck_assert_msg(connection && strcasecmp(connection, "close") == 0, "%s: %s",
            cases[number].name, answer.text);
        /* An error of its own libmicrohttpd 0.9 may say twice. */
        ck_assert_msg(
            !strstr(answer.text + 1, "HTTP/1.1 2"), "%s: %s", cases[number].name, answer.text);
    }
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

START_TEST(unknown_methods_are_refused)
{
    static const char *const methods[] = {
        "PATCH", "TRACE", "CONNECT", "head", "Options", "get", "NOTIFY", "BREW", "x"};

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        dprintf(fd, "%s " ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n", methods[i]);
        raw_receive_all(fd, &answer);
        raw_expect_status(&answer, 405, "4005");
        ck_assert_str_eq(raw_header(&answer, "Allow"), "GET, HEAD, POST, PUT, DELETE, OPTIONS");
        ck_assert_str_ne(raw_body(&answer), "");
        close(fd);
    }
    tear_down();
}
END_TEST

/* BEFORE, then FILLER over and over for SIZE octets, then AFTER; any end but success will do. */
static void send_long(const char *before, const char *filler, size_t size, const char *after)
{
    struct raw_answer answer;
    int fd = raw_connect(daemon_.port);
    char *long_text = malloc(size + strlen(filler) + 1);
    size_t length = 0;

    for (; length < size; length += strlen(filler))
        memcpy(long_text + length, filler, strlen(filler) + 1);
    raw_send_text(fd, before);
    raw_send(fd, long_text, length);
    raw_send_text(fd, after);
    free(long_text);
    raw_receive_all(fd, &answer);
    ck_assert_msg(raw_status(&answer) / 100 != 2, "%s", answer.text);
    close(fd);
}

START_TEST(whatever_is_too_long_has_an_end)
{
    struct raw_answer answer;
    static char body[100001];

    set_up(NULL);
    send_long("GET /", "a", 1 << 20, " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
    send_long("GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "X-Long: ", "a", 1 << 20, "\r\n\r\n");
    send_long("GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE, "X: y\r\n", 1 << 20, "\r\n");
    send_long("GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE, "Accept: a/b,\r\n", 12000, "\r\n");
    send_long("", "a", 1 << 20, "");
    send_long("", "\r\n", 1 << 20, "");
    send_long(CREATE_LINE "Content-Length: 1048576\r\n\r\n", "a", 1 << 20, "");
    send_long(CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n", "4\r\naaaa\r\n", 1 << 20, "");

    /* Where it comes in chunks and is not endless, its sender hears why. */
    int fd = raw_connect(daemon_.port);
    memset(body, ' ', sizeof(body) - 1);
    dprintf(fd, CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
        strlen(body), body);
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 400, "4102");
    close(fd);
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

/* Hangs up without a farewell: the other side gets a reset. */
static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(fd);
}

START_TEST(clients_hang_up_anywhere)
{
    char *request = NULL;

    set_up(NULL);
    char *content = exchange_begin(meter);
    ck_assert_int_gt(
        asprintf(&request, CREATE_LINE "Content-Length: %zu\r\n\r\n%s", strlen(content), content),
        0);
    size_t size = strlen(request);
    for (size_t cut = 0; cut <= size; cut++) {
        int fd = raw_connect(daemon_.port);
        raw_send(fd, request, cut);
        reset(fd);
        fd = raw_connect(daemon_.port);
        raw_send(fd, request, cut);
        close(fd);
    }
    free(request);
    free(content);
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

START_TEST(idle_connections_stop_no_one)
{
    static const char *const starts[] = {
        "", "G", "GET " ENTRY " HTTP/1.1\r\n", CREATE_LINE "Content-Length: 100\r\n\r\n{"};
    int idle[200];

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
        idle[i] = raw_connect(daemon_.port);
        raw_send_text(idle[i], starts[i % ARRAY_SIZE(starts)]);
    }
    exchange_prove(&daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        close(idle[i]);
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

CHECK_MAIN("integration/http_abuse", malformed_requests_are_refused, nothing_is_smuggled_in,
    unknown_methods_are_refused, whatever_is_too_long_has_an_end, clients_hang_up_anywhere,
    idle_connections_stop_no_one)
