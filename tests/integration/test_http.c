/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP on the real daemon: what clients may do, what they should not, and that the latter leaves
 * the former alone. */
#include "support/check_main.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define ENTRY     "/cse-in/e2EKeyCSE"
#define PRIMITIVE "X-M2M-Origin: Cmeter\r\nX-M2M-RI: r1\r\nX-M2M-RVI: 3\r\n"
#define CREATE    "Content-Type: application/json;ty=30001\r\n"
#define HOST      "Host: localhost\r\n"
#define CLOSE     "Connection: close\r\n"
#define PROMPT_MS 10000 /* an answer that came later has waited for another client */

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

/* --- raw HTTP ------------------------------------------------------------------------------- */

struct raw_answer {
    char text[32768];
    size_t size;
    unsigned reads; /* how many it took */
};

/* A server that hangs up early has its reasons. */
static void send_octets(int fd, const void *octets, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t part = send(fd, (const char *)octets + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0)
            return;
        sent += (size_t)part;
    }
}

static void send_text(int fd, const char *text)
{
    send_octets(fd, text, strlen(text));
}

static const char *raw_header(const struct raw_answer *answer, const char *name)
{
    static char value[256];
    size_t length = strlen(name);

    for (const char *at = strstr(answer->text, "\r\n"); at && at[2] != '\r';
         at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, length) == 0 && at[2 + length] == ':') {
            snprintf(value, sizeof(value), "%s", at + 2 + length + 1);
            value[strcspn(value, "\r\n")] = '\0';
            return value + strspn(value, " ");
        }
    return NULL;
}

static const char *raw_body(const struct raw_answer *answer)
{
    const char *end = strstr(answer->text, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

static int raw_status(const struct raw_answer *answer)
{
    return strncmp(answer->text, "HTTP/1.", 7) == 0 ? atoi(answer->text + 9) : 0;
}

static bool is_whole(const struct raw_answer *answer)
{
    const char *body = raw_body(answer);
    const char *length = body ? raw_header(answer, "Content-Length") : NULL;

    if (!body)
        return false;
    ck_assert_msg(length || raw_status(answer) == 100, "without its length: %s", answer->text);
    ck_assert_ptr_null(raw_header(answer, "Transfer-Encoding"));
    return strlen(body) >= (length ? strtoul(length, NULL, 10) : 0);
}

/* One more read; false at the end of the connection. */
static bool raw_read(int fd, struct raw_answer *answer)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    ck_assert_msg(poll(&ready, 1, DAEMON_TIMEOUT_MS) == 1, "neither more nor an end, after: %s",
        answer->text);
    ssize_t part =
        recv(fd, answer->text + answer->size, sizeof(answer->text) - 1 - answer->size, 0);
    if (part <= 0)
        return false;
    answer->size += (size_t)part;
    answer->text[answer->size] = '\0';
    answer->reads++;
    return true;
}

/* The one answer that is due on FD. */
static void raw_receive(int fd, struct raw_answer *answer)
{
    *answer = (struct raw_answer){0};
    while (!is_whole(answer))
        ck_assert_msg(raw_read(fd, answer), "hung up after: %s", answer->text);
}

/* Whatever comes until the other side hangs up. */
static void raw_receive_all(int fd, struct raw_answer *answer)
{
    *answer = (struct raw_answer){0};
    while (raw_read(fd, answer))
        continue;
}

static void expect_end(int fd)
{
    struct raw_answer answer;

    raw_receive_all(fd, &answer);
    ck_assert_msg(answer.size == 0, "more than was asked for: %s", answer.text);
}

static void expect_status(const struct raw_answer *answer, int status, const char *rsc)
{
    const char *got = raw_header(answer, "X-M2M-RSC");

    ck_assert_msg(raw_status(answer) == status && (!rsc || (got && strcmp(got, rsc) == 0)),
        "expected %d/%s, got: %s", status, rsc ? rsc : "-", answer->text);
}

/* --- the whole, by libcurl ------------------------------------------------------------------ */

/* An exchange goes through, and its key can be read. */
static void expect_exchange(void)
{
    CURL *client = http_open();
    struct exported_key exported;
    struct http_answer answer;
    struct varlink varlink;
    int64_t started = clock_steady_ms();

    ck_assert_msg(exchange_run(client, &daemon_, meter, "Cmeter", &exported, &answer),
        "refused: %ld %s", answer.status, answer.body);
    ck_assert_int_lt(clock_steady_ms() - started, PROMPT_MS);
    http_close(client);
    varlink_open(&varlink, daemon_.socket);
    json_t *reply =
        varlink_call(&varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "peer", "Cmeter"));
    char id[2 * sizeof(exported.id) + 1];
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), id);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(json_object_get(reply, "parameters"), "key"), "keyId")),
        id);
    json_decref(reply);
    varlink_close(&varlink);
}

/* The content of a Create: Message 1 in JSON; the caller frees. */
static char *create_content(void)
{
    struct initiator *initiator CLEANUP(auto_initiator_free) = NULL;
    AUTO_BUFFER struct buffer message = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(
        initiator_start(meter, "in-cse.m2m.example", &initiator, &message, &fault), RESULT_OK);
    return exchange_content(buffer_bytes(&message));
}

/* --- what clients may do -------------------------------------------------------------------- */

START_TEST(connections_stay_or_end_as_asked)
{
    static const struct {
        const char *request;
        bool stays;
    } cases[] = {
        {"GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n", true},
        {"GET " ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n", false},
        {"GET " ENTRY " HTTP/1.0\r\n" PRIMITIVE "\r\n", false},
        {"GET " ENTRY " HTTP/1.0\r\nConnection: keep-alive\r\n" PRIMITIVE "\r\n", true},
        {"GET http://localhost" ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n", false},
    };

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        for (int turn = 0; turn < (cases[i].stays ? 3 : 1); turn++) {
            send_text(fd, cases[i].request);
            raw_receive(fd, &answer);
            expect_status(&answer, 200, "2000");
        }
        if (!cases[i].stays)
            expect_end(fd);
        close(fd);
    }
    tear_down();
}
END_TEST

/* Header and body in one write: else the peer's delayed acknowledgement holds the body back. */
START_TEST(an_answer_comes_in_one_piece)
{
    struct raw_answer answer;

    set_up(NULL);
    int fd = raw_connect(daemon_.port);
    for (int i = 0; i < 100; i++) {
        send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
        raw_receive(fd, &answer);
        expect_status(&answer, 200, "2000");
        ck_assert_uint_gt(strlen(raw_body(&answer)), 0);
        ck_assert_uint_eq(answer.reads, 1);
    }
    close(fd);
    tear_down();
}
END_TEST

START_TEST(header_names_come_in_any_case)
{
    static const char *const forms[] = {
        "host: a\r\nx-m2m-origin: Cmeter\r\nx-m2m-ri: one\r\nx-m2m-rvi: 3\r\n"
        "content-type: application/json;ty=30001\r\ncontent-length: %zu\r\n\r\n%s",
        "HOST: a\r\nX-M2M-ORIGIN: Cmeter\r\nX-M2M-RI: one\r\nX-M2M-RVI: 3\r\n"
        "CONTENT-TYPE: application/json;ty=30001\r\nCONTENT-LENGTH: %zu\r\n\r\n%s",
        "hOsT:a\r\nX-m2M-oRiGiN:Cmeter\r\nX-m2m-Ri:one\r\nX-m2m-rVi:\t3 \r\n"
        "cOnTeNt-TyPe:application/json;ty=30001\r\nConTENT-LengTH: %zu\r\n\r\n%s",
    };

    set_up(NULL);
    char *content = create_content();
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char head[512], *request = NULL;
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        snprintf(head, sizeof(head), "POST /cse-in HTTP/1.1\r\n%s", forms[i]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        ck_assert_int_gt(asprintf(&request, head, strlen(content), content), 0);
#pragma GCC diagnostic pop
        send_text(fd, request);
        raw_receive(fd, &answer);
        expect_status(&answer, 201, "2001");
        ck_assert_str_eq(raw_header(&answer, "X-M2M-RI"), "one");
        free(request);
        close(fd);
    }
    free(content);
    tear_down();
}
END_TEST

#define CREATE_LINE "POST " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE CREATE

static void send_by_length(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "Content-Length: %zu\r\n\r\n%s", strlen(content), content);
}

static void send_in_a_chunk(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
        strlen(content), content);
}

static void send_in_small_chunks(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "transfer-encoding: Chunked\r\nTrailer: Note\r\n\r\n");
    for (size_t left = strlen(content), size; left > 0; content += size, left -= size) {
        size = left < 7 ? left : 7;
        dprintf(fd, "%zx;note=\"%zu\"\r\n%.*s\r\n", size, left, (int)size, content);
    }
    dprintf(fd, "0\r\nNote: the end\r\n\r\n");
}

static void send_by_the_octet(int fd, const char *content)
{
    char *request = NULL;

    ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
    ck_assert_int_gt(
        asprintf(&request, CREATE_LINE "Content-Length: %zu\r\n\r\n%s", strlen(content), content),
        0);
    for (const char *at = request; *at; at++)
        send_octets(fd, at, 1);
    free(request);
}

/* All are the same request to the daemon, repeated: so are the answers. */
START_TEST(a_body_comes_by_length_or_in_chunks)
{
    static void (*const ways[])(int fd, const char *content) = {
        send_by_length, send_in_a_chunk, send_in_small_chunks, send_by_the_octet};
    static struct raw_answer answers[ARRAY_SIZE(ways)];

    set_up(NULL);
    char *content = create_content();
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        int fd = raw_connect(daemon_.port);
        ways[i](fd, content);
        raw_receive(fd, &answers[i]);
        expect_status(&answers[i], 201, "2001");
        ck_assert_str_eq(raw_body(&answers[i]), raw_body(&answers[0]));
        close(fd);
    }
    free(content);
    tear_down();
}
END_TEST

START_TEST(a_client_may_wait_for_100)
{
    struct raw_answer answer;

    set_up(NULL);
    char *content = create_content();
    int fd = raw_connect(daemon_.port);
    dprintf(fd, CREATE_LINE "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n", strlen(content));
    raw_receive(fd, &answer);
    ck_assert_str_eq(answer.text, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(fd, content);
    raw_receive(fd, &answer);
    expect_status(&answer, 201, "2001");
    close(fd);

    /* What is too long is refused before it is sent. */
    fd = raw_connect(daemon_.port);
    send_text(fd, CREATE_LINE "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    raw_receive(fd, &answer);
    expect_status(&answer, 400, "4102");
    expect_end(fd);
    close(fd);
    free(content);
    tear_down();
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    struct raw_answer answer;
    char requests[2048], id[16];

    set_up(NULL);
    int fd = raw_connect(daemon_.port), length = 0;
    for (int i = 0; i < 8; i++)
        length += snprintf(requests + length, sizeof(requests) - (size_t)length,
            "GET " ENTRY " HTTP/1.1\r\n" HOST "X-M2M-Origin: Cmeter\r\nX-M2M-RI: p%d\r\n%s\r\n", i,
            i == 7 ? CLOSE : "");
    send_text(fd, requests);
    raw_receive_all(fd, &answer);
    const char *at = answer.text;
    for (int i = 0; i < 8; i++) {
        snprintf(id, sizeof(id), "X-M2M-RI: p%d\r\n", i);
        at = strstr(at, id);
        ck_assert_msg(at, "no %s in: %s", id, answer.text);
    }
    close(fd);
    tear_down();
}
END_TEST

/* --- listeners ------------------------------------------------------------------------------ */

static bool has_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

/* The entry point is there at each address that the log says we listen on; how many these are. */
static unsigned count_live_listeners(void)
{
    static const char before[] = "listening on ";
    static const char *const headers[] = {"X-M2M-Origin: Cmeter", "X-M2M-RI: r1", NULL};
    char *log = daemon_log(&daemon_);
    CURL *client = http_open();
    unsigned count = 0;

    for (char *at = log; (at = strstr(at, before)) != NULL; count++) {
        struct http_answer answer;
        char address[128];
        at += strlen(before);
        snprintf(address, sizeof(address), "%.*s", (int)strcspn(at, " \n"), at);
        http_call(client, address,
            &(struct http_request){.method = "GET", .path = ENTRY, .headers = headers}, &answer);
        ck_assert_int_eq(answer.status, 200);
        http_answer_release(&answer);
    }
    http_close(client);
    free(log);
    return count;
}

START_TEST(all_listeners_serve)
{
    if (has_ipv6()) {
        set_up("{\"http\":{\"listen\":[\"127.0.0.1:0\",\"127.0.0.2:0\",\"[::1]:0\"]}}");
        ck_assert_uint_eq(count_live_listeners(), 3);
    } else {
        set_up("{\"http\":{\"listen\":[\"127.0.0.1:0\",\"127.0.0.2:0\"]}}");
        ck_assert_uint_eq(count_live_listeners(), 2);
    }
    expect_exchange();
    tear_down();
}
END_TEST

/* --- HTTPS ---------------------------------------------------------------------------------- */

/* From here on clients show the certificate NAME; NULL: none. */
static void speak_https_as(const char *name)
{
    static char anchors[DAEMON_PATH_OCTETS], certificate[DAEMON_PATH_OCTETS],
        key[DAEMON_PATH_OCTETS];
    static struct http_tls tls;

    snprintf(anchors, sizeof(anchors), "%s", daemon_file(&daemon_, "mcc-ca.pem"));
    tls = (struct http_tls){.anchors = anchors};
    if (name) {
        snprintf(certificate, sizeof(certificate), "%s", daemon_file(&daemon_, "%s.pem", name));
        snprintf(key, sizeof(key), "%s", daemon_file(&daemon_, "%s.key", name));
        tls.certificate = certificate;
        tls.private_key = key;
    }
    http_use_tls(&tls);
}

static long status_for(const char *name)
{
    CURL *client = http_open();
    struct http_answer answer;

    speak_https_as(name);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "GET", .path = ENTRY, .from = "Cmeter", .request_id = "r1"},
        &answer);
    long status = answer.status;
    http_answer_release(&answer);
    http_close(client);
    return status;
}

#define HTTPS(more)                                                                                \
    "{\"http\":{\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"" more "}}}"

START_TEST(https_knows_its_clients)
{
    set_up(HTTPS(",\"clientAnchors\":\"mcc-ca.pem\""));
    ck_assert_int_eq(status_for("http-client"), 200);
    ck_assert_int_eq(status_for(NULL), 403);
    ck_assert_int_eq(status_for("stranger"), 403);
    ck_assert_int_eq(status_for("meter"), 403); /* the field's authority is not this hop's */
    ck_assert_int_eq(status_for("http"), 403);  /* a server's certificate makes no client */
    ck_assert_int_eq(status_for("http-client"), 200);
    tear_down();
}
END_TEST

START_TEST(https_without_client_certificates)
{
    set_up(HTTPS(""));
    ck_assert_int_eq(status_for(NULL), 200);
    ck_assert_int_eq(status_for("stranger"), 200);
    tear_down();
}
END_TEST

static void abuse_tls(void)
{
    static const char *const starts[] = {"GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n",
        "\x16\x03\x01\x40\x01\x01\x01\x3f\xfc\x03\x03", "\x15\x03\x03\x7f\xff", "\x80\x2e\x01", ""};

    for (size_t i = 0; i < 10 * ARRAY_SIZE(starts); i++) {
        int fd = raw_connect(daemon_.port);
        send_text(fd, starts[i % ARRAY_SIZE(starts)]);
        close(fd);
    }
}

START_TEST(a_whole_exchange_over_https)
{
    set_up(HTTPS(",\"clientAnchors\":\"mcc-ca.pem\""));
    abuse_tls();
    speak_https_as("http-client");
    expect_exchange();
    tear_down();
}
END_TEST

/* --- what they should not do ---------------------------------------------------------------- */

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
            400, "4000"},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: gzip\r\n", "{}"), 400, "4000"},
        {POST(PRIMITIVE CREATE "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400, "4000"},
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
        send_text(fd, cases[i].request);
        raw_receive_all(fd, &answer);
        if (cases[i].status > 0)
            expect_status(&answer, cases[i].status, cases[i].rsc);
        else
            ck_assert_msg(raw_status(&answer) / 100 != 2, "%s: %s", cases[i].request, answer.text);
        close(fd);
    }
    expect_exchange();
    tear_down();
}
END_TEST

START_TEST(unknown_methods_are_refused)
{
    static const char *const methods[] = {
        "PATCH", "OPTIONS", "TRACE", "HEAD", "get", "NOTIFY", "BREW", "x"};

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        dprintf(fd, "%s " ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n", methods[i]);
        raw_receive_all(fd, &answer);
        expect_status(&answer, 405, "4005");
        ck_assert_str_eq(raw_header(&answer, "Allow"), "GET, POST, PUT, DELETE");
        ck_assert_int_eq(strlen(raw_body(&answer)) == 0, strcmp(methods[i], "HEAD") == 0);
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
    send_text(fd, before);
    send_octets(fd, long_text, length);
    send_text(fd, after);
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
    send_long(CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n4;", "a", 1 << 20, "\r\n");

    /* Where it comes in chunks and is not endless, its sender hears why. */
    int fd = raw_connect(daemon_.port);
    memset(body, ' ', sizeof(body) - 1);
    send_in_a_chunk(fd, body);
    raw_receive(fd, &answer);
    expect_status(&answer, 400, "4102");
    send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
    raw_receive(fd, &answer);
    expect_status(&answer, 200, "2000");
    close(fd);
    expect_exchange();
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
    char *content = create_content();
    ck_assert_int_gt(
        asprintf(&request, CREATE_LINE "Content-Length: %zu\r\n\r\n%s", strlen(content), content),
        0);
    size_t size = strlen(request);
    for (size_t cut = 0; cut <= size; cut++) {
        int fd = raw_connect(daemon_.port);
        send_octets(fd, request, cut);
        reset(fd);
        fd = raw_connect(daemon_.port);
        send_octets(fd, request, cut);
        close(fd);
    }
    free(request);
    free(content);
    expect_exchange();
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
        send_text(idle[i], starts[i % ARRAY_SIZE(starts)]);
    }
    expect_exchange();
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
        close(idle[i]);
    expect_exchange();
    tear_down();
}
END_TEST

/* --- stopping ------------------------------------------------------------------------------- */

/* A Create of which the daemon has the head. */
static int begin_create(size_t size)
{
    struct raw_answer answer;
    int fd = raw_connect(daemon_.port);

    dprintf(fd, CREATE_LINE "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n", size);
    raw_receive(fd, &answer);
    ck_assert_int_eq(raw_status(&answer), 100);
    return fd;
}

START_TEST(what_is_under_way_at_the_stop_gets_its_answer)
{
    struct raw_answer answer;

    set_up(NULL);
    char *content = create_content();
    int fd = begin_create(strlen(content));
    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    daemon_await_notice(&daemon_, "STOPPING=1");
    send_text(fd, content);
    raw_receive(fd, &answer);
    expect_status(&answer, 201, "2001");
    ck_assert_str_eq(raw_header(&answer, "Connection"), "close");
    expect_end(fd);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 0);
    close(fd);
    free(content);
    initiator_credential_free(meter);
    daemon_remove(&daemon_);
}
END_TEST

START_TEST(what_never_ends_does_not_hold_up_the_stop)
{
    set_up(NULL);
    int half = begin_create(100), silent = raw_connect(daemon_.port);
    tear_down();
    close(half);
    close(silent);
}
END_TEST

CHECK_MAIN("integration/http", connections_stay_or_end_as_asked, an_answer_comes_in_one_piece,
    header_names_come_in_any_case, a_body_comes_by_length_or_in_chunks, a_client_may_wait_for_100,
    pipelined_requests_are_answered_in_order, all_listeners_serve, https_knows_its_clients,
    https_without_client_certificates, a_whole_exchange_over_https, malformed_requests_are_refused,
    unknown_methods_are_refused, whatever_is_too_long_has_an_end, clients_hang_up_anywhere,
    idle_connections_stop_no_one, what_is_under_way_at_the_stop_gets_its_answer,
    what_never_ends_does_not_hold_up_the_stop)
