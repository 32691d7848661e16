/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads: each listener is a libmicrohttpd daemon with a pool of its own; a request is answered on
 * the thread that read it. They share struct transactions, which says what its lock protects. */
#include "http/server.h"

#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "http/https.h"
#include "http/library.h"
#include "http/listen.h"
#include "http/probe.h"
#include "http/transaction.h"
#include "observe/log.h"

#define CONNECTIONS_MAX   4096  /* of one listener, where the limit on files allows it */
#define CONNECTION_OCTETS 16384 /* for headers, both ways; bodies have their own bound */
#define UNASKED_MS        1000  /* when we stop: for the first request of a new connection */
#define DRAIN_MS          5000  /* when we stop: for everything that is under way */
#define LEAST_DRAIN_MS    400   /* the same where no time is left */
#define THREADS_MAX       256
#define OPTIONS_MAX       20

struct http_server {
    struct transactions shared;
    size_t count;
    struct listener listeners[POLICY_LISTEN_MAX];
    struct entrance entrances[POLICY_LISTEN_MAX];
    size_t entrance_count;                         /* those that are initialised */
    struct MHD_Daemon *daemons[POLICY_LISTEN_MAX]; /* NULL: not started */
    unsigned threads;                              /* of each */
    int64_t until_ms;                              /* of http_server_wind_down */
    struct probe *probes;                          /* one for each thread */
    struct https https;
};

/* --- options --- */

struct options {
    unsigned flags;
    size_t count;
    struct MHD_OptionItem items[OPTIONS_MAX];
};

static void add_option(
    struct options *options, enum MHD_OPTION option, intptr_t value, const void *pointer)
{
    options->items[options->count++] = (struct MHD_OptionItem){option, value, (void *)pointer};
}

static unsigned count_threads(const struct policy_http *http)
{
    cpu_set_t cores;
    unsigned threads = http->threads;

    if (threads == 0)
        threads =
            sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
    return threads < THREADS_MAX ? threads : THREADS_MAX;
}

/* The listeners together may use three eighths of the file descriptors that we may open, as the key
 * socket may use half of them: the last eighth is for metrics and all that is no connection. */
static unsigned count_connections(size_t listeners, unsigned threads)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MAX;
    rlim_t share = limit.rlim_cur / 8 * 3 / listeners;
    if (share < threads)
        return threads; /* at least one for each */
    return share < CONNECTIONS_MAX ? (unsigned)share : CONNECTIONS_MAX;
}

static void set_options(
    struct options *options, const struct http_server *server, unsigned connections)
{
    unsigned threads = server->threads;

    options->flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    add_option(options, MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)library_log, NULL);
    add_option(options, MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)transaction_keep_encoded, NULL);
    add_option(options, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_OCTETS, NULL);
    add_option(options, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S, NULL);
    add_option(options, MHD_OPTION_CONNECTION_LIMIT, connections, NULL);
    if (!transaction_library_is_lax()) /* the older one closes without a response then */
        add_option(options, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    if (threads > 1)
        add_option(options, MHD_OPTION_THREAD_POOL_SIZE, threads, NULL);
}

static void set_tls_options(
    struct options *options, const struct https *https, struct transactions *shared)
{
    options->flags |= MHD_USE_TLS;
    add_option(options, MHD_OPTION_HTTPS_PRIORITIES, 0, HTTPS_PRIORITIES);
    add_option(options, MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (const void *)(intptr_t)https_choose);
    if (shared->needs_client_certificate)
        add_option(options, MHD_OPTION_HTTPS_MEM_TRUST, 0, https->client_anchors.data);
}

/* --- start --- */

static struct http_server *server_new(struct snapshot_slot *slot, struct procedure *procedure)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (!server)
        return NULL;
    server->shared = (struct transactions){
        .out_of_memory = transaction_out_of_memory(),
        .slot = slot,
        .procedure = procedure,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .counted = PTHREAD_COND_INITIALIZER,
        .released = PTHREAD_COND_INITIALIZER,
    };
    return server;
}

/* True also where NAME is NULL. */
static bool find_group(const char *name, gid_t *out)
{
    if (!name)
        return true;
    if (name[strspn(name, "0123456789")] == '\0') {
        *out = (gid_t)strtoul(name, NULL, 10);
        return true;
    }
    const struct group *found = getgrnam(name); /* no other thread runs yet */
    if (found)
        *out = found->gr_gid;
    return found;
}

static enum result open_configured(
    struct http_server *server, const struct policy_http *http, struct report *report)
{
    enum result outcome = RESULT_OK;
    gid_t group = (gid_t)-1;

    if (!find_group(http->socket_group, &group)) {
        report_fault(
            report, NULL, "http.socketGroup: there is no group \"%s\"", http->socket_group);
        return RESULT_BAD_CONFIGURATION;
    }
    for (size_t i = 0; i < http->listen_count && i < POLICY_LISTEN_MAX; i++) {
        struct fault fault = FAULT_INIT;
        enum result result = listener_open(
            http->listen[i], http->socket_mode, group, &server->listeners[server->count++], &fault);
        if (result == RESULT_OK)
            continue;
        report_fault(report, NULL, "http.listen: %s", fault.text);
        outcome = result;
    }
    return outcome;
}

static enum result adopt_inherited(struct http_server *server, const struct policy_http *http,
    const int *inherited, size_t count, struct report *report)
{
    enum result outcome = RESULT_OK;

    for (size_t i = 0; i < count && i < POLICY_LISTEN_MAX; i++) {
        struct listener *listener = &server->listeners[server->count++];
        struct fault fault = FAULT_INIT;
        enum result result = listener_adopt(inherited[i], listener, &fault);
        if (result != RESULT_OK) {
            report_fault(report, NULL, "%s", fault.text);
            outcome = result;
        } else if (!listener->is_local && !http->tls) {
            report_warning(report, NULL,
                "%s (inherited) is reached from other hosts, and without http.tls all goes in "
                "clear",
                listener->address);
        }
    }
    return outcome;
}

static enum result start_listener(struct http_server *server, size_t number,
    const struct options *common, unsigned connections, struct report *report)
{
    struct options options = *common;
    struct listener *listener = &server->listeners[number];
    struct entrance *entrance = &server->entrances[number];

    if (connections_init(&entrance->connections, connections) != RESULT_OK) {
        report_fault(report, NULL, "%s: no random numbers", listener->address);
        return RESULT_SYSTEM_ERROR;
    }
    server->entrance_count++;
    entrance->shared = &server->shared;
    add_option(&options, MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)transaction_connection, entrance);
    add_option(&options, MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)transaction_completed, entrance);
    add_option(&options, MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)transaction_target, entrance);

    add_option(&options, MHD_OPTION_LISTEN_SOCKET, TAKE_FD(listener->fd), NULL);
    add_option(&options, MHD_OPTION_END, 0, NULL);
    library_begin();
    server->daemons[number] = MHD_start_daemon(options.flags, 0, NULL, NULL, transaction_handle,
        entrance, MHD_OPTION_ARRAY, options.items, MHD_OPTION_END);
    if (server->daemons[number])
        return RESULT_OK;
    report_fault(report, NULL, "%s: the HTTP server does not start: %s", listener->address,
        library_reason());
    return RESULT_SYSTEM_ERROR;
}

static enum result prepare_threads(
    struct http_server *server, const struct policy_http *http, struct report *report)
{
    server->threads = count_threads(http);
    server->probes = calloc(server->count * server->threads, sizeof(*server->probes));
    if (!server->probes) {
        report_fault(report, NULL, "out of memory");
        return RESULT_NO_MEMORY;
    }
    for (size_t i = 0; i < server->count * server->threads; i++)
        server->probes[i].fd = -1;
    return RESULT_OK;
}

static enum result load_tls(const struct policy_http *http, struct options *options,
    struct http_server *server, struct report *report)
{
    struct transactions *shared = &server->shared;
    struct https *https = &server->https;

    if (!http->tls)
        return RESULT_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        report_fault(report, &http->certificate.place, "this libmicrohttpd was built without TLS");
        return RESULT_BAD_CONFIGURATION;
    }
    TRY(https_load(http, https, report));
    shared->needs_client_certificate = https->client_anchors.size > 0;
    set_tls_options(options, https, shared);
    https_serve(https);
    return RESULT_OK;
}

DEFINE_CLEANUP(struct http_server *, http_server_free)

enum result http_server_new(const struct policy *policy, struct snapshot_slot *slot,
    struct procedure *procedure, const int *inherited, size_t inherited_count,
    struct http_server **out, struct report *report)
{
    struct http_server *server CLEANUP(auto_http_server_free) = server_new(slot, procedure);
    struct options options = {0};

    if (!server || !server->shared.out_of_memory) {
        report_fault(report, NULL, "out of memory");
        return RESULT_NO_MEMORY;
    }
    TRY(inherited_count > 0
            ? adopt_inherited(server, &policy->http, inherited, inherited_count, report)
            : open_configured(server, &policy->http, report));
    TRY(prepare_threads(server, &policy->http, report));
    unsigned connections = count_connections(server->count, server->threads);
    set_options(&options, server, connections);
    TRY(load_tls(&policy->http, &options, server, report));
    for (size_t i = 0; i < server->count; i++)
        TRY(start_listener(server, i, &options, connections, report));
    *out = TAKE_PTR(server);
    return RESULT_OK;
}

/* --- while it runs --- */

bool http_server_answers(struct http_server *server, int64_t patience_ms)
{
    bool all_well = true;

    for (size_t i = 0; i < server->count; i++)
        if (!probe_threads(server->daemons[i], server->probes + i * server->threads,
                server->threads, patience_ms))
            all_well = false;
    return all_well;
}

void http_server_sweep(struct http_server *server)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(server->shared.slot);

    for (size_t i = 0; i < server->entrance_count; i++)
        connections_sweep(&server->entrances[i].connections, &snapshot->policy->http);
}

/* --- stop --- */

void http_server_wind_down(struct http_server *server, int64_t until_ms)
{
    server->until_ms = until_ms;
    server->shared.is_stopping = true;
}

/* Waits until COUNT, one of SHARED's, is WANTED; false when it is not by UNTIL_MS. */
static bool await_count(
    struct transactions *shared, const unsigned *count, unsigned wanted, int64_t until_ms)
{
    pthread_mutex_lock(&shared->lock);
    while (*count != wanted) {
        /* clock_steady_ms() is CLOCK_BOOTTIME, which conditions do not know. */
        int64_t rest_ms = until_ms - clock_steady_ms();
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_nsec += rest_ms % 1000 * 1000000;
        end.tv_sec += rest_ms / 1000 + end.tv_nsec / 1000000000;
        end.tv_nsec %= 1000000000;
        if (rest_ms <= 0 ||
            pthread_cond_clockwait(&shared->counted, &shared->lock, CLOCK_MONOTONIC, &end) != 0)
            break;
    }
    bool reached = *count == wanted;
    pthread_mutex_unlock(&shared->lock);
    return reached;
}

static void hold_threads(struct transactions *shared, bool holds)
{
    pthread_mutex_lock(&shared->lock);
    shared->holds = holds;
    pthread_cond_broadcast(&shared->released);
    pthread_mutex_unlock(&shared->lock);
}

/* MHD_quiesce_daemon ends the process when a thread is just about to wait for connections
 * (libmicrohttpd 0.9 and 1.0). So first each thread is made to begin a connection, and held there.
 * After that, every connection that was accepted has been counted, too. If a thread does not get
 * there by UNTIL_MS, accepting goes on until MHD_stop_daemon. */
static void stop_accepting(struct http_server *server, int64_t until_ms)
{
    struct transactions *shared = &server->shared;
    unsigned threads = 0;

    hold_threads(shared, true);
    for (size_t i = 0; i < server->count; i++)
        if (server->daemons[i]) {
            probe_wake(server->daemons[i], server->probes + i * server->threads, server->threads);
            threads += server->threads;
        }
    if (await_count(shared, &shared->held, threads, until_ms))
        for (size_t i = 0; i < server->count; i++)
            if (server->daemons[i])
                server->listeners[i].fd = MHD_quiesce_daemon(server->daemons[i]);
    hold_threads(shared, false);
}

/* Clients decide how long a request takes to arrive, and whether there is always another: so all
 * waiting has one end. */
static void drain(struct http_server *server)
{
    struct transactions *shared = &server->shared;
    int64_t now_ms = clock_steady_ms();
    int64_t most_ms = server->until_ms - now_ms;
    int64_t end_ms = now_ms + (most_ms < LEAST_DRAIN_MS ? LEAST_DRAIN_MS
                                  : most_ms > DRAIN_MS  ? DRAIN_MS
                                                        : most_ms);
    int64_t unasked_ms = now_ms + UNASKED_MS;

    stop_accepting(server, unasked_ms < end_ms ? unasked_ms : end_ms);
    unasked_ms = clock_steady_ms() + UNASKED_MS;
    (void)await_count(shared, &shared->unasked, 0, unasked_ms < end_ms ? unasked_ms : end_ms);
    (void)await_count(shared, &shared->under_way, 0, end_ms);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    http_server_wind_down(server, server->until_ms);
    drain(server);
    for (size_t i = 0; i < server->count; i++) {
        if (server->daemons[i])
            MHD_stop_daemon(server->daemons[i]);
        auto_close(&server->listeners[i].fd); /* not earlier: a thread may still use it */
        listener_remove_file(&server->listeners[i]);
    }
    for (size_t i = 0; server->probes && i < server->count * server->threads; i++)
        auto_close(&server->probes[i].fd);
    for (size_t i = 0; i < server->entrance_count; i++)
        connections_destroy(&server->entrances[i].connections);
    free(server->probes);
    if (server->shared.out_of_memory)
        MHD_destroy_response(server->shared.out_of_memory);
    if (server->https.signer)
        https_serve(NULL);
    https_release(&server->https);
    pthread_cond_destroy(&server->shared.counted);
    pthread_cond_destroy(&server->shared.released);
    pthread_mutex_destroy(&server->shared.lock);
    free(server);
}

const char *http_server_address(const struct http_server *server, size_t number)
{
    return number < server->count ? server->listeners[number].address : NULL;
}

void http_server_check(const struct policy *policy, struct report *report)
{
    struct https https CLEANUP(https_release) = {0};

    if (policy->http.tls && https_load(&policy->http, &https, report) == RESULT_NO_MEMORY)
        report_fault(report, &policy->http.certificate.place, "out of memory");
}
