/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

static void exchange_free(struct exchange *exchange)
{
    handshake_free(exchange->handshake);
    buffer_release(&exchange->message2);
    buffer_release(&exchange->message4);
    snapshot_unref(exchange->snapshot);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange->from);
    free(exchange);
}

struct exchange *exchange_new(struct snapshot *snapshot, const char *from)
{
    uint8_t random[(EXCHANGE_NAME_OCTETS - 1) / 2];
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    uint32_t timeout_s = snapshot->policy->limits.exchange_timeout_s;

    if (!exchange)
        return NULL;
    pthread_mutex_init(&exchange->lock, NULL);
    exchange->snapshot = snapshot_ref(snapshot);
    exchange->from = strdup(from);
    if (!exchange->from || secret_random(random, sizeof(random)) != RESULT_OK) {
        exchange_free(exchange);
        return NULL;
    }
    bytes_to_hex(bytes_of(random, sizeof(random)), exchange->name);
    exchange->created_s = clock_wall_s();
    exchange->expires_s = exchange->created_s + timeout_s;
    exchange->deadline_ms = clock_steady_ms() + (int64_t)timeout_s * 1000;
    atomic_init(&exchange->references, 1);
    exchange->message2.limit = exchange->message4.limit = 65536;
    return exchange;
}

struct exchange *exchange_ref(struct exchange *exchange)
{
    atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
    return exchange;
}

void exchange_unref(struct exchange *exchange)
{
    if (atomic_fetch_sub_explicit(&exchange->references, 1, memory_order_acq_rel) == 1)
        exchange_free(exchange);
}

void exchange_lock(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
}

void exchange_release(struct exchange *exchange)
{
    pthread_mutex_unlock(&exchange->lock);
    exchange_unref(exchange);
}
