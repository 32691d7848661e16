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
    free((void *)exchange->labels.data);
    free(exchange);
}

/* Sets how long EXCHANGE lives: exchangeTimeout, or until the et that it was GIVEN if that is
 * sooner (TS-0001 9.6.1.3). */
static void set_times(struct exchange *exchange, const struct given_attributes *given)
{
    uint32_t timeout_s = exchange->snapshot->policy->limits.exchange_timeout_s;
    int64_t now_us = clock_wall_us(), now_ms = clock_steady_ms();

    exchange->created_s = now_us / 1000000;
    exchange->expires_s = exchange->created_s + timeout_s;
    exchange->deadline_ms = now_ms + (int64_t)timeout_s * 1000;
    exchange->until_s = exchange->until_ms = INT64_MAX;
    if (!given || given->et_us == 0)
        return;
    exchange->until_s = given->et_us / 1000000;
    exchange->until_ms = now_ms + (given->et_us - now_us) / 1000;
    if (exchange->until_s < exchange->expires_s)
        exchange->expires_s = exchange->until_s;
    if (exchange->until_ms < exchange->deadline_ms)
        exchange->deadline_ms = exchange->until_ms;
}

static enum result keep_labels(struct exchange *exchange, const struct given_attributes *given)
{
    if (!given || given->labels_octets == 0)
        return RESULT_OK;
    void *copy = malloc(given->labels_octets);
    if (!copy)
        return RESULT_NO_MEMORY;
    exchange->labels =
        bytes_of(memcpy(copy, given->labels, given->labels_octets), given->labels_octets);
    return RESULT_OK;
}

struct exchange *exchange_new(
    struct snapshot *snapshot, const char *from, const struct given_attributes *given)
{
    uint8_t random[(EXCHANGE_NAME_OCTETS - 1) / 2];
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        return NULL;
    pthread_mutex_init(&exchange->lock, NULL);
    exchange->snapshot = snapshot_ref(snapshot);
    exchange->from = strdup(from);
    if (!exchange->from || keep_labels(exchange, given) != RESULT_OK ||
        secret_random(random, sizeof(random)) != RESULT_OK) {
        exchange_free(exchange);
        return NULL;
    }
    bytes_to_hex(bytes_of(random, sizeof(random)), exchange->name);
    set_times(exchange, given);
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
