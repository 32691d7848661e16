/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oneM2M requests over HTTP (TS-0009), by libcurl. */
#pragma once

#include "base/bytes.h"
#include "identity/identifier.h"

#define HTTP_ANSWER_MAX   1048576 /* octets of one answer's body */
#define HTTP_URL_OCTETS   2048
#define HTTP_VALUE_OCTETS 512
#define HTTP_RETRIES_MAX  10

struct http_options {
    const char *authorities;               /* for HTTPS; NULL: the system's */
    const char *certificate, *private_key; /* for HTTPS; NULL: none */
    long timeout_s;                        /* for one request */
    long retries;                          /* how often a request is sent again, HTTP_RETRIES_MAX */
    bool trace;                            /* shows requests and answers on stderr */
};

struct http_client;

/* Prints what is wrong on failure. Returns the exit status. */
int http_client_new(const struct http_options *options, struct http_client **out) WARN_UNUSED;
void http_client_free(struct http_client *http);
DEFINE_CLEANUP(struct http_client *, http_client_free)

struct http_client_request {
    const char *title;  /* for the trace */
    const char *method; /* "POST" */
    const char *url;
    const char *from;          /* X-M2M-Origin */
    const char *media_type;    /* Accept, and that of the body */
    const char *resource_type; /* ty, of a Create; NULL: none */
    struct bytes body;         /* empty: none */
};

/* Zero-initialise; release with buffer_release(&….body). */
struct http_client_answer {
    long status;
    unsigned attempts;                  /* how often the request was sent */
    int rsc;                            /* X-M2M-RSC */
    char location[HTTP_VALUE_OCTETS];   /* Content-Location; "" = none */
    char media_type[HTTP_VALUE_OCTETS]; /* Content-Type without parameters; "" = none */
    struct buffer body;
};

/* Sends REQUEST and waits for the answer. Sends it again when the other side is busy (503), cannot
 * be connected to, or hangs up without an answer; each time after a longer pause, or after that of
 * Retry-After if it is longer still. A request that is sent again has the same X-M2M-RI, by which
 * the other side knows a message that it has answered already. Returns STATUS_DONE for any answer
 * with an X-M2M-RSC header; otherwise prints what is wrong and returns the exit status. */
int http_client_send(struct http_client *http, const struct http_client_request *request,
    struct http_client_answer *answer) WARN_UNUSED;

/* Makes the URL of the resource NAME below the one that URL names, or, where URL is not that of the
 * resource PARENT, below PARENT below that. Returns false when a name cannot stand in a path. */
bool http_client_descend(
    const char *url, const char *parent, const char *name, char out[HTTP_URL_OCTETS]) WARN_UNUSED;

/* Makes the URL, on the host of URL, of the resource that LOCATION names: a Content-Location as in
 * TS-0009 6.4, a resource id in any of its forms. Returns false if LOCATION is no such id. */
bool http_client_locate(const char *url, const char *location, char out[HTTP_URL_OCTETS])
    WARN_UNUSED;
