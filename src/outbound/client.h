/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends oneM2M requests over HTTP (TS-0009) and hears of their answers on the event loop, by
 * libcurl. Nothing here blocks: names are resolved on threads of libcurl. Redirects, proxies from
 * the environment and protocols other than HTTP and HTTPS are not followed. For the main thread. */
#pragma once

#include <systemd/sd-event.h>

#include "base/bytes.h"
#include "base/fault.h"

#define OUTBOUND_CALLS_MAX     64    /* calls under way at a time */
#define OUTBOUND_ANSWER_OCTETS 65536 /* of headers and body of an answer together */
#define OUTBOUND_CONNECT_MS    2000  /* to resolve the name, connect, and shake hands by TLS */
#define OUTBOUND_TIMEOUT_MS    10000 /* for the whole call */
#define OUTBOUND_VALUE_OCTETS  512

struct outbound_client;
struct outbound_call; /* a request whose answer has not come yet */

enum result outbound_client_new(sd_event *loop, struct outbound_client **out, struct fault *fault)
    WARN_UNUSED;
/* Cancels all calls. Not to be called from an answer's callback. */
void outbound_client_free(struct outbound_client *client);
DEFINE_CLEANUP(struct outbound_client *, outbound_client_free)

/* For HTTPS: paths of files, which are read for each connection. The private key, on P-256, is in
 * secret memory alone. */
struct outbound_tls {
    const char *anchors;                   /* PEM; whom we take the server's certificate from */
    const char *certificate, *private_key; /* ours; NULL: none */
};

/* The texts must have no CR or LF. All is copied. */
struct outbound_request {
    const char *method;      /* "POST" */
    const char *url;         /* http or https */
    const char *from;        /* X-M2M-Origin */
    const char *media_type;  /* Accept, and Content-Type of the body */
    unsigned resource_type;  /* "ty" of a Create (TS-0009 6.4.3); 0: none */
    struct bytes body;       /* empty: none */
    struct outbound_tls tls; /* for https */
    unsigned timeout_ms;     /* for the whole call; 0: OUTBOUND_TIMEOUT_MS */
};

/* An answer, or why there is none. All of it is what somebody else sent. */
struct outbound_answer {
    const char *error;                      /* why no answer came; NULL: one came */
    long status;                            /* of HTTP */
    int rsc;                                /* X-M2M-RSC; 0: there was none, or no number */
    char location[OUTBOUND_VALUE_OCTETS];   /* Content-Location; "": none, or too long */
    char media_type[OUTBOUND_VALUE_OCTETS]; /* Content-Type without parameters; "": likewise */
    struct bytes body;
};

/* ANSWER is valid during the call alone, and the struct outbound_call is not any more. The function
 * may send and cancel. */
typedef void outbound_answered(const struct outbound_answer *answer, void *context);

/* Sends REQUEST. ANSWERED is called later, once, unless the call is cancelled. RESULT_BUSY when
 * OUTBOUND_CALLS_MAX are under way, RESULT_NO_MEMORY, RESULT_BAD_INPUT. */
enum result outbound_send(struct outbound_client *client, const struct outbound_request *request,
    outbound_answered *answered, void *context, struct outbound_call **out, struct fault *fault)
    WARN_UNUSED;
/* Ends CALL without an answer; the server may have acted on it all the same. NULL is allowed. */
void outbound_cancel(struct outbound_call *call);
