/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP on the real daemon: what clients may do, where, and with which certificate; and the stop. */
#include "support/check_main.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "support/exchange.h"
#include "support/raw.h"
#include "support/run.h"
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

/* --- what clients may do --- */

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
            raw_send_text(fd, cases[i].request);
            raw_receive(fd, &answer);
            raw_expect_status(&answer, 200, "2000");
        }
        if (!cases[i].stays)
            raw_expect_end(fd);
        close(fd);
    }
    tear_down();
}
END_TEST

/* As load balancers look after us, on connections that they keep or that they do not. */
START_TEST(health_checks_are_answered)
{
#define ALL       "GET, HEAD, POST, PUT, OPTIONS"
#define OPTIONS_1 " HTTP/1.1\r\n" HOST "\r\n"
    static const struct {
        const char *request;
        int status;
        const char *rsc, *allow;
    } cases[] = {
        {"OPTIONS " ENTRY OPTIONS_1, 200, "2000", ALL},
        {"OPTIONS /~/in-cse/-/e2EKeyCSE" OPTIONS_1, 200, "2000", ALL},
        {"OPTIONS /notify" OPTIONS_1, 200, "2000", "POST, OPTIONS"},
        {"OPTIONS / HTTP/1.0\r\n\r\n", 200, "2000", "POST, OPTIONS"}, /* haproxy's own */
        {"OPTIONS " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n", 200, "2000", ALL},
        {"OPTIONS /cse-in/elsewhere" OPTIONS_1, 404, "4004", NULL},
        {"OPTIONS " ENTRY "/none" OPTIONS_1, 404, "4004", NULL},
        /* no Host: libmicrohttpd 1.0 refuses it before we see it */
        {"OPTIONS " ENTRY " HTTP/1.1\r\n\r\n", 400, NULL, NULL},
        {"DELETE " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n", 405, "4005", ALL},
    };

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        raw_send_text(fd, cases[i].request);
        raw_receive(fd, &answer);
        raw_expect_status(&answer, cases[i].status, cases[i].rsc);
        const char *allow = raw_header(&answer, "Allow");
        ck_assert_msg(cases[i].allow ? allow && strcmp(allow, cases[i].allow) == 0 : !allow, "%s%s",
            cases[i].request, answer.text);
        close(fd);
    }
    tear_down();
}
END_TEST

/* What GET says, without the body, also for a refusal; so nothing is in the way of what follows on
 * the connection. */
START_TEST(head_is_get_without_a_body)
{
    static const char *const rests[] = {
        ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n",
        ENTRY " HTTP/1.1\r\n" HOST "\r\n",
        "/elsewhere HTTP/1.1\r\n" HOST PRIMITIVE "\r\n",
    };

    set_up(NULL);
    int fd = raw_connect(daemon_.port);
    for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
        struct raw_answer get, head;
        char request[256];
        snprintf(request, sizeof(request), "GET %s", rests[i]);
        raw_send_text(fd, request);
        raw_receive(fd, &get);
        int other = raw_connect(daemon_.port);
        snprintf(request, sizeof(request), "HEAD %s", rests[i]);
        char *end = strstr(request, "\r\n\r\n");
        snprintf(end, sizeof(request) - (size_t)(end - request), "\r\n" CLOSE "\r\n");
        raw_send_text(other, request);
        raw_receive_all(other, &head);
        ck_assert_int_eq(raw_status(&head), raw_status(&get));
        ck_assert_str_eq(raw_body(&head), "");
        ck_assert_str_ne(raw_body(&get), "");
        char length[32];
        snprintf(length, sizeof(length), "%zu", strlen(raw_body(&get)));
        ck_assert_str_eq(raw_header(&head, "Content-Length"), length);
        close(other);
    }
    close(fd);
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
        raw_send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
        raw_receive(fd, &answer);
        raw_expect_status(&answer, 200, "2000");
        ck_assert_uint_gt(strlen(raw_body(&answer)), 0);
        ck_assert_uint_eq(answer.reads, 1);
    }
    close(fd);
    tear_down();
}
END_TEST

/* MESSAGE, by the request of LINE; the answer, which comes as one segment. */
static void send_for_a_segment(int fd, const char *line, const char *root,
    const struct buffer *message, struct raw_answer *answer)
{
    char *text = malloc(BASE64_OCTETS(message->size) + 1);
    unsigned before = raw_segments(fd);

    ck_assert_ptr_nonnull(text);
    base64_encode_text(buffer_bytes(message), text);
    dprintf(fd,
        "%s HTTP/1.1\r\n" HOST "X-M2M-Origin: Cmeter\r\nX-M2M-RI: %zu\r\nX-M2M-RVI: 3\r\n"
        "Content-Type: application/json%s\r\nContent-Length: %zu\r\n\r\n{%s\"eckm\":\"%s\"}}",
        line, message->size, strncmp(line, "POST /cse", 9) == 0 ? ";ty=30001" : "",
        strlen(root) + strlen(text) + 12, root, text);
    raw_receive(fd, answer);
    ck_assert_msg(raw_segments(fd) == before + 1, "%u segments: %zu octets: %s",
        raw_segments(fd) - before, answer->size, answer->text);
    free(text);
}

/* Some CSEs read an answer by one read. Header and body come in one write, with Content-Length, and
 * with a certificate of common length they fit one segment. */
START_TEST(messages_come_in_one_segment)
{
    static const struct {
        const char *first, *second, *root; /* SECOND NULL: the exchange's own address */
    } ways[] = {
        {"POST /cse-in", NULL, "\"m2m:e2ek\":{"},
        {"POST /notify", "POST /notify", "\"m2m:seci\":{\"sit\":6,"},
    };

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct raw_answer answer;
        struct run run;
        char own[256];
        int fd = raw_connect_by_segments(daemon_.port);
        run_begin(&run, meter, RUN_SERVER_NAME);
        send_for_a_segment(fd, ways[i].first, ways[i].root, &run.message1, &answer);
        const char *location = raw_header(&answer, "Content-Location");
        snprintf(own, sizeof(own), "PUT /~%s", location ? location : "");
        run_take_message2(&run, raw_body(&answer));
        send_for_a_segment(
            fd, ways[i].second ? ways[i].second : own, ways[i].root, &run.message3, &answer);
        raw_expect_status(&answer, 200, NULL);
        run_take_message4(&run, raw_body(&answer));
        run_end(&run);
        close(fd);
    }
    tear_down();
}
END_TEST

/* As another CSE asks whether we are still there. */
START_TEST(any_cse_may_retrieve_our_cse_base)
{
    static const struct {
        const char *target, *body;
    } cases[] = {
        {"/~/in-cse/cse-in", "{\"m2m:cb\":{\"rn\":\"cse-in\",\"ty\":5,\"ri\":\"in-cse\","},
        {"/~/in-cse", "{\"m2m:cb\":{\"rn\":\"cse-in\",\"ty\":5,\"ri\":\"in-cse\","},
        {"/cse-in?atrl=csi+rr", "{\"m2m:cb\":{\"csi\":\"/in-cse\",\"rr\":true}}"},
        {"/cse-in?rt=3&atrl=cst%20srt&rcn=1", "{\"m2m:cb\":{\"cst\":1,\"srt\":[5,30001]}}"},
    };

    set_up(NULL);
    int fd = raw_connect(daemon_.port);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer answer;
        dprintf(fd,
            "GET %s HTTP/1.1\r\n" HOST "X-M2M-Origin: /id-in\r\nX-M2M-RI: one\r\n"
            "X-M2M-RVI: 3\r\n\r\n",
            cases[i].target);
        raw_receive(fd, &answer);
        raw_expect_status(&answer, 200, "2000");
        ck_assert_msg(strncmp(raw_body(&answer), cases[i].body, strlen(cases[i].body)) == 0, "%s",
            raw_body(&answer));
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
    char *content = exchange_begin(meter);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char head[512], *request = NULL;
        struct raw_answer answer;
        int fd = raw_connect(daemon_.port);
        snprintf(head, sizeof(head), "POST /cse-in HTTP/1.1\r\n%s", forms[i]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        ck_assert_int_gt(asprintf(&request, head, strlen(content), content), 0);
#pragma GCC diagnostic pop
        raw_send_text(fd, request);
        raw_receive(fd, &answer);
        raw_expect_status(&answer, 201, "2001");
        ck_assert_str_eq(raw_header(&answer, "X-M2M-RI"), "one");
        free(request);
        close(fd);
    }
    free(content);
    tear_down();
}
END_TEST

static void send_by_length(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "Content-Length: %zu\r\n\r\n%s", strlen(content), content);
}

static void send_in_a_chunk(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
        strlen(content), content);
}

/* Without chunk extensions: libmicrohttpd 1.0 refuses them. */
static void send_in_small_chunks(int fd, const char *content)
{
    dprintf(fd, CREATE_LINE "transfer-encoding: Chunked\r\nTrailer: Note\r\n\r\n");
    for (size_t left = strlen(content), size; left > 0; content += size, left -= size) {
        size = left < 7 ? left : 7;
        dprintf(fd, "%zx\r\n%.*s\r\n", size, (int)size, content);
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
        raw_send(fd, at, 1);
    free(request);
}

/* All are the same request to the daemon, repeated: so are the answers. */
START_TEST(a_body_comes_by_length_or_in_chunks)
{
    static void (*const ways[])(int fd, const char *content) = {
        send_by_length, send_in_a_chunk, send_in_small_chunks, send_by_the_octet};
    static struct raw_answer answers[ARRAY_SIZE(ways)];

    set_up(NULL);
    char *content = exchange_begin(meter);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        int fd = raw_connect(daemon_.port);
        ways[i](fd, content);
        raw_receive(fd, &answers[i]);
        raw_expect_status(&answers[i], 201, "2001");
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
    char *content = exchange_begin(meter);
    int fd = raw_connect(daemon_.port);
    dprintf(fd, CREATE_LINE "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n", strlen(content));
    raw_receive(fd, &answer);
    ck_assert_str_eq(answer.text, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_send_text(fd, content);
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 201, "2001");
    close(fd);

    /* What is too long is refused before it is sent. */
    fd = raw_connect(daemon_.port);
    raw_send_text(fd, CREATE_LINE "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 400, "4102");
    raw_expect_end(fd);
    close(fd);
    free(content);
    tear_down();
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    struct raw_answer answer;
    char requests[2048], id[32];

    set_up(NULL);
    int fd = raw_connect(daemon_.port), length = 0;
    for (int i = 0; i < 8; i++)
        length += snprintf(requests + length, sizeof(requests) - (size_t)length,
            "GET " ENTRY " HTTP/1.1\r\n" HOST "X-M2M-Origin: Cmeter\r\nX-M2M-RI: p%d\r\n%s\r\n", i,
            i == 7 ? CLOSE : "");
    raw_send_text(fd, requests);
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

/* --- listeners --- */

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
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

/* --- HTTPS --- */

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
        raw_send_text(fd, starts[i % ARRAY_SIZE(starts)]);
        close(fd);
    }
}

START_TEST(a_whole_exchange_over_https)
{
    set_up(HTTPS(",\"clientAnchors\":\"mcc-ca.pem\""));
    abuse_tls();
    speak_https_as("http-client");
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

/* --- stopping --- */

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
    char *content = exchange_begin(meter);
    int fd = begin_create(strlen(content));
    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    daemon_await_notice(&daemon_, "STOPPING=1");
    raw_send_text(fd, content);
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 503, "5000");
    raw_expect_end(fd);
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

CHECK_MAIN("integration/http", connections_stay_or_end_as_asked, health_checks_are_answered,
    head_is_get_without_a_body, an_answer_comes_in_one_piece, messages_come_in_one_segment,
    any_cse_may_retrieve_our_cse_base, header_names_come_in_any_case,
    a_body_comes_by_length_or_in_chunks, a_client_may_wait_for_100,
    pipelined_requests_are_answered_in_order, all_listeners_serve, https_knows_its_clients,
    https_without_client_certificates, a_whole_exchange_over_https,
    what_is_under_way_at_the_stop_gets_its_answer, what_never_ends_does_not_hold_up_the_stop)
