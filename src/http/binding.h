/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP binding (TS-0009): an HTTP request to a request primitive, a response primitive to an
 * HTTP response. No sockets here: http/transaction hands in what was read, piece by piece.
 *
 *   binding_start, then binding_header and binding_query for each, then binding_check_host and
 *   binding_finish.
 */
#pragma once

#include "base/fault.h"
#include "http/media.h"
#include "onem2m/primitive.h"

#define BINDING_PATH_OCTETS  1024
#define BINDING_QUERY_OCTETS 16
#define BINDING_LIST_OCTETS  128 /* of atrl */

enum binding_header {
    BINDING_FROM,
    BINDING_REQUEST_ID,
    BINDING_RELEASE,
    BINDING_EXPIRATION,
    BINDING_CONTENT_TYPE,
    BINDING_CONTENT_LENGTH,
    BINDING_TRANSFER_ENCODING,
    BINDING_HOST,
    BINDING_HEADERS,
};

/* About 3.5 KB. The request points into it: not to be copied. */
struct binding {
    struct request request; /* complete, but for its content, after binding_finish */
    struct fault fault;     /* the first thing that is wrong; .result RESULT_OK = nothing */
    bool is_unreadable;     /* the body cannot be read: respond at once and close the connection */
    bool is_unknown_method;

    bool has_header[BINDING_HEADERS];
    char header[BINDING_HEADERS][IDENTIFIER_OCTETS]; /* without the blanks around a value */
    char path[BINDING_PATH_OCTETS];
    char response_type[BINDING_QUERY_OCTETS], result_content[BINDING_QUERY_OCTETS];
    char attribute_list[BINDING_LIST_OCTETS];
    struct media_type type;
    struct media_accept accept;
};

/* PATH: the request target as it came, without its query. */
void binding_start(struct binding *binding, const char *method, const char *path);
void binding_header(struct binding *binding, const char *name, const char *value);
/* NAME and VALUE as they came, percent-encoded; VALUE may be NULL. */
void binding_query(struct binding *binding, const char *name, const char *value);
/* Refuses a request of HTTP/1.1 without Host; HTTP/1.0 does not require it. VERSION is that of the
 * request line. */
void binding_check_host(struct binding *binding, const char *version);
/* After the last header. BODY_LIMIT: the most octets that a body may have. */
void binding_finish(struct binding *binding, size_t body_limit);

/* Refuses a request whose body turned out to be longer than BODY_LIMIT. */
void binding_refuse_body(struct binding *binding, size_t body_limit);

/* There is no memory for the body. */
void binding_refuse_for_memory(struct binding *binding);

/* What the response's content is to be written in. After binding_finish. */
const struct serialization *binding_answer_serialization(const struct binding *binding);

/* Hands each header of the response to WRITE and returns the HTTP status. */
typedef void binding_writer(void *context, const char *name, const char *value);
int binding_respond(const struct binding *binding, const struct response *response,
    binding_writer *write, void *context);
