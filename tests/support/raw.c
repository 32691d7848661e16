/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/raw.h"

#include <check.h>
#include <linux/tcp.h> /* struct tcp_info of netinet/tcp.h is an older one */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "support/daemon.h"

void raw_send(int fd, const void *octets, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t part = send(fd, (const char *)octets + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0)
            return;
        sent += (size_t)part;
    }
}

void raw_send_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

const char *raw_header(const struct raw_answer *answer, const char *name)
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

const char *raw_body(const struct raw_answer *answer)
{
    const char *end = strstr(answer->text, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

int raw_status(const struct raw_answer *answer)
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

int raw_connect_by_segments(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const int segment = 1460; /* with 12 octets of time stamps */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

unsigned raw_segments(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_data_segs_in;
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

void raw_receive(int fd, struct raw_answer *answer)
{
    *answer = (struct raw_answer){0};
    while (!is_whole(answer))
        ck_assert_msg(raw_read(fd, answer), "hung up after: %s", answer->text);
}

void raw_receive_all(int fd, struct raw_answer *answer)
{
    *answer = (struct raw_answer){0};
    while (raw_read(fd, answer))
        continue;
}

void raw_expect_end(int fd)
{
    struct raw_answer answer;

    raw_receive_all(fd, &answer);
    ck_assert_msg(answer.size == 0, "more than was asked for: %s", answer.text);
}

void raw_expect_status(const struct raw_answer *answer, int status, const char *rsc)
{
    const char *got = raw_header(answer, "X-M2M-RSC");

    ck_assert_msg(raw_status(answer) == status && (!rsc || (got && strcmp(got, rsc) == 0)),
        "expected %d/%s, got: %s", status, rsc ? rsc : "-", answer->text);
}
