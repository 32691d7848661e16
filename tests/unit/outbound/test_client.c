/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client against a server of one connection, which answers what the test has it answer. */
#include "outbound/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "support/check_main.h"

#define LOOP_MOST_US 20000000

static sd_event *loop;
static struct outbound_client *client;

/* --- the server --- */

static struct {
    int listener;
    pthread_t thread;
    char url[64];
    struct bytes answer; /* size 0: none, the connection stays open until the client ends it */
    char request[4096];
    size_t size;
} server;

static void *serve(void *context)
{
    (void)context;
    int fd = accept(server.listener, NULL, NULL);
    if (fd < 0)
        return NULL;
    const char *end = NULL;
    ssize_t got = 1;
    while (!end && got > 0) {
        got = recv(fd, server.request + server.size, sizeof(server.request) - 1 - server.size, 0);
        server.size += got > 0 ? (size_t)got : 0;
        end = strstr(server.request, "\r\n\r\n{}");
        if (strncmp(server.request, "GET", 3) == 0)
            end = strstr(server.request, "\r\n\r\n");
    }
    if (server.answer.size > 0) {
        (void)send(fd, server.answer.data, server.answer.size, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
    }
    char rest[256];
    while (recv(fd, rest, sizeof(rest), 0) > 0)
        ;
    close(fd);
    return NULL;
}

static void start_server(struct bytes answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(&server, 0, sizeof(server));
    server.answer = answer;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server.listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server.listener, 8), 0);
    ck_assert_int_eq(getsockname(server.listener, (struct sockaddr *)&address, &size), 0);
    snprintf(
        server.url, sizeof(server.url), "http://127.0.0.1:%d/TinyIoT", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void stop_server(void)
{
    (void)shutdown(server.listener, SHUT_RDWR);
    ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
    close(server.listener);
}

/* --- the client --- */

static void set_up(void)
{
    struct fault fault = FAULT_INIT;
    ck_assert_int_ge(sd_event_new(&loop), 0);
    ck_assert_msg(outbound_client_new(loop, &client, &fault) == RESULT_OK, "%s", fault.text);
}

static void tear_down(void)
{
    outbound_client_free(client);
    sd_event_unref(loop);
}

struct heard {
    unsigned count;
    struct outbound_answer answer;
    char error[256], body[OUTBOUND_ANSWER_OCTETS + 1];
};

static void hear(const struct outbound_answer *answer, void *context)
{
    struct heard *heard = context;
    heard->count++;
    heard->answer = *answer;
    snprintf(heard->error, sizeof(heard->error), "%s", answer->error ? answer->error : "");
    if (answer->body.size > 0)
        memcpy(heard->body, answer->body.data, answer->body.size);
}

static void run_until_heard(const struct heard *heard, unsigned count)
{
    int64_t end_us = clock_steady_us() + LOOP_MOST_US;
    while (heard->count < count && clock_steady_us() < end_us)
        ck_assert_int_ge(sd_event_run(loop, 100000), 0);
    ck_assert_uint_eq(heard->count, count);
}

static struct outbound_call *send_to(
    const char *url, const char *method, unsigned timeout_ms, struct heard *heard)
{
    struct fault fault = FAULT_INIT;
    struct outbound_call *call = NULL;
    bool has_body = strcmp(method, "GET") != 0;
    const struct outbound_request request = {
        .method = method,
        .url = url,
        .from = "/in-cse",
        .media_type = "application/json",
        .resource_type = has_body ? 16 : 0,
        .body = bytes_of("{}", has_body ? 2 : 0),
        .timeout_ms = timeout_ms,
    };
    enum result result = outbound_send(client, &request, hear, heard, &call, &fault);
    ck_assert_msg(result == RESULT_OK, "%s", fault.text);
    return call;
}

static void exchange(struct bytes answer, const char *method, struct heard *heard)
{
    memset(heard, 0, sizeof(*heard));
    start_server(answer);
    (void)send_to(server.url, method, 0, heard);
    run_until_heard(heard, 1);
    stop_server();
}

#define EXCHANGE(text, method, heard) exchange(bytes_of(text, sizeof(text) - 1), method, heard)

static struct heard heard;

START_TEST(it_sends_a_create)
{
    EXCHANGE("HTTP/1.1 201 Created\r\nX-M2M-RSC: 2001\r\nContent-Location: cse-in/x\r\n"
             "Content-Type: application/json; charset=utf-8\r\nContent-Length: 5\r\n\r\n{\"a\"}",
        "POST", &heard);
    ck_assert_ptr_null(heard.answer.error);
    ck_assert_int_eq(heard.answer.status, 201);
    ck_assert_int_eq(heard.answer.rsc, 2001);
    ck_assert_str_eq(heard.answer.location, "cse-in/x");
    ck_assert_str_eq(heard.answer.media_type, "application/json");
    ck_assert_str_eq(heard.body, "{\"a\"}");
    ck_assert_ptr_eq(strstr(server.request, "POST /TinyIoT HTTP/1.1\r\n"), server.request);
    static const char *const lines[] = {"\r\nX-M2M-Origin: /in-cse\r\n", "\r\nX-M2M-RVI: 3\r\n",
        "\r\nContent-Type: application/json;ty=16\r\n", "\r\nAccept: application/json\r\n",
        "\r\nContent-Length: 2\r\n", "\r\nX-M2M-RI: "};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        ck_assert_msg(strstr(server.request, lines[i]), "%s", lines[i]);
}
END_TEST

START_TEST(it_takes_no_number_for_a_status_code_that_is_none)
{
    EXCHANGE("HTTP/1.1 200 OK\r\nX-M2M-RSC: 20000\r\nContent-Length: 0\r\n\r\n", "GET", &heard);
    ck_assert_int_eq(heard.answer.rsc, 0);
    EXCHANGE("HTTP/1.1 200 OK\r\nX-M2M-RSC: -200\r\nContent-Length: 0\r\n\r\n", "GET", &heard);
    ck_assert_int_eq(heard.answer.rsc, 0);
    EXCHANGE("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "GET", &heard);
    ck_assert_int_eq(heard.answer.rsc, 0);
    ck_assert_int_eq(heard.answer.status, 502);
}
END_TEST

START_TEST(it_follows_no_redirect)
{
    EXCHANGE("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "GET", &heard);
    ck_assert_ptr_null(heard.answer.error);
    ck_assert_int_eq(heard.answer.status, 302);
}
END_TEST

START_TEST(it_uses_no_proxy_of_the_environment)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    EXCHANGE("HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nContent-Length: 0\r\n\r\n", "GET", &heard);
    ck_assert_int_eq(heard.answer.rsc, 2000);
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_none)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n\r\n";
    static const char line[] = "X-Long: 0123456789abcdef0123456789abcdef0123456789abcdef012345\r\n";
    static char text[sizeof(head) + OUTBOUND_ANSWER_OCTETS + sizeof(line)];

    memset(text, 'x', sizeof(text));
    memcpy(text, head, sizeof(head) - 1);
    exchange(bytes_of(text, OUTBOUND_ANSWER_OCTETS), "GET", &heard);
    ck_assert_ptr_null(heard.answer.error);
    exchange(bytes_of(text, OUTBOUND_ANSWER_OCTETS + 1), "GET", &heard);
    ck_assert_str_eq(heard.error, "the answer is longer than 65536 octets");
    size_t size = sizeof("HTTP/1.1 200 OK\r\n") - 1; /* headers without end */
    while (size + sizeof(line) < sizeof(text)) {
        memcpy(text + size, line, sizeof(line) - 1);
        size += sizeof(line) - 1;
    }
    exchange(bytes_of(text, size), "GET", &heard);
    ck_assert_str_eq(heard.error, "the answer is longer than 65536 octets");
}
END_TEST

START_TEST(what_is_no_http_is_an_error)
{
    EXCHANGE("\0\xff\xff garbage \x01\r\n\r\n", "GET", &heard);
    ck_assert_ptr_nonnull(heard.answer.error);
    EXCHANGE("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", "GET", &heard);
    ck_assert_ptr_nonnull(heard.answer.error);
}
END_TEST

START_TEST(a_server_that_hangs_costs_the_deadline)
{
    memset(&heard, 0, sizeof(heard));
    start_server(bytes_of(NULL, 0));
    int64_t start_ms = clock_steady_ms();
    (void)send_to(server.url, "GET", 300, &heard);
    run_until_heard(&heard, 1);
    ck_assert_ptr_nonnull(strstr(heard.error, "timed out"));
    ck_assert_int_ge(clock_steady_ms() - start_ms, 290);
    ck_assert_int_lt(clock_steady_ms() - start_ms, 5000);
    stop_server();
}
END_TEST

START_TEST(a_call_that_is_cancelled_is_not_answered)
{
    static struct heard other;
    memset(&heard, 0, sizeof(heard));
    start_server(bytes_of(NULL, 0));
    struct outbound_call *call = send_to(server.url, "GET", 0, &heard);
    while (server.size == 0)
        ck_assert_int_ge(sd_event_run(loop, 10000), 0);
    outbound_cancel(call);
    stop_server(); /* which ends only as the connection has ended */
    (void)send_to("http://127.0.0.1:1/x", "GET", 0, &other);
    run_until_heard(&other, 1);
    ck_assert_uint_eq(heard.count, 0);
}
END_TEST

START_TEST(there_are_so_many_at_a_time)
{
    struct fault fault = FAULT_INIT;
    struct outbound_call *call = NULL;
    const struct outbound_request request = {
        .method = "GET", .url = "http://127.0.0.1:1/x", .from = "/x", .media_type = "x/y"};

    memset(&heard, 0, sizeof(heard));
    for (unsigned i = 0; i < OUTBOUND_CALLS_MAX; i++)
        (void)send_to("http://127.0.0.1:1/x", "GET", 0, &heard);
    ck_assert_int_eq(outbound_send(client, &request, hear, &heard, &call, &fault), RESULT_BUSY);
    run_until_heard(&heard, OUTBOUND_CALLS_MAX);
    ck_assert_ptr_nonnull(heard.answer.error);
    (void)send_to("http://127.0.0.1:1/x", "GET", 0, &heard);
    run_until_heard(&heard, OUTBOUND_CALLS_MAX + 1);
}
END_TEST

START_TEST(other_protocols_are_refused)
{
    struct fault fault = FAULT_INIT;
    struct outbound_call *call = NULL;
    const struct outbound_request request = {
        .method = "GET", .url = "file:///etc/passwd", .from = "/x", .media_type = "x/y"};

    memset(&heard, 0, sizeof(heard));
    if (outbound_send(client, &request, hear, &heard, &call, &fault) == RESULT_OK) {
        run_until_heard(&heard, 1);
        ck_assert_ptr_nonnull(heard.answer.error);
    }
}
END_TEST

CHECK_MAIN_FIXTURE("outbound/client", set_up, tear_down, it_sends_a_create,
    it_takes_no_number_for_a_status_code_that_is_none, it_follows_no_redirect,
    it_uses_no_proxy_of_the_environment, an_answer_that_is_too_long_is_none,
    what_is_no_http_is_an_error, a_server_that_hangs_costs_the_deadline,
    a_call_that_is_cancelled_is_not_answered, there_are_so_many_at_a_time,
    other_protocols_are_refused)
