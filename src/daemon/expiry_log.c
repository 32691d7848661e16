/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/expiry_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/timer.h"
#include "observe/log.h"
#include "tls/expiry.h"

#define LOOK_AT_LEAST_S 3600 /* checks at least so often, as somebody may set the clock */

struct expiry_log {
    struct snapshot_slot *slot;
    sd_event_source *timer;
    struct snapshot *snapshot; /* owns the strings of .logged */
    struct expiry_list logged;
};

static bool is_same(const struct expiry *a, const struct expiry *b)
{
    return a->kind == b->kind && a->number == b->number && strcmp(a->name, b->name) == 0 &&
           strcmp(a->file->path, b->file->path) == 0;
}

/* Returns the state of an item in LIST, or EXPIRY_CURRENT if LIST does not have it. */
static enum expiry_state state_before(const struct expiry_list *list, const struct expiry *expiry)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_same(&list->items[i], expiry))
            return list->items[i].state;
    return EXPIRY_CURRENT;
}

static void log_expiry(const struct expiry *expiry, int64_t now_s)
{
    bool is_crl = expiry->kind == EXPIRY_CRL;
    char line[EXPIRY_LINE_OCTETS];

    expiry_describe(expiry, now_s, line, sizeof(line));
    log_event(&(struct log_event){.level = expiry->state == EXPIRY_CURRENT ? LOG_INFO : LOG_WARNING,
                  .message_id = is_crl ? LOG_EVENT_STALE_CRL : LOG_EVENT_STALE_OWN},
        "%s %s: %s", is_crl ? "trust domain" : "end-point", expiry->name, line);
}

/* Returns when the state of an item will change next by the passing of time. */
static int64_t next_change(const struct expiry_list *list, int64_t now_s)
{
    int64_t next_s = now_s + LOOK_AT_LEAST_S;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].next_s < next_s)
            next_s = list->items[i].next_s;
    return next_s > now_s ? next_s : now_s + 1;
}

static void arm(struct expiry_log *log, int64_t at_s)
{
    (void)sd_event_source_set_time(log->timer, (uint64_t)at_s * 1000000);
}

void expiry_log_update(struct expiry_log *log)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(log->slot);
    struct expiry_list list CLEANUP(expiry_list_release) = {0};
    int64_t now_s = clock_wall_s();

    arm(log, now_s + LOOK_AT_LEAST_S);
    if (expiry_list_all(snapshot->tls, now_s, &list) != RESULT_OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].state != state_before(&log->logged, &list.items[i]))
            log_expiry(&list.items[i], now_s);
    arm(log, next_change(&list, now_s));

    expiry_list_release(&log->logged);
    snapshot_unref(log->snapshot);
    log->logged = list;
    log->snapshot = TAKE_PTR(snapshot);
    list = (struct expiry_list){0};
}

static int on_time(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)source;
    (void)now_us;
    expiry_log_update(context);
    return 0;
}

enum result expiry_log_new(
    sd_event *loop, struct snapshot_slot *slot, struct expiry_log **out, struct fault *fault)
{
    struct expiry_log *log = calloc(1, sizeof(*log));

    *out = log;
    if (!log)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    log->slot = slot;
    int error = timer_repeat(
        loop, CLOCK_REALTIME, LOOK_AT_LEAST_S * UINT64_C(1000000), on_time, log, &log->timer);
    if (error < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "the event loop takes no timer: %s", strerror(-error));
    expiry_log_update(log);
    return RESULT_OK;
}

void expiry_log_free(struct expiry_log *log)
{
    if (!log)
        return;
    sd_event_source_disable_unref(log->timer);
    expiry_list_release(&log->logged);
    snapshot_unref(log->snapshot);
    free(log);
}
