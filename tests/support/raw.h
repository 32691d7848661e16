/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP octet by octet: requests as texts, and answers as they came. What ought not to be fails the
 * test. Connections are of raw_connect (support/http.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY     "/cse-in/e2EKeyCSE"
#define PRIMITIVE "X-M2M-Origin: Cmeter\r\nX-M2M-RI: r1\r\nX-M2M-RVI: 3\r\n"
#define CREATE    "Content-Type: application/json;ty=30001\r\n"
#define HOST      "Host: localhost\r\n"
#define CLOSE     "Connection: close\r\n"

/* A Create by HTTP/1.1; what says where its body ends is to follow. */
#define CREATE_LINE "POST " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE CREATE

struct raw_answer {
    char text[32768];
    size_t size;
    unsigned reads; /* how many it took */
};

/* A connection whose segments hold 1448 octets at most, as over Ethernet; and how many with octets
 * in them it has received. */
int raw_connect_by_segments(uint16_t port);
unsigned raw_segments(int fd);

/* A server that hangs up early has its reasons. */
void raw_send(int fd, const void *octets, size_t size);
void raw_send_text(int fd, const char *text);

/* The one answer that is due. */
void raw_receive(int fd, struct raw_answer *answer);
/* Whatever comes until the other side hangs up. */
void raw_receive_all(int fd, struct raw_answer *answer);
/* It hangs up and sends nothing. */
void raw_expect_end(int fd);

/* NULL when absent; static. */
const char *raw_header(const struct raw_answer *answer, const char *name);
const char *raw_body(const struct raw_answer *answer); /* NULL before the end of the headers */
int raw_status(const struct raw_answer *answer);       /* 0: no answer in HTTP */
/* RSC: of X-M2M-RSC; NULL = whichever, or none. */
void raw_expect_status(const struct raw_answer *answer, int status, const char *rsc);
