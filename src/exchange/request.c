/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: what each has to have, what may be done to what, and what is said to refuse one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/procedure.h"
#include "exchange/step.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "onem2m/representation.h"
#include "onem2m/status.h"

#define RESPONSE_OCTETS_MAX 1048576 /* the entry point shows every certificate */

enum result procedure_new(struct snapshot_slot *slot, struct key_cache *cache,
    struct procedure **out, struct fault *fault)
{
    struct procedure *procedure = calloc(1, sizeof(*procedure));

    if (!procedure || exchange_table_new(&procedure->table) != RESULT_OK) {
        free(procedure);
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    }
    procedure->slot = slot;
    procedure->cache = cache;
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

void step_name_exchange(struct step *step, const struct exchange *exchange)
{
    const struct policy *policy = exchange->snapshot->policy;

    memcpy(step->exchange_name, exchange->name, sizeof(step->exchange_name));
    if (exchange->endpoint)
        snprintf(step->local, sizeof(step->local), "%s",
            policy->endpoints[tls_endpoint_number(exchange->endpoint)].identity);
}

enum result step_answer(struct step *step, const struct exchange *exchange, enum answer which)
{
    return answer_exchange(
        exchange, which, step->request->operation, step->with_address, step->response);
}

static enum result read_message(struct step *step, bool rn_allowed, struct buffer *message)
{
    message->limit = step->snapshot->policy->limits.message_octets;
    if (step->request->operation == OPERATION_NOTIFY)
        return representation_read_seci(step->request->content, message, &step->fault);
    return representation_read_e2ek(step->request->content, rn_allowed, message, &step->fault);
}

/* --- the operations --- */

static struct exchange *find_exchange(struct step *step)
{
    struct exchange *exchange = exchange_table_find(step->procedure->table, step->target.name);

    if (!exchange)
        fault_set(&step->fault, RESULT_NOT_FOUND, "no such exchange (it may have run out of time)");
    else
        step_name_exchange(step, exchange);
    return exchange;
}

static enum result create(struct step *step)
{
    AUTO_BUFFER struct buffer message1 = {0};
    const char *end = step->request->resource_type;
    char *rest;

    long type = end ? strtol(end, &rest, 10) : -1;
    if (type < 0 || type > 99999 || rest == end || *rest != '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "ty is not a resource type");
    if (type != step->snapshot->policy->cse.resource_type)
        return fault_set(&step->fault, RESULT_WRONG_CHILD,
            "only resource type %d can be created here", step->snapshot->policy->cse.resource_type);
    enum result result = read_message(step, true, &message1);
    return result == RESULT_OK ? receive_message1(step, buffer_bytes(&message1)) : result;
}

static enum result update_exchange(struct step *step)
{
    AUTO_BUFFER struct buffer message3 = {0};

    struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);
    if (!exchange)
        return step->fault.result;
    enum result result = read_message(step, false, &message3);
    return result == RESULT_OK ? receive_message3(step, exchange, buffer_bytes(&message3)) : result;
}

static enum result update_entry_point(struct step *step)
{
    AUTO_BUFFER struct buffer message3 = {0};

    enum result result = read_message(step, false, &message3);
    return result == RESULT_OK ? receive_message3_by_from(step, buffer_bytes(&message3)) : result;
}

/* TS-0001 11.4.3: both messages come by Notify; a ClientHello tells Message 1 from Message 3. */
static enum result notify(struct step *step)
{
    AUTO_BUFFER struct buffer message = {0};
    struct record record;

    enum result result = read_message(step, false, &message);
    if (result != RESULT_OK)
        return result;
    struct bytes rest = buffer_bytes(&message);
    if (record_take(&rest, &record) && record.type == RECORD_HANDSHAKE &&
        record.fragment.data[0] == 1)
        return receive_message1(step, buffer_bytes(&message));
    return receive_message3_by_from(step, buffer_bytes(&message));
}

static enum result check_owner(struct step *step, const struct exchange *exchange)
{
    if (strcmp(exchange->from, step->from) != 0)
        return fault_set(
            &step->fault, RESULT_NOT_AUTHORISED, "this exchange is another originator's");
    return exchange->state == EXCHANGE_FAILED
               ? fault_set(&step->fault, RESULT_NOT_FOUND, "no such exchange")
               : RESULT_OK;
}

static enum result retrieve_exchange(struct step *step)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);

    if (!exchange)
        return step->fault.result;
    enum result result = check_owner(step, exchange);
    return result == RESULT_OK ? step_answer(step, exchange, ANSWER_RETRIEVE) : result;
}

static enum result delete_exchange(struct step *step)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);

    if (!exchange)
        return step->fault.result;
    enum result result = check_owner(step, exchange);
    if (result != RESULT_OK)
        return result;
    result = step_answer(step, exchange, ANSWER_DELETE);
    if (result != RESULT_OK)
        return result;
    if (!step->request->result_content || strcmp(step->request->result_content, "1") != 0)
        buffer_consume(&step->response->content, step->response->content.size);
    if (exchange->state == EXCHANGE_AWAITING_MESSAGE3)
        metrics_add(METRIC_EXCHANGES_DELETED, 1);
    end_exchange(step, exchange, EXCHANGE_DELETION);
    return RESULT_OK;
}

static enum result retrieve_entry_point(struct step *step)
{
    return answer_entry_point(step->snapshot, step->procedure->started_s, step->response);
}

/* What is not there does not take the operation either, but that is not what is wrong. */
static enum result refuse_operation(struct step *step)
{
    if (step->target.kind == TARGET_EXCHANGE) {
        struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);
        if (!exchange)
            return step->fault.result;
    }
    return fault_set(&step->fault, RESULT_NOT_ALLOWED, "this resource does not take the operation");
}

typedef enum result handler(struct step *step);

/* What may be done to what; an empty place is an operation that the resource does not take. */
static handler *const handlers[OPERATION_NOTIFY + 1][TARGET_NOTIFY + 1] = {
    [OPERATION_CREATE] = {[TARGET_CSE_BASE] = create, [TARGET_ENTRY_POINT] = create},
    [OPERATION_RETRIEVE] =
        {[TARGET_ENTRY_POINT] = retrieve_entry_point, [TARGET_EXCHANGE] = retrieve_exchange},
    [OPERATION_UPDATE] =
        {[TARGET_ENTRY_POINT] = update_entry_point, [TARGET_EXCHANGE] = update_exchange},
    [OPERATION_DELETE] = {[TARGET_EXCHANGE] = delete_exchange},
    [OPERATION_NOTIFY] = {[TARGET_ENTRY_POINT] = notify, [TARGET_NOTIFY] = notify},
};

/* --- what every request has to have --- */

/* rcn (TS-0004 6.3.4.2.7): the messages travel in the content, so it can not be left out. */
static enum result check_result_content(struct step *step)
{
    static const char *const supported[OPERATION_NOTIFY + 1] = {
        [OPERATION_CREATE] = "13",
        [OPERATION_RETRIEVE] = "1",
        [OPERATION_UPDATE] = "1",
        [OPERATION_DELETE] = "01",
        [OPERATION_NOTIFY] = "1",
    };
    const char *rcn = step->request->result_content;

    if (!rcn)
        return RESULT_OK;
    if (strlen(rcn) != 1 || !strchr(supported[step->request->operation], rcn[0]))
        return fault_set(&step->fault, RESULT_UNSUPPORTED_RESULT_CONTENT,
            "result content %s is not supported here", rcn);
    step->with_address = rcn[0] == '3';
    return RESULT_OK;
}

static enum result check_request(struct step *step)
{
    const struct request *request = step->request;
    const struct policy_cse *cse = &step->snapshot->policy->cse;

    if (!request->from || request->from[0] == '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-Origin is missing");
    if (!request->request_id || request->request_id[0] == '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-RI is missing");
    if (strlen(request->request_id) >= REQUEST_ID_OCTETS)
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-RI is longer than %d octets",
            REQUEST_ID_OCTETS - 1);
    if (identifier_absolute(cse->sp_id, cse->cse_id, request->from, step->from, &step->fault) !=
        RESULT_OK) {
        step->fault.result = RESULT_BAD_REQUEST;
        return RESULT_BAD_REQUEST;
    }
    enum result result = primitive_check_release(request->release, &step->fault);
    if (result == RESULT_OK)
        result = primitive_check_expiration(request->expiration, clock_wall_us(), &step->fault);
    if (result == RESULT_OK && request->response_type && strcmp(request->response_type, "3") != 0)
        result = fault_set(&step->fault, RESULT_UNSUPPORTED_RESPONSE_TYPE,
            "response type %s: only 3 (blocking) is supported", request->response_type);
    return result == RESULT_OK ? check_result_content(step) : result;
}

static enum result run(struct step *step, const struct fault *refused)
{
    if (refused) {
        step->fault = *refused;
        return refused->result;
    }
    enum result result = check_request(step);
    if (result != RESULT_OK)
        return result;
    target_parse(&step->snapshot->policy->cse, step->snapshot->policy->http.notify_path,
        step->request->to, &step->target);
    if (step->target.kind == TARGET_NONE)
        return fault_set(&step->fault, RESULT_NOT_FOUND, "no such resource");
    handler *handle = handlers[step->request->operation][step->target.kind];
    return handle ? handle(step) : refuse_operation(step);
}

/* The log counts refusals apart: of requests that nobody has signed; of those who made keys and
 * certificates for themselves; and, by alert, of those whom an authority has certified. So nobody
 * pushes out the line about a device whose certificate is revoked, say, or not authorised. */
static unsigned share_of_log(const struct step *step)
{
    enum { SHARE_OF_UNSIGNED, SHARE_OF_UNCERTIFIED, SHARE_OF_CERTIFIED };

    if (!step->is_certified)
        return step->has_signed ? SHARE_OF_UNCERTIFIED : SHARE_OF_UNSIGNED;
    return SHARE_OF_CERTIFIED + (unsigned)(step->fault.alert - FAULT_NO_ALERT);
}

static void say_refused(const struct step *step)
{
    const struct log_event event = {
        .level = result_category(step->fault.result) == CATEGORY_OURS ? LOG_ERR : LOG_NOTICE,
        .message_id = step->fault.result == RESULT_BUSY ? LOG_EVENT_LIMIT : LOG_EVENT_REFUSED,
        .peer = step->from[0] != '\0' ? step->from : NULL,
        .local = step->local[0] != '\0' ? step->local : NULL,
        .exchange = step->exchange_name[0] != '\0' ? step->exchange_name : NULL,
        .rsc = step->response->rsc,
        .share = share_of_log(step),
    };

    metrics_refused((int)step->fault.result);
    log_event(&event, "refused %s: %s", step->from[0] != '\0' ? step->from : "a request",
        step->fault.text);
}

void procedure_answer(struct procedure *procedure, const struct request *request,
    const struct fault *refused, struct response *response)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(procedure->slot);
    struct step step = {
        .procedure = procedure,
        .request = request,
        .response = response,
        .snapshot = snapshot,
        .began_ns = histogram_now_ns(),
        .fault = FAULT_INIT,
    };

    response->content.limit = RESPONSE_OCTETS_MAX;
    enum result result = run(&step, refused);
    if (result == RESULT_OK) {
        response->retry_after_s = 0;
        return;
    }
    if (step.fault.result != result || step.fault.text[0] == '\0')
        fault_set(&step.fault, result, "%s", result_text(result));
    if (result_category(result) != CATEGORY_BUSY)
        response->retry_after_s = 0;
    answer_refusal(&step.fault, request->operation, response);
    say_refused(&step);
}
