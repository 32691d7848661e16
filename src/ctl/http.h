/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oneM2M requests over HTTP (TS-0009), by libcurl. */
#pragma once

#include "base/bytes.h"
#include "identity/identifier.h"

#define HTTP_ANSWER_MAX   1048576 /* octets of one answer's body */
#define HTTP_URL_OCTETS   2048
#define HTTP_VALUE_OCTETS 512

struct http_options {
    const char *authorities;               /* for HTTPS; NULL: the system's */
    const char *certificate, *private_key; /* for HTTPS; NULL: none */
    long timeout_s;                        /* for one request */
    bool trace;                            /* shows requests and answers on stderr */
};

struct http;

/* On failure it has been said what is wrong; the value is the exit status. */
int http_new(const struct http_options *options, struct http **out) WARN_UNUSED;
void http_free(struct http *http);
DEFINE_CLEANUP(struct http *, http_free)

struct http_request {
    const char *title;  /* for the trace */
    const char *method; /* "POST" */
    const char *url;
    const char *from;         /* X-M2M-Origin */
    const char *content_type; /* NULL: no body */
    const char *body;
};

/* Zero-initialise; release with buffer_release(&….body). */
struct http_answer {
    long status;
    int rsc;                          /* X-M2M-RSC */
    char location[HTTP_VALUE_OCTETS]; /* Content-Location; "" = none */
    struct buffer body;
};

/* Sends and waits. STATUS_DONE: an answer came that has an X-M2M-RSC. Else as http_new. */
int http_send(struct http *http, const struct http_request *request, struct http_answer *answer)
    WARN_UNUSED;

/* The URL of the resource that LOCATION (TS-0009 6.4: an id in any of its forms) names, on the host
 * of URL. */
bool http_locate(const char *url, const char *location, char out[HTTP_URL_OCTETS]) WARN_UNUSED;
