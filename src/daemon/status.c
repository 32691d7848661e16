/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/systemd.h"
#include "http/server.h"
#include "observe/metrics.h"

#define TELL_MS 10000

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

json_t *daemon_status_json(void *context)
{
    struct daemon_status *status = context;
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(status->slot);
    struct procedure_counts exchanges = procedure_count(status->procedure);

    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:{s:i, s:i}, s:{s:i, s:i}, s:o, s:o}", "version",
        E2EKEYD_VERSION, "started", (json_int_t)status->started_s, "now",
        (json_int_t)clock_wall_s(), "policyGeneration", (json_int_t)snapshot->generation, "listen",
        listeners(status->http), "exchanges", "pending", (int)exchanges.pending, "retained",
        (int)exchanges.retained, "keys", "live", (int)key_cache_count(status->cache), "capacity",
        (int)key_cache_capacity(status->cache), "counters", counters(), "refused", refusals());
}

/* False when it is as it was. */
static bool renew_line(struct daemon_status *status)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(status->slot);
    char line[STATUS_LINE_OCTETS];

    snprintf(line, sizeof(line), "%u keys live, %u exchanges pending, policy generation %llu",
        key_cache_count(status->cache), procedure_count(status->procedure).pending,
        (unsigned long long)snapshot->generation);
    if (strcmp(line, status->told) == 0)
        return false;
    memcpy(status->told, line, sizeof(line));
    status->tell_again_ms = clock_steady_ms() + TELL_MS;
    return true;
}

void daemon_status_ready(struct daemon_status *status)
{
    (void)renew_line(status);
    systemd_notify_ready(status->told);
}

void daemon_status_refresh(struct daemon_status *status)
{
    if (clock_steady_ms() >= status->tell_again_ms && renew_line(status))
        systemd_notify_status(status->told);
}
