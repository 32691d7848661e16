/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/step.h"

#include <stdio.h>
#include <string.h>

#include "observe/metrics.h"

struct exchange_sender step_sender(const struct step *step)
{
    return (struct exchange_sender){.from = step->from, .peer = step->request->peer};
}

void step_name_exchange(struct step *step, const struct exchange *exchange)
{
    memcpy(step->exchange_name, exchange->name, sizeof(step->exchange_name));
    snprintf(step->local, sizeof(step->local), "%s", tls_endpoint_identity(exchange->endpoint));
}

enum result step_refuse_address(struct step *step, enum result result, const char *what)
{
    const struct policy_cse *cse = &step->snapshot->policy->cse;

    return fault_set(&step->fault, result, "%s (the entry point is /~%s/%s/%s): \"%s\"", what,
        cse->cse_id, cse->cse_base, cse->resource_name, step->request->to);
}

struct exchange *step_find_exchange(struct step *step)
{
    struct exchange *exchange = exchange_table_find(step->table, step->target.name);

    if (exchange)
        step_name_exchange(step, exchange);
    else
        (void)step_refuse_address(
            step, RESULT_NOT_FOUND, "no such exchange, which may have run out of time");
    return exchange;
}

enum result step_check_owner(struct step *step, const struct exchange *exchange)
{
    return strcmp(exchange->from, step->from) == 0 ? RESULT_OK
                                                   : fault_set(&step->fault, RESULT_NOT_AUTHORISED,
                                                         "this exchange is another originator's");
}

enum result step_transition(struct step *step, struct exchange *exchange, enum exchange_event event)
{
    enum result result = exchange_transition(exchange->state, event, &exchange->state);

    return result == RESULT_OK ? result
                               : fault_set(&step->fault, result, "%s", result_text(result));
}

void step_end_exchange(struct step *step, struct exchange *exchange, enum exchange_event event)
{
    if (exchange_transition(exchange->state, event, &exchange->state) != RESULT_OK)
        return;
    if (event == EXCHANGE_REFUSAL)
        metrics_add(METRIC_EXCHANGES_REFUSED, 1);
    handshake_free(TAKE_PTR(exchange->handshake));
    exchange_table_remove(step->table, exchange);
}

uint64_t step_fingerprint(const struct step *step, struct bytes message)
{
    return exchange_table_fingerprint(
        step->table, step->from, (int)step->request->operation, step->request->request_id, message);
}

enum result step_answer(struct step *step, const struct exchange *exchange, enum answer answer)
{
    return answer_exchange(exchange, answer, step->request->operation, step->with_address,
        step->response, &step->fault);
}

enum result step_answer_again(
    struct step *step, const struct exchange *exchange, enum answer answer)
{
    metrics_add(METRIC_RETRANSMISSIONS, 1);
    return step_answer(step, exchange, answer);
}
