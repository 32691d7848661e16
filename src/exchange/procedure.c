/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/procedure.h"

#include <stdlib.h>

#include "base/alert.h"
#include "base/clock.h"
#include "base/wipe.h"
#include "exchange/dispatch.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"

#define RESPONSE_OCTETS_MAX 1048576 /* the entry point shows every certificate */

struct procedure {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct rand_objects *rand_objects;
    struct exchange_table *table;
    int64_t started_s;
};

enum result procedure_new(struct snapshot_slot *slot, struct key_cache *cache,
    struct rand_objects *rand_objects, struct procedure **out, struct fault *fault)
{
    struct procedure *procedure = calloc(1, sizeof(*procedure));

    if (!procedure || exchange_table_new(&procedure->table) != RESULT_OK) {
        free(procedure);
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    }
    procedure->slot = slot;
    procedure->cache = cache;
    procedure->rand_objects = rand_objects;
    procedure->started_s = clock_wall_s();
    *out = procedure;
    return RESULT_OK;
}

void procedure_free(struct procedure *procedure)
{
    if (!procedure)
        return;
    exchange_table_free(procedure->table);
    free(procedure);
}

/* The log counts refusals apart: of requests that nobody has signed; of those who made keys and
 * certificates for themselves; and, by alert, of those whom an authority has certified. So nobody
 * suppresses the entry about a device whose certificate is revoked, say, or not authorised. */
static unsigned log_share(const struct step *step)
{
    enum { SHARE_OF_UNSIGNED, SHARE_OF_UNCERTIFIED, SHARE_OF_CERTIFIED };

    if (!step->is_certified)
        return step->has_signed ? SHARE_OF_UNCERTIFIED : SHARE_OF_UNSIGNED;
    return SHARE_OF_CERTIFIED + (unsigned)(step->fault.alert - FAULT_NO_ALERT);
}

static void log_refusal(const struct step *step)
{
    const struct log_event event = {
        .level = result_category(step->fault.result) == CATEGORY_OURS ? LOG_ERR : LOG_NOTICE,
        .message_id = step->fault.result == RESULT_BUSY ? LOG_EVENT_LIMIT : LOG_EVENT_REFUSED,
        .peer = step->from[0] != '\0' ? step->from : NULL,
        .local = step->local[0] != '\0' ? step->local : NULL,
        .exchange = step->exchange_name[0] != '\0' ? step->exchange_name : NULL,
        .rsc = step->response->rsc,
        .share = log_share(step),
    };

    metrics_refused((int)step->fault.result);
    log_event(&event, "refused %s: %s", step->from[0] != '\0' ? step->from : "a request",
        step->fault.text);
}

/* What a library or the search for a path says of the peer when it runs out of memory is not so. */
static void blame_memory(struct fault *fault)
{
    switch (result_category(fault->result)) {
    case CATEGORY_PEER_FAULT:
    case CATEGORY_NOT_AUTHORISED:
        fault_set_alert(fault, RESULT_NO_MEMORY,
            fault->alert == FAULT_NO_ALERT ? FAULT_NO_ALERT : TLS_ALERT_INTERNAL_ERROR,
            "out of memory");
        break;
    default:
        break;
    }
}

void procedure_answer(struct procedure *procedure, const struct request *request,
    const struct fault *refused, struct response *response)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(procedure->slot);
    struct step step = {
        .table = procedure->table,
        .cache = procedure->cache,
        .rand_objects = procedure->rand_objects,
        .slot = procedure->slot,
        .snapshot = snapshot,
        .started_s = procedure->started_s,
        .request = request,
        .response = response,
        .began_ns = histogram_now_ns(),
        .fault = refused ? *refused : FAULT_INIT,
    };

    unsigned failures = wiping_failures();
    response->content.limit = RESPONSE_OCTETS_MAX;
    if (!refused && dispatch(&step) == RESULT_OK)
        return;
    if (!refused && wiping_failures() != failures)
        blame_memory(&step.fault);
    response->retry_after_s = result_category(step.fault.result) == CATEGORY_BUSY ? 1 : 0;
    answer_refusal(&step.fault, request->operation, response);
    log_refusal(&step);
}

void procedure_close(struct procedure *procedure)
{
    exchange_table_close(procedure->table);
}

unsigned procedure_sweep(struct procedure *procedure, unsigned most)
{
    unsigned awaited;
    unsigned ended = exchange_table_sweep(procedure->table, most, &awaited);

    metrics_add(METRIC_EXCHANGES_EXPIRED, awaited);
    return ended;
}

struct procedure_counts procedure_count(struct procedure *procedure)
{
    struct procedure_counts counts;

    exchange_table_count(procedure->table, &counts.pending, &counts.retained);
    return counts;
}
