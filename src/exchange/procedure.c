/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To be read beside the seed, 8.x.2.2, C.1.a to C.2: the Terminating End-Point's steps of it. */
#include "exchange/procedure.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "exchange/answer.h"
#include "exchange/authenticate.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "onem2m/representation.h"
#include "onem2m/status.h"
#include "onem2m/target.h"

#define RESPONSE_OCTETS_MAX 1048576 /* the entry point shows every certificate */
#define CANDIDATES_MAX      64      /* of limits.pendingPerOriginator */

struct procedure {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct exchange_table *table;
    int64_t started_s;
};

/* One request on its way through. */
struct step {
    struct procedure *procedure;
    const struct request *request;
    struct response *response;
    struct snapshot *snapshot;
    struct target target;
    char from[IDENTIFIER_OCTETS]; /* absolute */
    bool with_address;            /* rcn 3 */
    const char *exchange;         /* for the log */
    char exchange_name[EXCHANGE_NAME_OCTETS];
    struct fault fault;
};

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

void procedure_sweep(struct procedure *procedure, unsigned most)
{
    metrics_add(METRIC_EXCHANGES_EXPIRED, exchange_table_sweep(procedure->table, most));
}

struct procedure_counts procedure_count(struct procedure *procedure)
{
    struct procedure_counts counts;

    exchange_table_count(procedure->table, &counts.pending, &counts.retained);
    return counts;
}

static void name_exchange(struct step *step, const struct exchange *exchange)
{
    memcpy(step->exchange_name, exchange->name, sizeof(step->exchange_name));
    step->exchange = step->exchange_name;
}

static uint64_t mark_of(const struct step *step, struct bytes message)
{
    return exchange_table_mark(
        step->procedure->table, (int)step->request->operation, step->request->request_id, message);
}

static enum result answer(struct step *step, const struct exchange *exchange, enum answer which)
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

/* --- C.1.b to C.1.d: Message 1 comes, Message 2 goes --------------------------------------- */

/* The end-point that a Notify's address names, if it names one; RESULT_NOT_FOUND for a strange
 * name. */
static enum result addressed_endpoint(struct step *step, struct tls_endpoint **endpoint)
{
    const struct policy *policy = step->snapshot->policy;

    *endpoint = NULL;
    if (step->target.kind != TARGET_NOTIFY || step->target.name[0] == '\0')
        return RESULT_OK;
    for (size_t i = 0; i < policy->endpoint_count; i++)
        if (strcmp(policy->endpoints[i].name, step->target.name) == 0) {
            *endpoint = tls_context_by_number(step->snapshot->tls, i);
            return RESULT_OK;
        }
    return fault_set(
        &step->fault, RESULT_NOT_FOUND, "no end-point here is called \"%s\"", step->target.name);
}

/* Which end-point is meant: by SNI (TS-0003 10.2.1), or by the address, which SNI may confirm. */
static enum result choose_endpoint(
    struct step *step, const struct hello *hello, struct tls_endpoint **endpoint)
{
    struct tls_endpoint *named =
        tls_context_by_server_name(step->snapshot->tls, hello->server_name);
    enum result result = addressed_endpoint(step, endpoint);

    if (result != RESULT_OK)
        return result;
    if (!*endpoint)
        *endpoint = named;
    if (!*endpoint || (hello->server_name[0] != '\0' && named != *endpoint))
        return fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_UNRECOGNIZED_NAME,
            "SNI \"%s\" names no end-point here", hello->server_name);
    return RESULT_OK;
}

static enum result check_hello(
    struct step *step, const struct hello *hello, struct tls_endpoint **endpoint)
{
    enum result result = choose_endpoint(step, hello, endpoint);

    if (result != RESULT_OK)
        return result;
    /* Without it the exported key is not bound to this handshake (RFC 7627 1). */
    if (step->snapshot->policy->tls.require_extended_master_secret &&
        !hello->extended_master_secret)
        return fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the initiator does not offer the extended master secret");
    return RESULT_OK;
}

/* C.1.c */
static enum result make_message2(struct step *step, struct exchange *exchange,
    struct tls_endpoint *endpoint, struct bytes message1, const struct hello *hello)
{
    exchange->endpoint = endpoint;
    enum result result = handshake_start(
        endpoint, message1, hello, &exchange->handshake, &exchange->message2, &step->fault);
    if (result == RESULT_OK)
        result = answer(step, exchange, ANSWER_MESSAGE2);
    if (result == RESULT_OK)
        result = exchange_transition(exchange->state, EXCHANGE_MESSAGE1, &exchange->state);
    if (result == RESULT_OK)
        metrics_add(METRIC_EXCHANGES_STARTED, 1);
    return result;
}

/* The exchange is over; what was wrong stands in the step's fault. */
static void end_exchange(struct step *step, struct exchange *exchange, enum exchange_event event)
{
    if (exchange_transition(exchange->state, event, &exchange->state) != RESULT_OK)
        return;
    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_remove(step->procedure->table, exchange);
}

static enum result receive_message1(struct step *step, struct bytes message1)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = NULL;
    struct tls_endpoint *endpoint;
    struct hello hello;
    bool fresh;

    enum result result = record_parse_message1(message1, &hello, &step->fault);
    if (result == RESULT_OK)
        result = check_hello(step, &hello, &endpoint);
    if (result == RESULT_OK)
        result = exchange_table_open(step->procedure->table, step->snapshot, step->from,
            mark_of(step, message1), &exchange, &fresh, &step->response->retry_after_s,
            &step->fault);
    if (result != RESULT_OK)
        return result;

    name_exchange(step, exchange);
    if (!fresh) {
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        return exchange->state == EXCHANGE_FAILED
                   ? fault_set(&step->fault, RESULT_TLS_REFUSED, "this request was refused already")
                   : answer(step, exchange, ANSWER_MESSAGE2);
    }
    result = make_message2(step, exchange, endpoint, message1, &hello);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* --- C.1.f to C.1.h, C.2: Message 3 comes, the key is cached, Message 4 goes ---------------- */

/* C.2: exports (TS-0003 10.3.1) and caches, before Message 4 leaves. */
static enum result cache_key(struct step *step, struct exchange *exchange,
    const struct authorisation *authorised, const struct exported_key *exported)
{
    const struct policy *policy = exchange->snapshot->policy;
    struct key_info info = {
        .role = KEY_ROLE_TERMINATING,
        .flavour = authorised->rule->flavour,
        .cipher_suite = handshake_cipher_suite(exchange->handshake),
        .established_s = clock_wall_s(),
    };

    info.expires_s = info.established_s + authorised->rule->lifetime_s;
    memcpy(info.id, exported->id, sizeof(info.id));
    strcpy(info.peer, authorised->identity);
    strcpy(info.local, policy->endpoints[tls_endpoint_number(exchange->endpoint)].identity);
    enum result result = key_cache_put(step->procedure->cache, &info, exported->key);
    if (result != RESULT_OK)
        return fault_set(&step->fault, RESULT_INTERNAL, "the key cache does not take the key");

    exchange->established_s = info.established_s;
    bytes_to_hex(bytes_of(info.id, sizeof(info.id)), exchange->key_id);
    return RESULT_OK;
}

static void say_established(const struct exchange *exchange)
{
    const struct policy *policy = exchange->snapshot->policy;
    const struct log_event event = {
        .level = LOG_INFO,
        .message_id = LOG_EVENT_ESTABLISHED,
        .peer = exchange->from,
        .local = policy->endpoints[tls_endpoint_number(exchange->endpoint)].identity,
        .key_id = exchange->key_id,
        .exchange = exchange->name,
    };

    metrics_add(METRIC_EXCHANGES_ESTABLISHED, 1);
    log_event(&event, "key %s established with %s", exchange->key_id, exchange->from);
}

/* C.1.g, of an exchange whose transcript Message 3 signs. */
static enum result make_message4(struct step *step, struct exchange *exchange,
    struct bytes message3, const struct message3 *parsed)
{
    struct exported_key *exported = secret_alloc(sizeof(*exported));
    void *secret CLEANUP(auto_secret_free) = exported;
    struct authorisation authorised;

    if (!exported)
        return fault_set(&step->fault, RESULT_NO_MEMORY, "out of secret memory");
    enum result result = authenticate_initiator(exchange, parsed, &authorised, &step->fault);
    if (result == RESULT_OK)
        result = handshake_finish(
            exchange->handshake, message3, &exchange->message4, exported, &step->fault);
    if (result == RESULT_OK)
        result = cache_key(step, exchange, &authorised, exported);
    if (result == RESULT_OK)
        result = exchange_transition(exchange->state, EXCHANGE_MESSAGE3, &exchange->state);
    if (result != RESULT_OK)
        return result;

    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_answered(step->procedure->table, exchange, mark_of(step, message3));
    say_established(exchange);
    return answer(step, exchange, ANSWER_MESSAGE4);
}

/* Message 3 addressed to one exchange. What does not look like Message 3 leaves it as it is. */
static enum result receive_named(
    struct step *step, struct exchange *exchange, struct bytes message3, struct message3 *parsed)
{
    struct certificate leaf;

    if (strcmp(exchange->from, step->from) != 0)
        return fault_set(
            &step->fault, RESULT_NOT_AUTHORISED, "this exchange is another originator's");
    if (exchange_table_is_answered_by(step->procedure->table, exchange, mark_of(step, message3))) {
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        return answer(step, exchange, ANSWER_MESSAGE4);
    }
    enum result result = exchange_transition(exchange->state, EXCHANGE_MESSAGE3, NULL);
    if (result != RESULT_OK)
        return fault_set(&step->fault, result, "%s", result_text(result));

    result = record_parse_message3(message3, parsed, &step->fault);
    if (result == RESULT_BAD_MESSAGE)
        return result;
    if (result == RESULT_OK)
        result = certificate_parse(parsed->chain[0], &leaf, &step->fault);
    if (result == RESULT_OK && !handshake_is_signed_by(exchange->handshake, parsed, &leaf))
        result = fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
            "CertificateVerify does not sign this exchange");
    if (result == RESULT_OK)
        result = make_message4(step, exchange, message3, parsed);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* The first of CANDIDATES that PARSED signs, locked; lets go of the others. */
static struct exchange *choose_signed(struct exchange **candidates, size_t count,
    const struct message3 *parsed, const struct certificate *leaf)
{
    struct exchange *chosen = NULL;

    for (size_t i = 0; i < count; i++) {
        if (chosen) {
            exchange_unref(candidates[i]);
            continue;
        }
        exchange_lock(candidates[i]);
        if (candidates[i]->state == EXCHANGE_AWAITING_MESSAGE3 &&
            handshake_is_signed_by(candidates[i]->handshake, parsed, leaf))
            chosen = candidates[i];
        else
            exchange_release(candidates[i]);
    }
    return chosen;
}

/* Message 3 that only From ties to its Message 1. From can be forged, so the signature decides:
 * nobody but who signed an exchange's transcript can end it. */
static enum result receive_unnamed(
    struct step *step, struct bytes message3, struct message3 *parsed)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) =
        exchange_table_find_answered(step->procedure->table, step->from, mark_of(step, message3));
    struct exchange *candidates[CANDIDATES_MAX];
    struct certificate leaf;

    if (exchange) {
        name_exchange(step, exchange);
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        return answer(step, exchange, ANSWER_MESSAGE4);
    }
    enum result result = record_parse_message3(message3, parsed, &step->fault);
    if (result == RESULT_OK)
        result = certificate_parse(parsed->chain[0], &leaf, &step->fault);
    if (result != RESULT_OK)
        return result;
    size_t count =
        exchange_table_pending_of(step->procedure->table, step->from, candidates, CANDIDATES_MAX);
    if (count == 0)
        return fault_set(&step->fault, RESULT_NOT_FOUND,
            "no exchange of this originator awaits Message 3 (it may have run out of time)");
    exchange = choose_signed(candidates, count, parsed, &leaf);
    if (!exchange)
        return fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
            "CertificateVerify signs none of the exchanges that are pending");

    name_exchange(step, exchange);
    result = make_message4(step, exchange, message3, parsed);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* --- the operations -------------------------------------------------------------------------- */

static struct exchange *find_exchange(struct step *step)
{
    struct exchange *exchange = exchange_table_find(step->procedure->table, step->target.name);

    if (!exchange)
        fault_set(&step->fault, RESULT_NOT_FOUND, "no such exchange (it may have run out of time)");
    else
        name_exchange(step, exchange);
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
    struct message3 parsed;

    struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);
    if (!exchange)
        return step->fault.result;
    enum result result = read_message(step, false, &message3);
    return result == RESULT_OK ? receive_named(step, exchange, buffer_bytes(&message3), &parsed)
                               : result;
}

static enum result update_entry_point(struct step *step)
{
    AUTO_BUFFER struct buffer message3 = {0};
    struct message3 parsed;

    enum result result = read_message(step, false, &message3);
    return result == RESULT_OK ? receive_unnamed(step, buffer_bytes(&message3), &parsed) : result;
}

/* TS-0001 11.4.3: both messages come by Notify; a ClientHello tells Message 1 from Message 3. */
static enum result notify(struct step *step)
{
    AUTO_BUFFER struct buffer message = {0};
    struct message3 parsed;
    struct record record;

    enum result result = read_message(step, false, &message);
    if (result != RESULT_OK)
        return result;
    struct bytes rest = buffer_bytes(&message);
    if (record_take(&rest, &record) && record.type == RECORD_HANDSHAKE &&
        record.fragment.data[0] == 1)
        return receive_message1(step, buffer_bytes(&message));
    return receive_unnamed(step, buffer_bytes(&message), &parsed);
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
    return result == RESULT_OK ? answer(step, exchange, ANSWER_RETRIEVE) : result;
}

static enum result delete_exchange(struct step *step)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = find_exchange(step);

    if (!exchange)
        return step->fault.result;
    enum result result = check_owner(step, exchange);
    if (result != RESULT_OK)
        return result;
    result = answer(step, exchange, ANSWER_DELETE);
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

/* --- what every request has to have ----------------------------------------------------------- */

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
    if (!handle)
        return fault_set(
            &step->fault, RESULT_NOT_ALLOWED, "this resource does not take the operation");
    return handle(step);
}

static void say_refused(const struct step *step)
{
    const struct log_event event = {
        .level = result_category(step->fault.result) == CATEGORY_OURS ? LOG_ERR : LOG_NOTICE,
        .message_id = step->fault.result == RESULT_BUSY ? LOG_EVENT_LIMIT : LOG_EVENT_REFUSED,
        .peer = step->from[0] != '\0' ? step->from : NULL,
        .exchange = step->exchange,
        .rsc = step->response->rsc,
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
    if (result != RESULT_BUSY)
        response->retry_after_s = 0;
    answer_refusal(&step.fault, request->operation, response);
    say_refused(&step);
}
