/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads: the event loop here is the main thread, and the HTTP servers have threads of their own.
 * They share the procedure's exchange table, the key cache and the snapshot slot, each of which has
 * its own lock. */
#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/configuration.h"
#include "daemon/expiry_log.h"
#include "daemon/key_store.h"
#include "daemon/metrics_text.h"
#include "daemon/revoker.h"
#include "daemon/status_report.h"
#include "daemon/stop.h"
#include "daemon/systemd.h"
#include "daemon/timer.h"
#include "daemon/watchdog.h"
#include "http/scrape.h"
#include "http/server.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "outbound/registrar.h"
#include "query/server.h"

#define SWEEP_INTERVAL_US 1000000
/* The most expired exchanges, and the most expired keys, that are removed at a time. In between the
 * loop writes key events to subscribers, whose queues are bounded. */
#define SWEEP_MOST 512
/* So many exchanges, of which all but an eighth have gone, leave memory worth giving back. */
#define FLOOD_LEAST 128

struct daemon_parts {
    const char *policy_path;
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct rand_objects *rand_objects;
    struct procedure *procedure;
    struct http_server *http;
    struct scrape_server *metrics; /* NULL: neither the policy nor systemd asks for one */
    sd_event *loop;
    struct query_server *query;
    struct revoker *revoker;
    struct expiry_log *expiry_log;
    struct registrar *registrar;
    struct daemon_status status;
    struct query_reports reports;
    struct stop stop;
    struct watchdog watchdog;
    uint32_t flood; /* the most exchanges that a sweep left since memory was given back */
};

/* --- key events --- */

static void on_key_event(enum key_event event, const struct key_info *info, void *context)
{
    static const enum metric counters[] = {
        [KEY_EXPIRED] = METRIC_KEYS_EXPIRED,
        [KEY_REVOKED] = METRIC_KEYS_REVOKED,
        [KEY_REVOKED_BY_CRL] = METRIC_KEYS_REVOKED,
        [KEY_EVICTED] = METRIC_KEYS_EVICTED,
    };
    struct daemon_parts *daemon = context;

    if (event != KEY_ESTABLISHED)
        metrics_add(counters[event], 1);
    if (event == KEY_EVICTED && key_cache_count(daemon->cache) == key_cache_capacity(daemon->cache))
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_LIMIT},
            "key cache is full (keys.capacity %u): the oldest keys make room",
            key_cache_capacity(daemon->cache));
    if (event == KEY_REVOKED || event == KEY_REVOKED_BY_CRL) {
        char id[2 * KEY_ID_OCTETS + 1];

        bytes_to_hex(bytes_of(info->id, sizeof(info->id)), id);
        log_event(&(struct log_event){.level = LOG_NOTICE,
                      .message_id = LOG_EVENT_REVOKED,
                      .peer = info->peer,
                      .local = info->local,
                      .key_id = id},
            "key %s with %s revoked%s", id, info->peer,
            event == KEY_REVOKED_BY_CRL ? ": a CRL revokes a certificate of its path" : "");
    }
    if (daemon->query)
        query_server_notify(event, info, daemon->query);
}

/* --- what the loop does --- */

static void sweep_connections(struct daemon_parts *daemon)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(daemon->slot);

    http_server_sweep(daemon->http);
    scrape_server_sweep(daemon->metrics, &snapshot->policy->http);
}

/* The heap keeps what it once had, as living memory lies between what is free: after a flood it is
 * given back by the page. Not after each sweep, since this stops the threads that allocate. */
static void give_memory_back(struct daemon_parts *daemon)
{
    struct procedure_counts counts = procedure_count(daemon->procedure);
    uint32_t exchanges = counts.pending + counts.retained;

    if (exchanges > daemon->flood)
        daemon->flood = exchanges;
    if (daemon->flood < FLOOD_LEAST || exchanges > daemon->flood / 8)
        return;
    daemon->flood = exchanges;
    (void)malloc_trim(0);
}

static int on_sweep(sd_event_source *source, uint64_t now_us, void *context)
{
    struct daemon_parts *daemon = context;

    sweep_connections(daemon);
    unsigned ended = procedure_sweep(daemon->procedure, SWEEP_MOST);
    unsigned expired = key_cache_sweep(daemon->cache, clock_steady_s(), SWEEP_MOST);
    bool more = ended == SWEEP_MOST || expired == SWEEP_MOST;
    if (expired > 0)
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_EXPIRED},
            "%u keys reached the end of their lifetime", expired);
    give_memory_back(daemon);
    log_say_suppressed();
    revoker_go_on(daemon->revoker);
    if (!daemon->stop.is_under_way)
        daemon_status_refresh(&daemon->status);
    return sd_event_source_set_time(source, now_us + (more ? 0 : SWEEP_INTERVAL_US));
}

static void on_new_crls(void *context)
{
    struct daemon_parts *daemon = context;

    expiry_log_update(daemon->expiry_log);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *signal, void *context)
{
    struct daemon_parts *daemon = context;

    (void)source;
    (void)signal;
    if (daemon->stop.is_under_way)
        return 0;
    systemd_notify_reloading();
    if (configuration_reload(daemon->policy_path, daemon->slot)) {
        revoker_follow(daemon->revoker);
        expiry_log_update(daemon->expiry_log);
        registrar_follow(daemon->registrar);
    }
    daemon_status_ready(&daemon->status);
    return 0;
}

/* --- build in order, tear down in reverse --- */

static enum result start_loop(struct daemon_parts *daemon, struct fault *fault)
{
    int error = sd_event_new(&daemon->loop);
    if (error >= 0)
        error = sd_event_add_signal(daemon->loop, NULL, SIGHUP, on_reload, daemon);
    if (error >= 0)
        error =
            timer_repeat(daemon->loop, CLOCK_BOOTTIME, SWEEP_INTERVAL_US, on_sweep, daemon, NULL);
    if (error < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "the event loop does not start: %s", strerror(-error));
    return stop_prepare(&daemon->stop, daemon->loop, &daemon->status, fault);
}

static enum result load_first(
    struct daemon_parts *daemon, struct snapshot **snapshot, struct fault *fault)
{
    struct report report CLEANUP(report_release) = {0};

    enum result result = configuration_load(daemon->policy_path, 1, snapshot, &report);
    configuration_log(&report);
    if (result != RESULT_OK)
        return fault_set(
            fault, result, "%s: policy not loaded: %s", daemon->policy_path, result_text(result));
    daemon->slot = snapshot_slot_new(snapshot_ref(*snapshot));
    return daemon->slot ? RESULT_OK : fault_set(fault, RESULT_NO_MEMORY, "out of memory");
}

static enum result start_http(struct daemon_parts *daemon, const struct policy *policy,
    const struct inherited *inherited, struct fault *fault)
{
    struct report report CLEANUP(report_release) = {0};

    enum result result = http_server_new(policy, daemon->slot, daemon->procedure, inherited->http,
        inherited->http_count, &daemon->http, &report);
    configuration_log(&report);
    if (result != RESULT_OK)
        return fault_set(fault, result, "HTTP does not start: %s", result_text(result));
    daemon->status.http = daemon->http;
    const char *address;
    for (size_t i = 0; (address = http_server_address(daemon->http, i)); i++)
        log_info("listening on %s://%s", policy->http.tls ? "https" : "http", address);
    return RESULT_OK;
}

static enum result start_metrics(
    struct daemon_parts *daemon, const struct policy *policy, int inherited, struct fault *fault)
{
    struct report report CLEANUP(report_release) = {0};

    if (inherited < 0 && !policy->metrics_listen)
        return RESULT_OK;
    enum result result = scrape_server_new(policy->metrics_listen, inherited, daemon_metrics_text,
        &daemon->status, &daemon->metrics, &report);
    configuration_log(&report);
    if (result != RESULT_OK)
        return fault_set(
            fault, result, "the metrics can not be asked for: %s", result_text(result));
    log_info("metrics on http://%s/metrics", scrape_server_address(daemon->metrics));
    return RESULT_OK;
}

/* Starts the parts that have no socket. */
static enum result start_inside(struct daemon_parts *daemon, const struct policy *policy,
    const struct inherited *inherited, struct fault *fault)
{
    TRY(key_store_open(inherited->keys, &policy->keys, &daemon->cache, fault));
    if (rand_objects_new(&daemon->rand_objects) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    TRY(procedure_new(
        daemon->slot, daemon->cache, daemon->rand_objects, &daemon->procedure, fault));
    daemon->status = (struct daemon_status){.started_s = clock_wall_s(),
        .slot = daemon->slot,
        .cache = daemon->cache,
        .procedure = daemon->procedure};
    return start_loop(daemon, fault);
}

static enum result start_query(
    struct daemon_parts *daemon, const struct inherited *inherited, struct fault *fault)
{
    daemon->reports = (struct query_reports){
        .status = daemon_status_json, .metrics = daemon_metrics_json, .context = &daemon->status};
    return query_server_new(daemon->loop, daemon->slot, daemon->cache, inherited->query,
        &daemon->reports, &daemon->query, fault);
}

/* From here on key events reach subscribers. The first may be the revocation of restored keys
 * by CRLs that were issued while the daemon was down. */
static enum result start_key_events(struct daemon_parts *daemon, struct fault *fault)
{
    key_cache_listen(daemon->cache, on_key_event, daemon);
    key_store_check_later(daemon->loop, daemon->cache);
    TRY(expiry_log_new(daemon->loop, daemon->slot, &daemon->expiry_log, fault));
    return revoker_new(
        daemon->loop, daemon->slot, daemon->cache, on_new_crls, daemon, &daemon->revoker, fault);
}

/* The first request goes out once the loop runs: then the listeners are there for those that the
 * CSEs forward. */
static enum result start_registrations(struct daemon_parts *daemon, struct fault *fault)
{
    TRY(registrar_new(daemon->loop, daemon->slot, &daemon->registrar, fault));
    daemon->status.registrar = daemon->registrar;
    return RESULT_OK;
}

static enum result start(struct daemon_parts *daemon, struct fault *fault)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = NULL;
    struct inherited inherited;

    TRY(systemd_inherit(&inherited, fault));
    TRY(load_first(daemon, &snapshot, fault));
    TRY(start_inside(daemon, snapshot->policy, &inherited, fault));
    TRY(start_query(daemon, &inherited, fault));
    TRY(start_key_events(daemon, fault));
    TRY(start_registrations(daemon, fault));
    TRY(start_http(daemon, snapshot->policy, &inherited, fault));
    TRY(start_metrics(daemon, snapshot->policy, inherited.metrics, fault));
    return watchdog_start(&daemon->watchdog, daemon->loop, daemon->http, fault);
}

static void say_started(struct daemon_parts *daemon)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(daemon->slot);

    daemon_status_ready(&daemon->status);
    log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_STARTED},
        "e2ekeyd " E2EKEYD_VERSION " started: %zu end-points, %zu rules, %u keys live, room for %u",
        snapshot->policy->endpoint_count, snapshot->policy->rule_count,
        key_cache_count(daemon->cache), key_cache_capacity(daemon->cache));
}

static void say_stopped(const struct daemon_parts *daemon)
{
    uint32_t pending = procedure_count(daemon->procedure).pending;

    log_event(&(struct log_event){.level = pending > 0 ? LOG_WARNING : LOG_INFO,
                  .message_id = LOG_EVENT_STOPPED},
        "stopped: %u exchanges cut off", pending);
}

static void stop(struct daemon_parts *daemon)
{
    scrape_server_free(daemon->metrics); /* first, as the threads of both servers use the rest */
    http_server_free(daemon->http);
    if (daemon->stop.is_under_way)
        say_stopped(daemon);
    query_server_free(TAKE_PTR(daemon->query));
    revoker_free(daemon->revoker);
    expiry_log_free(daemon->expiry_log);
    registrar_free(daemon->registrar);
    sd_event_unref(daemon->loop);
    procedure_free(daemon->procedure);
    rand_objects_free(daemon->rand_objects);
    key_store_close(daemon->cache, daemon->stop.forget);
    snapshot_slot_free(daemon->slot);
    log_say_suppressed();
}

/* All threads are started later and inherit the mask, so that only the loop takes these signals. */
static void block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGPIPE);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

#define NO_MEMORY_PAUSE_US 100000

/* The loop can go on after it was out of memory. */
static int run_loop(sd_event *loop)
{
    int ended;

    while ((ended = sd_event_loop(loop)) == -ENOMEM) {
        log_error("the event loop is out of memory");
        usleep(NO_MEMORY_PAUSE_US);
    }
    return ended;
}

int daemon_run(const char *policy_path)
{
    struct daemon_parts daemon = {.policy_path = policy_path};
    struct fault fault = FAULT_INIT;
    int status = EXIT_FAILURE;

    block_signals();
    if (start(&daemon, &fault) == RESULT_OK) {
        say_started(&daemon);
        int ended = run_loop(daemon.loop);
        if (ended < 0)
            log_error("the event loop failed: %s", strerror(-ended));
        else
            status = ended;
    } else {
        log_error("%s", fault.text);
    }
    stop(&daemon);
    return status;
}
