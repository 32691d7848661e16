/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/message3.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/wipe.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "tls/context.h"
#include "trust/admission.h"
#include "trust/review.h"

/* --- the key is cached --- */

_Static_assert(EVIDENCE_OCTETS_MAX <= KEY_EVIDENCE_OCTETS, "any evidence fits the key cache");

/* Whether a CRL that came into force after the path was validated, under this policy or a newer
 * one, revokes a certificate of the path. Asked once the key is in the cache: from then on a new
 * CRL has the keys in the cache reviewed. */
static bool is_revoked_meanwhile(struct step *step, struct bytes evidence)
{
    struct snapshot *current CLEANUP(auto_snapshot_unref) = snapshot_current(step->slot);

    unsigned failures = wiping_failures();

    /* Nobody can tell for want of memory: the key goes. */
    return review_find_revoking(tls_context_trust(current->tls), evidence) != NULL ||
           wiping_failures() != failures;
}

static enum result cache_key(struct step *step, struct exchange *exchange,
    const struct authorisation *authorised, const struct exported_key *exported,
    struct bytes evidence)
{
    struct key_info info = {
        .role = KEY_ROLE_TERMINATING,
        .flavour = authorised->rule->flavour,
        .cipher_suite = handshake_cipher_suite(exchange->handshake),
        .established_s = clock_wall_s(),
    };

    info.expires_s = info.established_s + authorised->rule->lifetime_s;
    memcpy(info.id, exported->id, sizeof(info.id));
    snprintf(info.peer, sizeof(info.peer), "%s", authorised->identity);
    snprintf(info.local, sizeof(info.local), "%s", tls_endpoint_identity(exchange->endpoint));
    if (key_cache_put(step->cache, &info, exported->key, evidence) != RESULT_OK)
        return fault_set(&step->fault, RESULT_INTERNAL, "the key cache does not take the key");
    if (is_revoked_meanwhile(step, evidence)) {
        enum result revoked = key_cache_revoke_by_crl(step->cache, info.id);
        (void)revoked; /* a review may have revoked the key before us */
        return fault_set_alert(&step->fault, RESULT_CERTIFICATE_REFUSED,
            TLS_ALERT_CERTIFICATE_REVOKED, "a certificate was revoked during the exchange");
    }
    exchange->established_s = info.established_s;
    exchange->key_expires_s = info.expires_s;
    bytes_to_hex(bytes_of(info.id, sizeof(info.id)), exchange->key_id);
    return RESULT_OK;
}

static void log_established(const struct exchange *exchange)
{
    const struct log_event event = {
        .level = LOG_INFO,
        .message_id = LOG_EVENT_ESTABLISHED,
        .peer = exchange->from,
        .local = tls_endpoint_identity(exchange->endpoint),
        .key_id = exchange->key_id,
        .exchange = exchange->name,
    };

    metrics_add(METRIC_EXCHANGES_ESTABLISHED, 1);
    log_event(&event, "key %s established with %s", exchange->key_id, exchange->from);
}

/* Decides who the Initiating End-Point is, and whether the policy authorises it. EXCHANGE is
 * locked, and what is PRESENTED has the key that signed its transcript. */
static enum result admit_initiator(const struct exchange *exchange,
    const struct presented *presented, struct admission *out, struct fault *fault)
{
    const struct snapshot *snapshot = exchange->snapshot;
    bool raw = presented->type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    const struct admission_request request = {
        .policy = snapshot->policy,
        .trust = tls_context_trust(snapshot->tls),
        .endpoint = tls_endpoint_number(exchange->endpoint),
        .takes = tls_endpoint_takes(exchange->endpoint),
        .chain = presented->chain,
        .chain_count = presented->chain_count,
        .public_key = raw ? presented->key.spki : (struct bytes){0},
        .from = exchange->from,
        .now_s = clock_wall_s(),
    };

    return admission_decide(&request, out, fault);
}

/* PARSED signs the transcript of EXCHANGE with the key that it presents: authenticates the
 * initiator, finishes the handshake, and caches the exported key before Message 4 leaves. */
static enum result establish(struct step *step, struct exchange *exchange, struct bytes message3,
    const struct message3 *parsed, const struct presented *presented)
{
    void *exported CLEANUP(auto_secret_free) = secret_alloc(sizeof(struct exported_key));
    struct admission admission;

    step->has_signed = true;
    if (!exported)
        return fault_set(&step->fault, RESULT_NO_MEMORY, "out of secret memory");
    enum result result = admit_initiator(exchange, presented, &admission, &step->fault);
    step->is_certified = admission.certified; /* known of one who is refused too */
    TRY(result);
    TRY(handshake_finish(exchange->handshake, parsed, &exchange->message4, exported, &step->fault));
    TRY(cache_key(step, exchange, &admission.authorised, exported,
        bytes_of(admission.evidence.octets, admission.evidence.size)));
    TRY(step_transition(step, exchange, EXCHANGE_MESSAGE3));
    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_answered(step->table, exchange, step_fingerprint(step, message3));
    log_established(exchange);
    return step_answer(step, exchange, ANSWER_MESSAGE4);
}

/* Ends EXCHANGE unless RESULT, of its Message 3, is RESULT_OK. Returns RESULT. */
static enum result conclude(struct step *step, struct exchange *exchange, enum result result)
{
    histogram_add(HISTOGRAM_MESSAGE3, step->began_ns);
    if (result != RESULT_OK)
        step_end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}

/* Whether PARSED signs the transcript of EXCHANGE, which costs a verification. */
static bool verify(
    struct exchange *exchange, const struct message3 *parsed, const struct presented *presented)
{
    bool is_signed = handshake_is_signed_by(exchange->handshake, parsed, &presented->key);

    metrics_add(METRIC_SIGNATURES_REFUSED, !is_signed);
    return is_signed;
}

/* --- Message 3 for one exchange --- */

/* Reads MESSAGE3 and verifies that it signs the transcript of EXCHANGE. RESULT_BAD_MESSAGE when it
 * is not Message 3 at all. */
static enum result read_message3(struct step *step, struct exchange *exchange,
    struct bytes message3, struct message3 *parsed, struct presented *presented)
{
    TRY(message3_read(message3, parsed, &step->fault));
    TRY(handshake_check_end(exchange->handshake, parsed, &step->fault));
    TRY(presented_read(
        parsed, handshake_certificate_type(exchange->handshake), presented, &step->fault));
    if (!verify(exchange, parsed, presented))
        return fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
            "CertificateVerify does not sign this exchange");
    return RESULT_OK;
}

enum result receive_message3(struct step *step, struct exchange *exchange, struct bytes message3)
{
    struct message3 parsed;
    struct presented presented;

    TRY(step_check_owner(step, exchange));
    if (exchange_table_is_answered_by(step->table, exchange, step_fingerprint(step, message3)))
        return step_answer_again(step, exchange, ANSWER_MESSAGE4);
    enum result result = exchange_transition(exchange->state, EXCHANGE_MESSAGE3, NULL);
    if (result != RESULT_OK)
        return fault_set(&step->fault, result, "%s", result_text(result));

    result = read_message3(step, exchange, message3, &parsed, &presented);
    if (result == RESULT_BAD_MESSAGE)
        return result;
    if (result == RESULT_OK)
        result = establish(step, exchange, message3, &parsed, &presented);
    return conclude(step, exchange, result);
}

/* --- Message 3 for one of an originator's exchanges --- */

/* FAULT changes only when what PARSED presents cannot be read as its negotiated type. */
static bool is_signed(struct exchange *exchange, const struct message3 *parsed,
    struct presented *presented, struct fault *fault)
{
    return exchange->state == EXCHANGE_AWAITING_MESSAGE3 &&
           handshake_check_end(exchange->handshake, parsed, fault) == RESULT_OK &&
           presented_read(parsed, handshake_certificate_type(exchange->handshake), presented,
               fault) == RESULT_OK &&
           verify(exchange, parsed, presented);
}

/* The first of CANDIDATES whose transcript PARSED signs, locked; releases the others. */
static struct exchange *choose_signed(const struct candidates *candidates,
    const struct message3 *parsed, struct presented *presented, struct fault *fault)
{
    struct exchange *chosen = NULL;

    for (size_t i = 0; i < candidates->count; i++) {
        struct exchange *exchange = candidates->exchanges[i];

        if (chosen) {
            exchange_unref(exchange);
            continue;
        }
        exchange_lock(exchange);
        if (is_signed(exchange, parsed, presented, fault))
            chosen = exchange;
        else
            exchange_release(exchange);
    }
    return chosen;
}

/* The exchange, locked, in which the same request was answered; NULL when there is none. */
static struct exchange *find_answered(struct step *step, struct bytes message3)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) =
        exchange_table_find_answered(step->table, step_fingerprint(step, message3));

    if (!exchange || exchange->state != EXCHANGE_ESTABLISHED)
        return NULL;
    step_name_exchange(step, exchange);
    return TAKE_PTR(exchange);
}

/* From can be forged, so the signature decides: only who signed an exchange's transcript can end
 * that exchange. */
enum result receive_message3_by_from(struct step *step, struct bytes message3)
{
    const struct exchange_sender sender = step_sender(step);
    struct candidates candidates;
    struct message3 parsed;
    struct presented presented;

    struct exchange *answered CLEANUP(auto_exchange_release) = find_answered(step, message3);
    if (answered)
        return step_answer_again(step, answered, ANSWER_MESSAGE4);
    TRY(message3_read(message3, &parsed, &step->fault));

    TRY(exchange_table_find_candidates(step->table, &sender, &candidates, &step->fault));
    fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_DECRYPT_ERROR,
        "CertificateVerify signs none of the exchanges that are pending");
    struct exchange *exchange CLEANUP(auto_exchange_release) =
        choose_signed(&candidates, &parsed, &presented, &step->fault);
    if (!exchange) /* another thread may have answered the same request meanwhile */
        answered = find_answered(step, message3);
    if (exchange || answered)
        exchange_table_excuse(step->table, &sender, candidates.count);
    if (exchange) {
        step_name_exchange(step, exchange);
        return conclude(step, exchange, establish(step, exchange, message3, &parsed, &presented));
    }
    if (answered)
        return step_answer_again(step, answered, ANSWER_MESSAGE4);
    if (candidates.count == 0)
        return fault_set(&step->fault, RESULT_NOT_FOUND,
            "no exchange of this originator awaits Message 3 (it may have run out of time)");
    return step->fault.result;
}
