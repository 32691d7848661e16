/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "http/server.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "outbound/preflight.h"
#include "policy_load/load.h"
#include "tls/expiry.h"
#include "trust/crl_notice.h"
#include "trust/store_load.h"

static enum result load(
    const char *path, uint64_t generation, struct snapshot **out, struct report *report)
{
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    struct tls_context *tls = NULL;

    TRY(policy_load(path, &policy, report));
    TRY(preflight_files(policy, report));
    TRY(tls_context_new(policy, &tls, report));
    *out = snapshot_new(policy, tls, tls_context_free, generation);
    if (!*out) {
        tls_context_free(tls);
        return RESULT_NO_MEMORY;
    }
    TAKE_PTR(policy);
    return RESULT_OK;
}

/* A library that ran out of memory may have found fault with a file that has none, or have passed
 * over it: what has an octet too few must not come into force. */
enum result configuration_load(
    const char *path, uint64_t generation, struct snapshot **out, struct report *report)
{
    unsigned failures = wiping_failures();

    *out = NULL;
    enum result result = load(path, generation, out, report);
    if (wiping_failures() == failures)
        return result;
    snapshot_unref(TAKE_PTR(*out));
    return RESULT_NO_MEMORY;
}

void configuration_log(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].warning)
            log_warning("%s", report->entries[i].text);
        else
            log_error("%s", report->entries[i].text);
    }
}

int configuration_check(const char *path)
{
    struct report report CLEANUP(report_release) = {0};
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = NULL;

    enum result result = configuration_load(path, 1, &snapshot, &report);
    if (result == RESULT_OK) {
        http_server_check(snapshot->policy, &report);
        preflight_addresses(snapshot->policy, &report);
        crl_notices_report(tls_context_trust(snapshot->tls), &report);
        expiry_report(snapshot->tls, &report);
    }
    for (size_t i = 0; i < report.count; i++)
        fprintf(
            stderr, "%s%s\n", report.entries[i].warning ? "warning: " : "", report.entries[i].text);
    if (result == RESULT_OK && report.faults == 0)
        return EXIT_SUCCESS;
    if (report.faults == 0)
        fprintf(stderr, "e2ekeyd: %s: %s\n", path, result_text(result));
    return EXIT_FAILURE;
}

/* --- reloading --- */

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_https(const struct policy_http *a, const struct policy_http *b)
{
    return a->tls == b->tls && is_same_text(a->certificate.path, b->certificate.path) &&
           is_same_text(a->private_key.path, b->private_key.path) &&
           is_same_text(a->client_anchors.path, b->client_anchors.path);
}

/* Logs a warning for each changed member that is only read when the daemon starts. */
static void warn_of_restart(const struct policy *old, const struct policy *new)
{
    bool same = is_same_https(&old->http, &new->http) &&
                old->http.listen_count == new->http.listen_count &&
                old->http.socket_mode == new->http.socket_mode &&is_same_text(
                                             old->http.socket_group, new->http.socket_group) &&
                old->http.threads == new->http.threads;

    for (size_t i = 0; same && i < old->http.listen_count; i++)
        same = strcmp(old->http.listen[i], new->http.listen[i]) == 0;
    if (!same)
        log_warning(
            "http.listen, http.socketMode, http.socketGroup, http.threads and http.tls take effect "
            "at the next restart");
    if (strcmp(old->socket_path, new->socket_path) != 0)
        log_warning("socket.path takes effect at the next restart");
    if (!is_same_text(old->metrics_listen, new->metrics_listen))
        log_warning("metrics.listen takes effect at the next restart");
    if (old->keys.capacity != new->keys.capacity || old->keys.per_peer != new->keys.per_peer)
        log_warning("keys.capacity and keys.perPeer take effect at the next restart");
}

static void say_reloaded(const struct snapshot *snapshot)
{
    metrics_add(METRIC_RELOADS, 1);
    log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_RELOADED},
        "policy reloaded (generation %llu)", (unsigned long long)snapshot->generation);
}

static void say_not_reloaded(const struct snapshot *old, enum result result)
{
    metrics_add(METRIC_RELOADS_FAILED, 1);
    log_event(&(struct log_event){.level = LOG_ERR, .message_id = LOG_EVENT_NOT_RELOADED},
        "policy not reloaded, the old one (generation %llu) stays in force: %s",
        (unsigned long long)old->generation, result_text(result));
}

bool configuration_reload(const char *path, struct snapshot_slot *slot)
{
    struct report report CLEANUP(report_release) = {0};
    struct snapshot *old CLEANUP(auto_snapshot_unref) = snapshot_current(slot);
    struct snapshot *next = NULL;

    enum result result = configuration_load(path, old->generation + 1, &next, &report);
    configuration_log(&report);
    if (result == RESULT_OK)
        result = trust_store_keep_crls(tls_context_trust(next->tls), tls_context_trust(old->tls));
    if (result != RESULT_OK) {
        snapshot_unref(next);
        say_not_reloaded(old, result);
        return false;
    }
    warn_of_restart(old->policy, next->policy);
    snapshot_swap(slot, next); /* NEXT stays valid below, as only this thread swaps */
    say_reloaded(next);
    return true;
}
