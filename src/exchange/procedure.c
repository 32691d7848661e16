/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To be read beside the seed, 8.x.2.2, C.1.a to C.2: the Terminating End-Point's steps of it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "exchange/authenticate.h"
#include "exchange/step.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "tls/revocation.h"

#define CANDIDATES_MAX 64 /* of limits.pendingPerOriginator */

static uint64_t mark_of(const struct step *step, struct bytes message)
{
    return exchange_table_mark(step->procedure->table, step->from, (int)step->request->operation,
        step->request->request_id, message);
}

/* --- C.1.b to C.1.d: Message 1 comes, Message 2 goes --- */

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
    struct tls_endpoint *endpoint, const struct message1 *message1)
{
    enum result result = handshake_start(endpoint, &step->snapshot->policy->tls, message1,
        &exchange->handshake, &exchange->message2, &step->fault);
    if (result == RESULT_OK)
        result = step_answer(step, exchange, ANSWER_MESSAGE2);
    if (result == RESULT_OK)
        result = exchange_transition(exchange->state, EXCHANGE_MESSAGE1, &exchange->state);
    if (result == RESULT_OK)
        metrics_add(METRIC_EXCHANGES_STARTED, 1);
    return result;
}

/* The exchange is over; what was wrong stands in the step's fault. */
void end_exchange(struct step *step, struct exchange *exchange, enum exchange_event event)
{
    if (exchange_transition(exchange->state, event, &exchange->state) != RESULT_OK)
        return;
    if (event == EXCHANGE_REFUSAL)
        metrics_add(METRIC_EXCHANGES_REFUSED, 1);
    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_remove(step->procedure->table, exchange);
}

enum result receive_message1(struct step *step, struct bytes message1)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = NULL;
    struct tls_endpoint *endpoint;
    struct message1 parsed;
    bool fresh;

    enum result result = record_parse_message1(message1, &parsed, &step->fault);
    if (result == RESULT_OK)
        result = check_hello(step, &parsed.hello, &endpoint);
    if (result == RESULT_OK)
        result = exchange_table_open(step->procedure->table, step->snapshot, step->from,
            mark_of(step, message1), &exchange, &fresh, &step->response->retry_after_s,
            &step->fault);
    if (result != RESULT_OK)
        return result;

    if (fresh)
        exchange->endpoint = endpoint;
    step_name_exchange(step, exchange);
    if (!fresh) {
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        return exchange->state == EXCHANGE_FAILED
                   ? fault_set(&step->fault, RESULT_TLS_REFUSED, "this request was refused already")
                   : step_answer(step, exchange, ANSWER_MESSAGE2);
    }
    result = make_message2(step, exchange, endpoint, &parsed);
    histogram_add(HISTOGRAM_MESSAGE1, step->began_ns);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* --- C.1.f to C.1.h, C.2: Message 3 comes, the key is cached, Message 4 goes --- */

_Static_assert(EVIDENCE_OCTETS_MAX <= KEY_EVIDENCE_OCTETS, "any evidence fits the key cache");

/* Has a CRL come into force since the path was validated, by this policy or a newer one, that would
 * have refused it? Asked once the key is in the cache: a CRL that comes later still has the key
 * reviewed. */
static bool is_revoked_meanwhile(struct step *step, struct bytes evidence)
{
    struct snapshot *current CLEANUP(auto_snapshot_unref) = snapshot_current(step->procedure->slot);

    return revocation_condemns(tls_context_trust(current->tls), evidence);
}

/* C.2: exports (TS-0003 10.3.1) and caches, before Message 4 leaves. */
static enum result cache_key(struct step *step, struct exchange *exchange,
    const struct authorisation *authorised, const struct exported_key *exported,
    struct bytes evidence)
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
    snprintf(info.peer, sizeof(info.peer), "%s", authorised->identity);
    snprintf(info.local, sizeof(info.local), "%s",
        policy->endpoints[tls_endpoint_number(exchange->endpoint)].identity);
    enum result result = key_cache_put(step->procedure->cache, &info, exported->key, evidence);
    if (result != RESULT_OK)
        return fault_set(&step->fault, RESULT_INTERNAL, "the key cache does not take the key");
    if (is_revoked_meanwhile(step, evidence)) {
        result = key_cache_revoke(step->procedure->cache, info.id); /* if no review did already */
        return fault_set_alert(&step->fault, RESULT_CERTIFICATE_REFUSED,
            TLS_ALERT_CERTIFICATE_REVOKED, "a certificate was revoked during the exchange");
    }

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
    struct bytes message3, const struct message3 *parsed, const struct presented *presented)
{
    void *exported CLEANUP(auto_secret_free) = secret_alloc(sizeof(struct exported_key));
    struct authorisation authorised;
    struct evidence evidence;

    step->has_signed = true;
    if (!exported)
        return fault_set(&step->fault, RESULT_NO_MEMORY, "out of secret memory");
    enum result result = authenticate_initiator(
        exchange, presented, &authorised, &evidence, &step->is_certified, &step->fault);
    if (result == RESULT_OK)
        result = handshake_finish(
            exchange->handshake, parsed, &exchange->message4, exported, &step->fault);
    if (result == RESULT_OK)
        result = cache_key(
            step, exchange, &authorised, exported, bytes_of(evidence.octets, evidence.size));
    if (result == RESULT_OK)
        result = exchange_transition(exchange->state, EXCHANGE_MESSAGE3, &exchange->state);
    if (result != RESULT_OK)
        return result;

    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_answered(step->procedure->table, exchange, mark_of(step, message3));
    say_established(exchange);
    return step_answer(step, exchange, ANSWER_MESSAGE4);
}

/* Message 3 addressed to one exchange. What does not look like Message 3 leaves it as it is. */
enum result receive_message3(struct step *step, struct exchange *exchange, struct bytes message3)
{
    struct message3 parsed;
    struct presented presented;

    if (strcmp(exchange->from, step->from) != 0)
        return fault_set(
            &step->fault, RESULT_NOT_AUTHORISED, "this exchange is another originator's");
    if (exchange_table_is_answered_by(step->procedure->table, exchange, mark_of(step, message3))) {
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        return step_answer(step, exchange, ANSWER_MESSAGE4);
    }
    enum result result = exchange_transition(exchange->state, EXCHANGE_MESSAGE3, NULL);
    if (result != RESULT_OK)
        return fault_set(&step->fault, result, "%s", result_text(result));

    result = record_parse_message3(message3, &parsed, &step->fault);
    if (result == RESULT_OK)
        result = handshake_check_end(exchange->handshake, &parsed, &step->fault);
    if (result == RESULT_BAD_MESSAGE)
        return result;
    if (result == RESULT_OK)
        result = presented_read(
            &parsed, handshake_certificate_type(exchange->handshake), &presented, &step->fault);
    if (result == RESULT_OK &&
        !handshake_is_signed_by(exchange->handshake, &parsed, &presented.key))
        result = fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
            "CertificateVerify does not sign this exchange");
    if (result == RESULT_OK)
        result = make_message4(step, exchange, message3, &parsed, &presented);
    histogram_add(HISTOGRAM_MESSAGE3, step->began_ns);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* FAULT changes only when what is presented cannot be read as was negotiated. */
static bool is_signed(struct exchange *exchange, const struct message3 *parsed,
    struct presented *presented, struct fault *fault)
{
    return exchange->state == EXCHANGE_AWAITING_MESSAGE3 &&
           handshake_check_end(exchange->handshake, parsed, fault) == RESULT_OK &&
           presented_read(parsed, handshake_certificate_type(exchange->handshake), presented,
               fault) == RESULT_OK &&
           handshake_is_signed_by(exchange->handshake, parsed, &presented->key);
}

/* The first of CANDIDATES that PARSED signs, locked; lets go of the others. */
static struct exchange *choose_signed(struct exchange **candidates, size_t count,
    const struct message3 *parsed, struct presented *presented, struct fault *fault)
{
    struct exchange *chosen = NULL;

    for (size_t i = 0; i < count; i++) {
        if (chosen) {
            exchange_unref(candidates[i]);
            continue;
        }
        exchange_lock(candidates[i]);
        if (is_signed(candidates[i], parsed, presented, fault))
            chosen = candidates[i];
        else
            exchange_release(candidates[i]);
    }
    return chosen;
}

/* RESULT_NOT_FOUND when MESSAGE3 is no retransmission of one that was answered. */
static enum result answer_again(struct step *step, struct bytes message3)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) =
        exchange_table_find_answered(step->procedure->table, mark_of(step, message3));

    if (!exchange || exchange->state != EXCHANGE_ESTABLISHED)
        return RESULT_NOT_FOUND;
    step_name_exchange(step, exchange);
    metrics_add(METRIC_RETRANSMISSIONS, 1);
    return step_answer(step, exchange, ANSWER_MESSAGE4);
}

/* The exchange that MESSAGE3, PARSED, is for, locked, and what it presents. NULL, and *RESULT, when
 * there is none any more: it may have been answered on another thread, as a retransmission can come
 * that early. */
static struct exchange *find_signed(struct step *step, struct bytes message3,
    const struct message3 *parsed, struct presented *presented, enum result *result)
{
    struct exchange *candidates[CANDIDATES_MAX];
    size_t count =
        exchange_table_pending_of(step->procedure->table, step->from, candidates, CANDIDATES_MAX);

    fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
        "CertificateVerify signs none of the exchanges that are pending");
    struct exchange *chosen = choose_signed(candidates, count, parsed, presented, &step->fault);
    if (chosen)
        return chosen;
    *result = answer_again(step, message3);
    if (*result == RESULT_NOT_FOUND && count == 0)
        fault_set(&step->fault, *result,
            "no exchange of this originator awaits Message 3 (it may have run out of time)");
    else if (*result == RESULT_NOT_FOUND)
        *result = step->fault.result;
    return NULL;
}

/* Message 3 that only From ties to its Message 1. From can be forged, so the signature decides:
 * nobody but who signed an exchange's transcript can end it. */
enum result receive_message3_by_from(struct step *step, struct bytes message3)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = NULL;
    struct message3 parsed;
    struct presented presented;

    enum result result = answer_again(step, message3);
    if (result != RESULT_NOT_FOUND)
        return result;
    result = record_parse_message3(message3, &parsed, &step->fault);
    if (result == RESULT_OK)
        exchange = find_signed(step, message3, &parsed, &presented, &result);
    if (!exchange)
        return result;

    step_name_exchange(step, exchange);
    result = make_message4(step, exchange, message3, &parsed, &presented);
    histogram_add(HISTOGRAM_MESSAGE3, step->began_ns);
    if (result != RESULT_OK)
        end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}
