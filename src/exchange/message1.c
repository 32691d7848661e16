/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/message1.h"

#include <string.h>

#include "observe/histogram.h"
#include "observe/metrics.h"
#include "policy/match.h"
#include "tls/context.h"

/* Which end-point is meant: the one that SNI names (TS-0003 10.2.1), or the one that a Notify is
 * addressed to; if there are both, they have to be the same. NULL, with a fault, when there is
 * none. */
static struct tls_endpoint *choose_endpoint(struct step *step, const struct hello *hello)
{
    const struct snapshot *snapshot = step->snapshot;
    const struct policy_endpoint *addressed = step->target.endpoint;
    struct tls_endpoint *named = tls_context_by_server_name(snapshot->tls, hello->server_name);
    struct tls_endpoint *chosen = addressed ? tls_context_by_number(snapshot->tls,
                                                  (size_t)(addressed - snapshot->policy->endpoints))
                                            : named;

    if (chosen && (hello->server_name[0] == '\0' || named == chosen))
        return chosen;
    fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_UNRECOGNIZED_NAME,
        named ? "SNI \"%s\" names another end-point than the address does"
              : "SNI \"%s\" names no end-point here",
        hello->server_name);
    return NULL;
}

/* Makes Message 2 of a new exchange, which then awaits Message 3. */
static enum result make_message2(
    struct step *step, struct exchange *exchange, const struct message1 *message1)
{
    TRY(handshake_start(exchange->endpoint, &step->snapshot->policy->tls, message1,
        &exchange->handshake, &exchange->message2, &step->fault));
    TRY(step_answer(step, exchange, ANSWER_MESSAGE2));
    TRY(step_transition(step, exchange, EXCHANGE_MESSAGE1));
    metrics_add(METRIC_EXCHANGES_STARTED, 1);
    return RESULT_OK;
}

enum result receive_message1(
    struct step *step, const struct given_attributes *given, struct bytes message1)
{
    const struct exchange_sender sender = step_sender(step);
    struct displaced displaced CLEANUP(displaced_end) = {0}; /* once EXCHANGE is released */
    struct exchange *exchange CLEANUP(auto_exchange_release) = NULL;
    struct message1 parsed;
    bool created;

    /* Nobody becomes this originator, so that neither room nor computing is spent on it. */
    TRY(policy_check_from(step->snapshot->policy, step->from, &step->fault));
    TRY(message1_read(message1, &parsed, &step->fault));
    struct tls_endpoint *endpoint = choose_endpoint(step, &parsed.hello);
    if (!endpoint)
        return step->fault.result;
    /* Without it the exported key is not bound to this handshake (RFC 7627 1). */
    if (step->snapshot->policy->tls.require_extended_master_secret &&
        !parsed.hello.extended_master_secret)
        return fault_set_alert(&step->fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the initiator does not offer the extended master secret");
    TRY(exchange_table_open(step->table, step->snapshot, &sender, given,
        step_fingerprint(step, message1), &exchange, &created, &displaced, &step->fault));

    if (created)
        exchange->endpoint = endpoint;
    step_name_exchange(step, exchange);
    if (!created && exchange->state == EXCHANGE_FAILED)
        return fault_set(&step->fault, RESULT_TLS_REFUSED, "this request was refused already");
    if (!created)
        return step_answer_again(step, exchange, ANSWER_MESSAGE2);

    enum result result = make_message2(step, exchange, &parsed);
    histogram_add(HISTOGRAM_MESSAGE1, step->began_ns);
    if (result != RESULT_OK)
        step_end_exchange(step, exchange, EXCHANGE_REFUSAL);
    return result;
}
