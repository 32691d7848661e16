/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/status_report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/key_store.h"
#include "daemon/systemd.h"
#include "http/server.h"
#include "observe/metrics.h"
#include "outbound/registrar.h"
#include "tls/expiry.h"
#include "trust/crl_notice.h"

/* Bounds on the lists of certificates, of CRLs and of warnings in one status: a client of the key
 * socket takes a reply of 64 KiB at most. */
#define EXPIRIES_OCTETS_MAX ((size_t)17000)
#define WARNINGS_OCTETS_MAX ((size_t)10000)

#define LINE_INTERVAL_MS 10000

static json_t *listeners(const struct http_server *http)
{
    json_t *list = json_array();
    const char *address;

    for (size_t i = 0; list && http && (address = http_server_address(http, i)); i++)
        (void)json_array_append_new(list, json_string(address));
    return list;
}

static json_t *counters(void)
{
    json_t *object = json_object();

    for (int i = 0; object && i < METRIC_COUNT; i++)
        (void)json_object_set_new(object, metrics_name((enum metric)i),
            json_integer((json_int_t)metrics_read((enum metric)i)));
    return object;
}

static json_t *refusals(void)
{
    json_t *object = json_object();

    for (int i = 0; object && i < RESULT_COUNT; i++) {
        uint64_t count = metrics_refused_read(i);

        if (count > 0)
            (void)json_object_set_new(
                object, result_name((enum result)i), json_integer((json_int_t)count));
    }
    return object;
}

static json_t *certificate_of(const struct expiry *expiry)
{
    return json_pack("{s:s, s:s, s:I, s:s}", "endpoint", expiry->name, "file", expiry->file->path,
        "expires", (json_int_t)expiry->at_s, "state", expiry_state_name(expiry->state));
}

/* Describes the CRL of EXPIRY. One that is missing has no file. */
static json_t *crl_of(const struct expiry *expiry)
{
    if (expiry->state == EXPIRY_MISSING)
        return json_pack("{s:s, s:s}", "trust", expiry->name, "state", "missing");
    return json_pack("{s:s, s:s, s:I, s:s}", "trust", expiry->name, "file", expiry->file->path,
        "nextUpdate", (json_int_t)expiry->at_s, "state", expiry_state_name(expiry->state));
}

/* Lists as many items as fit. The list begins with those that need to be renewed first. */
static json_t *expiries(const struct expiry_list *list, enum expiry_kind kind)
{
    json_t *array = json_array();
    size_t room = EXPIRIES_OCTETS_MAX;

    for (int current = 0; array && current <= 1; current++)
        for (size_t i = 0; i < list->count; i++) {
            const struct expiry *expiry = &list->items[i];
            if (expiry->kind != kind || (expiry->state == EXPIRY_CURRENT) != current)
                continue;
            json_t *item = kind == EXPIRY_CRL ? crl_of(expiry) : certificate_of(expiry);
            size_t size = json_dumpb(item, NULL, 0, 0) + 2;
            if (size <= room)
                (void)json_array_append(array, item);
            room -= size <= room ? size : room;
            json_decref(item);
        }
    return array;
}

struct notices {
    json_t *array;
    size_t room;
    const char *domain;
};

static void add_notice(const struct crl_notice *notice, void *context)
{
    struct notices *notices = context;
    char line[CRL_NOTICE_OCTETS + 32 + POLICY_NAME_OCTETS];
    int size = snprintf(line, sizeof(line), "trust domain %s: %s", notices->domain, notice->text);

    if ((size_t)size > notices->room)
        return;
    notices->room -= (size_t)size;
    (void)json_array_append_new(notices->array, json_string(line));
}

/* What is wrong with CRLs, as lines for the operator; as many as fit. */
static json_t *warnings(struct trust_store *trust)
{
    struct notices notices = {.array = json_array(), .room = WARNINGS_OCTETS_MAX};

    for (size_t i = 0; notices.array && i < trust->domain_count; i++) {
        notices.domain = trust->domains[i].name;
        crl_notices(trust, &trust->domains[i], add_notice, &notices);
    }
    return notices.array;
}

static void add_registration(const struct registration_report *report, void *context)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "url", report->url, "as",
        report->is_ae ? "ae" : "remoteCse", "originator", report->originator, "state",
        registration_state_name(report->state), "since", (json_int_t)report->since_s, "next",
        (json_int_t)report->next_s);

    if (report->error[0] != '\0')
        (void)json_object_set_new(item, "error", json_string(report->error));
    (void)json_array_append_new(context, item);
}

static json_t *registrations(struct registrar *registrar)
{
    json_t *list = json_array();

    if (list)
        registrar_each(registrar, add_registration, list);
    return list;
}

json_t *daemon_status_json(void *context)
{
    struct daemon_status *status = context;
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(status->slot);
    struct procedure_counts exchanges = procedure_count(status->procedure);
    struct expiry_list list CLEANUP(expiry_list_release) = {0};
    int64_t now_s = clock_wall_s();

    if (expiry_list_all(snapshot->tls, now_s, &list) != RESULT_OK)
        return NULL;
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:o, s:{s:i, s:i}, s:{s:i, s:i, s:b}, s:o, s:o, s:o, s:o, s:o, s:o}",
        "version", E2EKEYD_VERSION, "started", (json_int_t)status->started_s, "now",
        (json_int_t)now_s, "policyGeneration", (json_int_t)snapshot->generation, "listen",
        listeners(status->http), "exchanges", "pending", (int)exchanges.pending, "retained",
        (int)exchanges.retained, "keys", "live", (int)key_cache_count(status->cache), "capacity",
        (int)key_cache_capacity(status->cache), "outliveRestarts", key_store_is_kept(status->cache),
        "certificates", expiries(&list, EXPIRY_CERTIFICATE), "crls", expiries(&list, EXPIRY_CRL),
        "warnings", warnings(tls_context_trust(snapshot->tls)), "registrations",
        registrations(status->registrar), "counters", counters(), "refused", refusals());
}

/* Writes the status line anew. Returns false if it has not changed. */
static bool renew_line(struct daemon_status *status)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(status->slot);
    uint32_t keys = key_cache_count(status->cache);
    uint32_t pending = procedure_count(status->procedure).pending;
    char line[STATUS_LINE_OCTETS];

    snprintf(line, sizeof(line), "%u key%s live, %u exchange%s pending, policy generation %llu",
        keys, keys == 1 ? "" : "s", pending, pending == 1 ? "" : "s",
        (unsigned long long)snapshot->generation);
    if (strcmp(line, status->line) == 0)
        return false;
    memcpy(status->line, line, sizeof(line));
    status->next_line_ms = clock_steady_ms() + LINE_INTERVAL_MS;
    return true;
}

void daemon_status_ready(struct daemon_status *status)
{
    (void)renew_line(status);
    status->is_ready_due = !systemd_notify_ready(status->line);
}

void daemon_status_refresh(struct daemon_status *status)
{
    if (status->is_ready_due)
        daemon_status_ready(status);
    else if (clock_steady_ms() >= status->next_line_ms && renew_line(status))
        systemd_notify_status(status->line);
}
