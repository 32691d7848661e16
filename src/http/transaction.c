/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/binding.h"
#include "http/https.h"

#define AROUND_MESSAGE_OCTETS 4096   /* more than any content has beside eckm */
#define DISCARD_OCTETS        262144 /* how much of a body that is too long we read and drop */

struct transaction {
    struct binding binding;
    struct buffer body;
    size_t discarded;
    struct peer peer;
};

/* --- what a server that stops waits for --- */

static void count(struct transactions *shared, unsigned *counted, int more)
{
    pthread_mutex_lock(&shared->lock);
    *counted += (unsigned)more;
    pthread_cond_signal(&shared->counted);
    pthread_mutex_unlock(&shared->lock);
}

static void wait_while_held(struct transactions *shared)
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

static void enter(struct transactions *shared, struct http_connection *of)
{
    count(shared, &shared->under_way, 1);
    if (of && !of->has_asked) {
        of->has_asked = true;
        count(shared, &shared->unasked, -1);
    }
}

/* --- the response --- */

struct MHD_Response *transaction_out_of_memory(void)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    /* RSC of an internal server error (TS-0004 6.6.3.5) */
    if (!response || (MHD_add_response_header(response, "X-M2M-RSC", "5000") == MHD_YES &&
                         MHD_add_response_header(response, "Connection", "close") == MHD_YES))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

static enum MHD_Result say_out_of_memory(
    const struct transactions *shared, struct MHD_Connection *connection)
{
    return MHD_queue_response(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, shared->out_of_memory);
}

struct headers {
    struct MHD_Response *response;
    bool are_whole;
};

/* It fails when out of memory, and for control characters in VALUE, which no header of ours has. */
static void write_header(void *context, const char *name, const char *value)
{
    struct headers *headers = context;

    if (MHD_add_response_header(headers->response, name, value) != MHD_YES)
        headers->are_whole = false;
}

/* Hands the content over to the response, so that it is sent without being copied. */
static struct MHD_Response *make_response(struct response *primitive)
{
    struct buffer *content = &primitive->content;

    if (content->size == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        content->size, content->data, wiping_free);
    if (response)
        content->data = NULL;
    return response;
}

/* libmicrohttpd before 1.0 takes LF for CRLF between chunks, and no application can see it. To a
 * proxy before us such a body may end elsewhere; but nothing can be smuggled in behind it where
 * nothing more is read. To refuse chunks as RFC 9112 6.3 allows (411) would keep honest clients
 * out: many HTTP libraries send chunks whenever they are given no length. */
static bool ends_in_doubt(const struct binding *binding)
{
    return binding->has_header[BINDING_TRANSFER_ENCODING] && transaction_library_is_lax();
}

static enum MHD_Result respond(
    struct entrance *entrance, struct MHD_Connection *connection, struct transaction *transaction)
{
    struct transactions *shared = entrance->shared;
    struct binding *binding = &transaction->binding;
    struct response primitive CLEANUP(response_release) = {
        .serialization = binding_answer_serialization(binding)};

    connections_enter(&entrance->connections, connection_of(connection), CONNECTION_ANSWER);
    binding->request.content = buffer_bytes(&transaction->body);
    procedure_answer(shared->procedure, &binding->request,
        binding->fault.result == RESULT_OK ? NULL : &binding->fault, &primitive);

    struct headers headers = {.response = make_response(&primitive), .are_whole = true};
    if (!headers.response)
        return say_out_of_memory(shared, connection);
    int status = binding_respond(binding, &primitive, write_header, &headers);
    if (binding->is_unreadable || shared->is_stopping || ends_in_doubt(binding))
        write_header(&headers, "Connection", "close");
    /* Without Content-Location, say, an initiator could not go on; this way it asks again. */
    enum MHD_Result queued =
        headers.are_whole ? MHD_queue_response(connection, (unsigned)status, headers.response)
                          : say_out_of_memory(shared, connection);
    MHD_destroy_response(headers.response);
    connections_enter(&entrance->connections, connection_of(connection), CONNECTION_RESPONSE);
    return queued;
}

/* --- the request --- */

/* Holds the headers to RFC 9112, where libmicrohttpd before 1.0 does not: it takes LF for CRLF,
 * ends a value at a NUL and drops the rest of the line, folds lines (5.2), and lets names have
 * blanks. As it parses in place, each line begins right behind the CRLF of the one before, whose
 * two octets it has set to NUL, unless something was dropped or moved. What it leaves unseen is a
 * NUL in place of the CR of a CRLF. */
struct lines {
    struct binding *binding;
    const char *end; /* of the line before, as far as libmicrohttpd shows it */
    bool is_wrong;
};

/* BREAKS: the number of line breaks between this line and the one before. */
static void see_line(struct lines *lines, const char *start, const char *end, size_t breaks)
{
    lines->is_wrong |= (uintptr_t)start - (uintptr_t)lines->end != 2 * breaks;
    lines->end = end;
}

/* RFC 9110 5.6.2 */
static bool is_token(const char *text)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((*text >= 0 && *text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static enum MHD_Result each_header(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct lines *lines = context;

    (void)kind;
    if (!value)
        value = "";
    if (transaction_library_is_lax())
        see_line(lines, name, value + strlen(value), 1);
    lines->is_wrong |= !is_token(name) || has_control(value);
    binding_header(lines->binding, name, value);
    return MHD_YES;
}

static void refuse_framing(struct binding *binding, const char *what)
{
    fault_set(&binding->fault, RESULT_BAD_REQUEST, "%s (RFC 9112)", what);
    binding->is_unreadable = true;
}

static void read_headers(struct MHD_Connection *connection, struct binding *binding,
    const char *method, const char *version)
{
    struct lines lines = {.binding = binding, .end = version + strlen(version)};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, each_header, &lines);
    if (transaction_library_is_lax()) {
        const union MHD_ConnectionInfo *size =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        see_line(&lines, method + (size ? size->header_size : 0), NULL, 2);
    }
    if (lines.is_wrong)
        refuse_framing(binding, "a line of the HTTP header is folded, does not end in CRLF, has a "
                                "blank in its name or holds a control character");
}

/* The target is one word, with a space on either side. */
static void check_request_line(const struct http_connection *of, struct binding *binding,
    const char *method, const char *path, const char *version)
{
    bool is_one_word = of->target_end && version == of->target_end + 1;

    if (!is_one_word || (transaction_library_is_lax() && path != method + strlen(method) + 1))
        refuse_framing(binding, "the request line is not METHOD SP target SP version");
}

static enum MHD_Result each_query(
    void *binding, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    binding_query(binding, name, value);
    return MHD_YES;
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return session ? session->tls_session : NULL;
}

/* Whether the client of a connection has a certificate that we trust. Once verified, it is trusted
 * as long as the connection lasts. */
static bool is_trusted(struct MHD_Connection *connection)
{
    struct http_connection *of = connection_of(connection);

    if (of && !of->is_trusted)
        of->is_trusted = https_is_client_trusted(session_of(connection));
    return of && of->is_trusted;
}

/* The lines of the headers in which proxies say for whom they speak. */
struct forwarded {
    struct peer_lines standard, customary;
};

static enum MHD_Result each_forwarded(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct forwarded *forwarded = context;

    (void)kind;
    if (text_equal_caseless(name, "Forwarded"))
        peer_lines_add(&forwarded->standard, value ? value : "");
    if (text_equal_caseless(name, "X-Forwarded-For"))
        peer_lines_add(&forwarded->customary, value ? value : "");
    return MHD_YES;
}

/* A certificate tells more than an address; but only one that was verified, since anybody can make
 * himself any number of others. */
static void find_peer(const struct policy_http *http, struct MHD_Connection *connection,
    struct transaction *transaction)
{
    struct http_connection *of = connection_of(connection);
    struct forwarded forwarded = {0};
    struct peer_address address = of->address;

    transaction->peer = of->peer;
    if (of->is_trusted) {
        https_client_peer(session_of(connection), &transaction->peer);
    } else if (of->peer.size > 0 && http->trusted_proxy_count > 0) {
        MHD_get_connection_values(connection, MHD_HEADER_KIND, each_forwarded, &forwarded);
        peer_look_behind(http, &forwarded.standard, &forwarded.customary, &address);
        peer_of_address(&address, &transaction->peer);
    }
    transaction->binding.request.peer = bytes_of(transaction->peer.octets, transaction->peer.size);
}

/* All headers have arrived. */
static enum MHD_Result begin(struct entrance *entrance, struct MHD_Connection *connection,
    struct transaction *transaction, const char *method, const char *path, const char *version)
{
    struct transactions *shared = entrance->shared;
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(shared->slot);
    const struct policy *policy = snapshot->policy;

    transaction->body.limit =
        BASE64_OCTETS((size_t)policy->limits.message_octets) + AROUND_MESSAGE_OCTETS;
    binding_start(&transaction->binding, method, path);
    check_request_line(connection_of(connection), &transaction->binding, method, path, version);
    read_headers(connection, &transaction->binding, method, version);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, each_query, &transaction->binding);
    binding_check_host(&transaction->binding, version);
    binding_finish(&transaction->binding, transaction->body.limit);
    if (shared->needs_client_certificate && !is_trusted(connection)) {
        fault_set(&transaction->binding.fault, RESULT_NOT_AUTHORISED,
            "this address is for clients with a certificate that it trusts");
        transaction->binding.is_unreadable = true;
    }
    find_peer(&policy->http, connection, transaction);
    connections_enter(&entrance->connections, connection_of(connection), CONNECTION_BODY);
    return transaction->binding.is_unreadable ? respond(entrance, connection, transaction)
                                              : MHD_YES;
}

/* A piece of the body has arrived. Of a body that is not taken, a bounded part is read and dropped:
 * a client that is still sending would not read the response. */
static enum MHD_Result receive(
    struct transaction *transaction, const char *upload, size_t *upload_size)
{
    size_t size = *upload_size;

    *upload_size = 0;
    if (transaction->discarded == 0) {
        enum result result = buffer_append(&transaction->body, upload, size);
        if (result == RESULT_OK)
            return MHD_YES;
        if (result == RESULT_BUSY)
            binding_refuse_body(&transaction->binding, transaction->body.limit);
        else
            binding_refuse_for_memory(&transaction->binding);
        buffer_release(&transaction->body);
    }
    transaction->discarded += size;
    return transaction->discarded <= DISCARD_OCTETS ? MHD_YES : MHD_NO;
}

/* --- what libmicrohttpd calls --- */

enum MHD_Result transaction_handle(void *context, struct MHD_Connection *connection,
    const char *path, const char *method, const char *version, const char *upload,
    size_t *upload_size, void **own_context)
{
    struct entrance *entrance = context;
    struct transaction *transaction = *own_context;

    if (transaction)
        return *upload_size > 0 ? receive(transaction, upload, upload_size)
                                : respond(entrance, connection, transaction);
    if (!connection_of(connection))
        return say_out_of_memory(entrance->shared, connection);
    *own_context = transaction = calloc(1, sizeof(*transaction));
    if (!transaction)
        return say_out_of_memory(entrance->shared, connection);
    enter(entrance->shared, connection_of(connection));
    return begin(entrance, connection, transaction, method, path, version);
}

void transaction_completed(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_RequestTerminationCode code)
{
    struct entrance *entrance = context;
    struct transaction *transaction = *own_context;

    (void)code;
    connections_enter(&entrance->connections, connection_of(connection), CONNECTION_IDLE);
    if (!transaction)
        return;
    buffer_release(&transaction->body);
    free(transaction);
    *own_context = NULL;
    count(entrance->shared, &entrance->shared->under_way, -1);
}

void transaction_connection(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_ConnectionNotificationCode code)
{
    struct entrance *entrance = context;
    struct transactions *shared = entrance->shared;
    struct http_connection *of = *own_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *own_context = connections_start(&entrance->connections, connection);
        if (*own_context)
            count(shared, &shared->unasked, 1);
        wait_while_held(shared);
        return;
    }
    if (of && !of->has_asked)
        count(shared, &shared->unasked, -1);
    connections_remove(&entrance->connections, of);
}

static bool is_one_word(const char *target)
{
    return target && target[0] != '\0' && !has_control(target) && !strpbrk(target, " \t");
}

bool transaction_library_is_lax(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

/* The request line is whole. libmicrohttpd is about to cut the target into path and query, after
 * which a NUL in it could not be told from a cut. */
void *transaction_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct entrance *entrance = context;
    struct http_connection *of = connection_of(connection);

    if (of) {
        of->target_end = is_one_word(target) ? target + strlen(target) : NULL;
        connections_begin(&entrance->connections, of);
    }
    return NULL;
}

/* The binding decodes the URI itself, to refuse one that is malformed. */
size_t transaction_keep_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}
