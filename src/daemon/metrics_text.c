/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/metrics_text.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "observe/metrics.h"
#include "observe/openmetrics.h"
#include "outbound/registrar.h"
#include "tls/error.h"
#include "tls/expiry.h"

/* Less than the 64 KiB that a client of the key socket takes as one reply. The number of samples is
 * bounded: end-points by POLICY_ENDPOINTS_MAX, trust domains by POLICY_TRUST_MAX, errors by
 * METRICS_TLS_ERRORS. */
#define TEXT_OCTETS_MAX 61440

/* The counters of observe/metrics.h. Several of them can be samples of one metric family. */
static const struct {
    enum metric metric;
    const char *family; /* NULL: the family of the row before */
    const char *help, *label, *value;
} counters[] = {
    {METRIC_EXCHANGES_STARTED, "exchanges_started", "Exchanges that reached Message 2", NULL, NULL},
    {METRIC_EXCHANGES_ESTABLISHED, "exchanges", "Exchanges that ended, by how", "outcome",
        "established"},
    {METRIC_EXCHANGES_REFUSED, NULL, NULL, "outcome", "refused"},
    {METRIC_EXCHANGES_EXPIRED, NULL, NULL, "outcome", "expired"},
    {METRIC_EXCHANGES_DELETED, NULL, NULL, "outcome", "deleted"},
    {METRIC_EXCHANGES_DISPLACED, NULL, NULL, "outcome", "displaced"},
    {METRIC_RETRANSMISSIONS, "retransmissions", "Requests answered from a stored answer", NULL,
        NULL},
    {METRIC_SIGNATURES_REFUSED, "signatures_refused",
        "Verifications of a Message 3 that did not sign the exchange", NULL, NULL},
    {METRIC_KEYS_EXPIRED, "keys_removed", "Keys that left the cache, by why", "reason", "expired"},
    {METRIC_KEYS_REVOKED, NULL, NULL, "reason", "revoked"},
    {METRIC_KEYS_EVICTED, NULL, NULL, "reason", "evicted"},
    {METRIC_QUERIES, "queries", "Method calls on the key socket", NULL, NULL},
    {METRIC_QUERIES_DENIED, "queries_denied", "Method calls refused for want of a right", NULL,
        NULL},
    {METRIC_QUERY_CLIENTS_DROPPED, "query_clients_dropped",
        "Clients of the key socket dropped as malformed or slow", NULL, NULL},
    {METRIC_RELOADS, "policy_reloads", "Reloads of the policy, by whether it was taken", "outcome",
        "taken"},
    {METRIC_RELOADS_FAILED, NULL, NULL, "outcome", "failed"},
};
_Static_assert(ARRAY_SIZE(counters) == METRIC_COUNT, "each counter has its row");

static void write_counters(struct openmetrics *writer)
{
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        if (counters[i].family)
            openmetrics_family(
                writer, OPENMETRICS_COUNTER, counters[i].family, NULL, counters[i].help);
        openmetrics_sample(writer, counters[i].label, counters[i].value,
            (int64_t)metrics_read(counters[i].metric));
    }
}

static void write_refusals(struct openmetrics *writer)
{
    openmetrics_family(
        writer, OPENMETRICS_COUNTER, "refusals", NULL, "Requests refused, by the reason");
    for (int i = RESULT_OK + 1; i < RESULT_COUNT; i++)
        openmetrics_sample(
            writer, "reason", result_name((enum result)i), (int64_t)metrics_refused_read(i));
}

static void write_tls_errors(struct openmetrics *writer)
{
    openmetrics_family(writer, OPENMETRICS_COUNTER, "tls_errors", NULL,
        "Failures inside the TLS engine, by its own error");
    for (int i = 0, error; i <= METRICS_TLS_ERRORS; i++) {
        char text[128];
        uint64_t count;
        if (!metrics_tls_failed_read(i, &error, &count))
            continue;
        snprintf(text, sizeof(text), "%s (%d)", tls_error_text(error), error);
        openmetrics_sample(writer, "error", text, (int64_t)count);
    }
}

static void write_histograms(struct openmetrics *writer)
{
    struct histogram_reading reading;

    for (int i = 0; i < HISTOGRAM_COUNT; i++) {
        enum histogram histogram = (enum histogram)i;
        histogram_read(histogram, &reading);
        openmetrics_histogram(
            writer, histogram_name(histogram), histogram_help(histogram), &reading);
    }
}

static void write_certificates(struct openmetrics *writer, const struct expiry_list *list)
{
    openmetrics_family(writer, OPENMETRICS_GAUGE, "certificate_not_after_timestamp", "seconds",
        "The last second in which an end-point's certificate is valid");
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == EXPIRY_CERTIFICATE)
            openmetrics_sample(writer, "endpoint", list->items[i].name, list->items[i].at_s);
}

struct domain_crls {
    size_t missing;
    int64_t first_s; /* the earliest nextUpdate; INT64_MAX: there is no CRL */
};

static struct domain_crls count_crls(const struct expiry_list *list, const char *domain)
{
    struct domain_crls crls = {.first_s = INT64_MAX};

    for (size_t i = 0; i < list->count; i++) {
        const struct expiry *expiry = &list->items[i];
        if (expiry->kind != EXPIRY_CRL || strcmp(expiry->name, domain) != 0)
            continue;
        if (expiry->state == EXPIRY_MISSING)
            crls.missing++;
        else if (expiry->at_s < crls.first_s)
            crls.first_s = expiry->at_s;
    }
    return crls;
}

static void write_crls(
    struct openmetrics *writer, const struct policy *policy, const struct expiry_list *list)
{
    openmetrics_family(writer, OPENMETRICS_GAUGE, "crl_next_update_timestamp", "seconds",
        "When the first CRL of a trust domain runs out");
    for (size_t i = 0; i < policy->trust_count; i++) {
        struct domain_crls crls = count_crls(list, policy->trust[i].name);
        if (crls.first_s != INT64_MAX)
            openmetrics_sample(writer, "trust", policy->trust[i].name, crls.first_s);
    }
    openmetrics_family(writer, OPENMETRICS_GAUGE, "crls_missing", NULL,
        "Anchors of a trust domain of which it requires a CRL and has none");
    for (size_t i = 0; i < policy->trust_count; i++)
        openmetrics_sample(writer, "trust", policy->trust[i].name,
            (int64_t)count_crls(list, policy->trust[i].name).missing);
}

static void write_gauge(struct openmetrics *writer, const char *name, const char *unit,
    const char *help, int64_t number)
{
    openmetrics_family(writer, OPENMETRICS_GAUGE, name, unit, help);
    openmetrics_sample(writer, NULL, NULL, number);
}

static void count_registration(const struct registration_report *report, void *context)
{
    int64_t *counts = context;

    counts[report->state]++;
}

static void write_registrations(struct openmetrics *writer, struct registrar *registrar)
{
    int64_t counts[REGISTRATION_STATE_COUNT] = {0};

    registrar_each(registrar, count_registration, counts);
    openmetrics_family(
        writer, OPENMETRICS_GAUGE, "registrations", NULL, "Registrations at CSEs, by their state");
    for (int i = 0; i < REGISTRATION_STATE_COUNT; i++)
        openmetrics_sample(
            writer, "state", registration_state_name((enum registration_state)i), counts[i]);
}

static void write_state(
    struct openmetrics *writer, struct daemon_status *status, const struct snapshot *snapshot)
{
    struct procedure_counts exchanges = procedure_count(status->procedure);

    openmetrics_family(writer, OPENMETRICS_INFO, "build", NULL, "Which e2ekeyd this is");
    openmetrics_sample(writer, "version", E2EKEYD_VERSION, 1);
    write_gauge(writer, "start_timestamp", "seconds", "When the daemon started", status->started_s);
    write_gauge(writer, "policy_generation", NULL, "1 at the start, and one more with each reload",
        (int64_t)snapshot->generation);
    write_gauge(
        writer, "exchanges_pending", NULL, "Exchanges that await Message 3", exchanges.pending);
    write_gauge(writer, "exchanges_retained", NULL, "Exchanges kept for retransmissions",
        exchanges.retained);
    write_gauge(writer, "keys_cached", NULL, "Keys in the cache", key_cache_count(status->cache));
    write_gauge(writer, "keys_capacity", NULL, "Keys that the cache holds at most",
        key_cache_capacity(status->cache));
}

enum result daemon_metrics_text(void *context, struct buffer *out)
{
    struct daemon_status *status = context;
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(status->slot);
    struct expiry_list expiries CLEANUP(expiry_list_release) = {0};
    struct openmetrics writer = {.out = out};

    TRY(expiry_list_all(snapshot->tls, clock_wall_s(), &expiries));
    out->limit = TEXT_OCTETS_MAX;
    write_state(&writer, status, snapshot);
    write_counters(&writer);
    write_refusals(&writer);
    write_tls_errors(&writer);
    write_histograms(&writer);
    write_certificates(&writer, &expiries);
    write_crls(&writer, snapshot->policy, &expiries);
    write_registrations(&writer, status->registrar);
    return openmetrics_end(&writer);
}

json_t *daemon_metrics_json(void *context)
{
    struct buffer text AUTO_BUFFER = {0};

    if (daemon_metrics_text(context, &text) != RESULT_OK)
        return NULL;
    return json_stringn((const char *)text.data, text.size);
}
