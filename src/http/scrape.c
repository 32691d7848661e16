/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/scrape.h"

#include <microhttpd.h>
#include <string.h>

#include "http/connections.h"
#include "http/library.h"
#include "http/listen.h"
#include "observe/log.h"
#include "observe/openmetrics.h"

#define PATH              "/metrics"
#define ALLOWED           "GET, HEAD"
#define CONNECTIONS_MAX   64
#define CONNECTION_OCTETS 4096
#define IDLE_S            10

struct scrape_server {
    scrape_text *text;
    void *context;
    struct listener listener;
    struct MHD_Daemon *daemon;
    struct connections connections;
};

/* --- a request --- */

static struct MHD_Response *write_metrics(struct scrape_server *server, unsigned *status)
{
    struct buffer text AUTO_BUFFER = {0};

    if (server->text(server->context, &text) != RESULT_OK) {
        *status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.size, text.data, MHD_RESPMEM_MUST_COPY);
    if (response)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, OPENMETRICS_TYPE);
    return response;
}

static struct MHD_Response *refuse(unsigned status)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, ALLOWED);
    return response;
}

/* The HTTP status for METHOD on PATH. */
static unsigned find_status(const char *method, const char *path)
{
    if (strcmp(path, PATH) != 0)
        return MHD_HTTP_NOT_FOUND;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    return MHD_HTTP_OK;
}

/* Responds as soon as the headers have arrived. A scraper sends no body; if one does, libmicrohttpd
 * closes the connection. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **own_context)
{
    unsigned status = find_status(method, path);
    struct scrape_server *server = context;
    connections_enter(&server->connections, connection_of(connection), CONNECTION_RESPONSE);
    struct MHD_Response *response =
        status == MHD_HTTP_OK ? write_metrics(context, &status) : refuse(status);

    (void)version;
    (void)upload;
    (void)upload_size;
    (void)own_context;
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* --- the server --- */

static void on_connection(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_ConnectionNotificationCode code)
{
    struct scrape_server *server = context;

    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        connections_remove(&server->connections, *own_context);
        return;
    }
    *own_context = connections_start(&server->connections, connection);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_RequestTerminationCode code)
{
    struct scrape_server *server = context;

    (void)own_context;
    (void)code;
    connections_enter(&server->connections, connection_of(connection), CONNECTION_IDLE);
}

static enum result start(struct scrape_server *server, struct fault *fault)
{
    library_begin();
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL,
            NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
            MHD_OPTION_LISTEN_SOCKET, server->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
            CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_OCTETS,
            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
            server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
    server->listener.fd = -1; /* libmicrohttpd owns it now, also when it fails */
    if (!server->daemon)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: the HTTP server does not start: %s",
            server->listener.address, library_reason());
    return RESULT_OK;
}

enum result scrape_server_new(const char *address, int inherited, scrape_text *text, void *context,
    struct scrape_server **out, struct report *report)
{
    struct scrape_server *server = calloc(1, sizeof(*server));
    struct fault fault = FAULT_INIT;

    if (!server) {
        report_fault(report, NULL, "out of memory");
        return RESULT_NO_MEMORY;
    }
    server->text = text;
    server->context = context;
    enum result result = connections_init(&server->connections, CONNECTIONS_MAX);
    if (result == RESULT_OK)
        result = inherited >= 0 ? listener_adopt(inherited, &server->listener, &fault)
                                : listener_open(address, 0, (gid_t)-1, &server->listener, &fault);
    if (result == RESULT_OK && inherited >= 0 && !server->listener.is_local)
        report_warning(report, NULL, "%s (inherited, metrics) is reached from other hosts",
            server->listener.address);
    if (result == RESULT_OK)
        result = start(server, &fault);
    if (result == RESULT_OK) {
        *out = server;
        return RESULT_OK;
    }
    report_fault(report, NULL, "metrics.listen: %s", fault.text);
    scrape_server_free(server);
    return result;
}

void scrape_server_sweep(struct scrape_server *server, const struct policy_http *http)
{
    if (server)
        connections_sweep(&server->connections, http);
}

void scrape_server_free(struct scrape_server *server)
{
    if (!server)
        return;
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    auto_close(&server->listener.fd);
    connections_destroy(&server->connections);
    free(server);
}

const char *scrape_server_address(const struct scrape_server *server)
{
    return server->listener.address;
}
