/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP for tests: libcurl for what clients do, a raw socket for what they should not. */
#pragma once

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADERS_MAX 32

struct http_header {
    char *name, *value;
};

/* Release with http_answer_release. */
struct http_answer {
    long status; /* 0: no answer */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    char *body; /* NUL-terminated; NULL = none */
    size_t body_size;
};

struct http_request {
    const char *method;         /* "POST" */
    const char *path;           /* "/cse-in"; sent as it is */
    const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
    const char *body;           /* NULL = none */
};

/* A client that keeps its connection; one thread at a time. ADDRESS: "http://127.0.0.1:8383". */
CURL *http_open(void);
void http_call(CURL *client, const char *address, const struct http_request *request,
    struct http_answer *answer);
void http_close(CURL *client);

/* PEM files; without a certificate of its own, .certificate and .private_key are NULL. */
struct http_tls {
    const char *anchors, *certificate, *private_key;
};
/* From here on m2m_call speaks HTTPS; NULL: HTTP again. Kept as it is given. */
void http_use_tls(const struct http_tls *tls);

/* From here on this thread's connections come from ADDRESS ("127.0.0.2"), another transport peer to
 * the daemon; NULL: from whichever. Kept as it is given. */
void http_use_address(const char *address);

/* NULL when absent; the name in any case. */
const char *http_answer_header(const struct http_answer *answer, const char *name);
void http_answer_release(struct http_answer *answer);

/* A request primitive in the oneM2M binding (TS-0009). NULL leaves a header out. */
struct m2m_request {
    const char *method;       /* "POST" */
    const char *path;         /* "/cse-in" */
    const char *from;         /* X-M2M-Origin */
    const char *request_id;   /* X-M2M-RI */
    const char *content_type; /* "application/json;ty=30001" */
    const char *body;
    const char *const *headers; /* more; may be NULL */
};
/* With X-M2M-RVI 3, on 127.0.0.1 PORT. */
void m2m_call(
    CURL *client, uint16_t port, const struct m2m_request *request, struct http_answer *answer);

/* A connection to 127.0.0.1 PORT. */
int raw_connect(uint16_t port);
int raw_try_connect(uint16_t port); /* -1: it is refused, or reset */
/* Sends the octets to 127.0.0.1 PORT and returns all that comes until the other side closes, or
 * sends nothing for WAIT_MS. NUL-terminated; the caller frees. */
char *raw_call(uint16_t port, const void *octets, size_t size, int wait_ms, size_t *received);
