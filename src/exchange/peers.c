/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/peers.h"

#include <stdlib.h>

#define DRAWN           16
#define CREDIT_SHARE    16 /* of the bound: so many established exchanges count */
#define CREDIT_FADES_US INT64_C(3600000000)

/* A transport peer that has exchanges pending. */
struct share_of_peer {
    struct chain_link by_hash;
    struct queue pending;
};

enum result peers_init(struct peers *peers)
{
    return hash_key_new(&peers->key);
}

void peers_release(struct peers *peers)
{
    free(peers->pending);
}

/* --- the records --- */

static enum result reserve(struct peers *peers)
{
    uint32_t capacity = peers->capacity ? 2 * peers->capacity : 64;

    if (peers->count < peers->capacity)
        return RESULT_OK;
    struct exchange **grown = reallocarray(peers->pending, capacity, sizeof(*grown));
    if (!grown)
        return RESULT_NO_MEMORY;
    peers->pending = grown;
    peers->capacity = capacity;
    return RESULT_OK;
}

static struct share_of_peer *find_or_make(struct peers *peers, uint64_t hash)
{
    const struct chain_link *link = chains_find(&peers->records, hash);
    struct share_of_peer *peer = link ? link->owner : calloc(1, sizeof(*peer));

    if (peer && !link)
        chains_add(&peers->records, &peer->by_hash, hash, peer);
    return peer;
}

enum result peers_add(struct peers *peers, struct exchange *exchange, uint64_t hash)
{
    TRY(reserve(peers));
    struct share_of_peer *peer = find_or_make(peers, hash);
    if (!peer)
        return RESULT_NO_MEMORY;
    queue_add(&peer->pending, &exchange->by_peer, exchange);
    exchange->peer = peer;
    exchange->place = peers->count;
    peers->pending[peers->count++] = exchange;
    return RESULT_OK;
}

void peers_remove(struct peers *peers, struct exchange *exchange)
{
    struct share_of_peer *peer = exchange->peer;
    struct exchange *last = peers->pending[--peers->count];

    peers->pending[exchange->place] = last;
    last->place = exchange->place;
    queue_remove(&peer->pending, &exchange->by_peer);
    exchange->peer = NULL;
    if (peer->pending.count > 0)
        return;
    chains_remove(&peer->by_hash);
    free(peer);
}

/* --- who makes room --- */

/* What ENTRY counts by now: it fades within an hour. */
static double faded(const struct recent_entry *entry, int64_t now_us)
{
    int64_t age_us = entry ? now_us - entry->changed_us : CREDIT_FADES_US;

    return age_us < CREDIT_FADES_US
               ? entry->number * (double)(CREDIT_FADES_US - age_us) / (double)CREDIT_FADES_US
               : 0;
}

void peers_established(struct peers *peers, const struct exchange *exchange, int64_t now_us)
{
    struct recent_entry *entry = recent_take(&peers->established, exchange->peer->by_hash.hash);
    double limit = (double)exchange->snapshot->policy->limits.pending_exchanges / CREDIT_SHARE;
    double number = faded(entry, now_us) + 1;

    entry->number = number < limit ? number : limit;
    entry->changed_us = now_us;
}

static uint64_t draw(struct peers *peers)
{
    peers->drawn++;
    return hash_keyed(&peers->key, bytes_of(&peers->drawn, sizeof(peers->drawn)));
}

/* Whether the next one after OTHERS displaces one of them: with a probability of 0 up to half of
 * MOST, and 1 from MOST on. */
static bool is_displacing(struct peers *peers, uint32_t others, uint32_t most)
{
    uint32_t half = most / 2;

    return others > half && draw(peers) % (most - half) < others - half;
}

static double weight(struct peers *peers, const struct share_of_peer *peer, int64_t now_us)
{
    return peer->pending.count /
           (1 + faded(recent_find(&peers->established, peer->by_hash.hash), now_us));
}

struct exchange *peers_find_displaced(struct peers *peers, uint32_t most, int64_t now_us)
{
    uint32_t others = peers->count - 1; /* the one that was added last stands behind them */
    struct exchange *found = NULL;
    double heaviest = 0;

    if (others == 0 || !is_displacing(peers, others, most))
        return NULL;
    for (int i = 0; i < DRAWN; i++) {
        const struct share_of_peer *peer = peers->pending[draw(peers) % others]->peer;
        struct exchange *oldest = queue_oldest(&peer->pending);
        double own = weight(peers, peer, now_us);

        if (found && (own < heaviest || (own == heaviest && oldest->number >= found->number)))
            continue;
        found = oldest;
        heaviest = own;
    }
    return found;
}
