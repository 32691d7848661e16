/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "http/binding.h"
#include "http/https.h"

#define AROUND_MESSAGE_OCTETS 4096   /* more than any content has beside eckm */
#define DISCARD_OCTETS        262144 /* of an over-long body that came without its length */

struct call {
    struct binding binding;
    struct buffer body;
    size_t discarded;
};

/* What is known of a connection. */
struct peer {
    bool has_asked;
    bool is_trusted; /* its certificate */
};

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *context =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return context ? context->socket_context : NULL; /* NULL: memory was short */
}

/* --- calls under way, connections without one so far, threads on hold --- */

static void count(struct call_shared *shared, unsigned *counted, int more)
{
    pthread_mutex_lock(&shared->lock);
    *counted += (unsigned)more;
    pthread_cond_signal(&shared->counted);
    pthread_mutex_unlock(&shared->lock);
}

static void wait_while_held(struct call_shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    if (shared->holds) {
        shared->held++;
        pthread_cond_signal(&shared->counted);
        while (shared->holds)
            pthread_cond_wait(&shared->released, &shared->lock);
        shared->held--;
    }
    pthread_mutex_unlock(&shared->lock);
}

static void enter(struct call_shared *shared, struct MHD_Connection *connection)
{
    struct peer *peer = peer_of(connection);

    count(shared, &shared->under_way, 1);
    if (peer && !peer->has_asked) {
        peer->has_asked = true;
        count(shared, &shared->unasked, -1);
    }
}

static void leave(struct call_shared *shared)
{
    count(shared, &shared->under_way, -1);
}

/* --- the answer --- */

static void write_header(void *response, const char *name, const char *value)
{
    /* Out of memory, or a value that we would never write: the answer goes without. */
    (void)MHD_add_response_header(response, name, value);
}

/* The body goes over to the response, so that it is sent from where it was written. */
static struct MHD_Response *make_response(struct response *answer)
{
    struct buffer *content = &answer->content;

    if (content->size == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        content->size, content->data, wiping_free);
    if (response)
        content->data = NULL;
    return response;
}

static enum MHD_Result answer(
    struct call_shared *shared, struct MHD_Connection *connection, struct call *call)
{
    struct binding *binding = &call->binding;
    struct response answer CLEANUP(response_release) = {
        .serialization = binding_answer_serialization(binding)};

    binding->request.content = buffer_bytes(&call->body);
    procedure_answer(shared->procedure, &binding->request,
        binding->fault.result == RESULT_OK ? NULL : &binding->fault, &answer);

    struct MHD_Response *response = make_response(&answer);
    if (!response)
        return MHD_NO;
    int status = binding_respond(binding, &answer, write_header, response);
    if (binding->is_unreadable || shared->is_stopping)
        write_header(response, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

/* --- the request --- */

/* libmicrohttpd before 1.0 takes a text for ended at a NUL, and what follows it up to the end of
 * the line is lost. It parses in place, so that where nothing is lost each line begins behind the
 * CRLF, or LF, of the one before. A folded line (RFC 9112 5.2), which it moves, does not either.
 * Later ones refuse a NUL themselves. */
struct lines {
    struct binding *binding;
    const char *end; /* of what we know of the line before */
    bool has_gap;
};

static void see_line(struct lines *lines, const char *start, const char *end, size_t breaks)
{
    uintptr_t gap = (uintptr_t)start - (uintptr_t)lines->end;

    lines->has_gap |= gap < breaks || gap > 2 * breaks;
    lines->end = end;
}

static enum MHD_Result each_header(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct lines *lines = context;

    (void)kind;
    if (!value)
        value = "";
    see_line(lines, name, value + strlen(value), 1);
    binding_header(lines->binding, name, value);
    return MHD_YES;
}

static void read_headers(struct MHD_Connection *connection, struct binding *binding,
    const char *method, const char *version)
{
    struct lines lines = {.binding = binding, .end = version + strlen(version)};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, each_header, &lines);
    if (strncmp(MHD_get_version(), "0.", 2) != 0)
        return;
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    see_line(&lines, method + (size ? size->header_size : 0), NULL, 2);
    if (!lines.has_gap)
        return;
    fault_set(
        &binding->fault, RESULT_BAD_REQUEST, "a line of the HTTP header is folded or holds a NUL");
    binding->is_unreadable = true;
}

static enum MHD_Result each_query(
    void *binding, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    binding_query(binding, name, value);
    return MHD_YES;
}

/* Its certificate is verified once; a trusted connection stays so while it lasts. */
static bool is_trusted(struct MHD_Connection *connection)
{
    struct peer *peer = peer_of(connection);

    if (!peer)
        return false;
    if (!peer->is_trusted) {
        const union MHD_ConnectionInfo *session =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        peer->is_trusted = session && https_is_client_trusted(session->tls_session);
    }
    return peer->is_trusted;
}

static size_t body_limit(struct call_shared *shared)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(shared->slot);
    return BASE64_OCTETS((size_t)snapshot->policy->limits.message_octets) + AROUND_MESSAGE_OCTETS;
}

/* The headers are there. */
static enum MHD_Result begin(struct call_shared *shared, struct MHD_Connection *connection,
    struct call *call, const char *method, const char *path, const char *version)
{
    call->body.limit = body_limit(shared);
    binding_start(&call->binding, method, path);
    read_headers(connection, &call->binding, method, version);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, each_query, &call->binding);
    binding_check_host(&call->binding, version);
    binding_finish(&call->binding, call->body.limit);
    if (shared->needs_client_certificate && !is_trusted(connection)) {
        fault_set(&call->binding.fault, RESULT_NOT_AUTHORISED,
            "this address is for clients with a certificate that it trusts");
        call->binding.is_unreadable = true;
    }
    return call->binding.is_unreadable ? answer(shared, connection, call) : MHD_YES;
}

/* A piece of the body. What is too long is read for a while, so that its sender sees the answer. */
static enum MHD_Result receive(struct call *call, const char *upload, size_t *upload_size)
{
    size_t size = *upload_size;

    *upload_size = 0;
    if (call->discarded == 0) {
        enum result result = buffer_append(&call->body, upload, size);
        if (result != RESULT_BUSY)
            return result == RESULT_OK ? MHD_YES : MHD_NO;
        binding_refuse_body(&call->binding, call->body.limit);
        buffer_release(&call->body);
    }
    call->discarded += size;
    return call->discarded <= DISCARD_OCTETS ? MHD_YES : MHD_NO;
}

/* --- what libmicrohttpd calls --- */

enum MHD_Result call_handle(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **own_context)
{
    struct call_shared *shared = context;
    struct call *call = *own_context;

    if (call)
        return *upload_size > 0 ? receive(call, upload, upload_size)
                                : answer(shared, connection, call);
    *own_context = call = calloc(1, sizeof(*call));
    if (!call)
        return MHD_NO;
    enter(shared, connection);
    return begin(shared, connection, call, method, path, version);
}

void call_completed(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_RequestTerminationCode code)
{
    struct call *call = *own_context;

    (void)connection;
    (void)code;
    if (!call)
        return;
    buffer_release(&call->body);
    free(call);
    *own_context = NULL;
    leave(context);
}

void call_connection(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_ConnectionNotificationCode code)
{
    struct call_shared *shared = context;
    struct peer *peer = *own_context;

    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *own_context = calloc(1, sizeof(struct peer));
        if (*own_context)
            count(shared, &shared->unasked, 1);
        wait_while_held(shared);
        return;
    }
    if (peer && !peer->has_asked)
        count(shared, &shared->unasked, -1);
    free(peer);
}

/* The binding decodes, and tells what is malformed. */
size_t call_keep_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}
