/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/displaced.h"

#include "observe/log.h"
#include "observe/metrics.h"

#define LOG_SHARE 1 /* of the entries about limits: these suppress none of the others */

static void end_one(struct exchange *exchange, const char *limit)
{
    const struct log_event event = {
        .level = LOG_NOTICE,
        .message_id = LOG_EVENT_LIMIT,
        .peer = exchange->from,
        .local = exchange->endpoint ? tls_endpoint_identity(exchange->endpoint) : NULL,
        .exchange = exchange->name,
        .share = LOG_SHARE,
    };

    if (exchange_transition(exchange->state, EXCHANGE_DISPLACEMENT, &exchange->state) != RESULT_OK)
        return;
    handshake_free(TAKE_PTR(exchange->handshake));
    metrics_add(METRIC_EXCHANGES_DISPLACED, 1);
    log_event(&event, "an exchange of %s made room for a newer one: limits.%s is reached",
        exchange->from, limit);
}

void displaced_end(struct displaced *displaced)
{
    struct exchange *exchange = TAKE_PTR(displaced->exchange);

    if (!exchange)
        return;
    exchange_lock(exchange);
    end_one(exchange, displaced->limit);
    exchange_release(exchange);
}
