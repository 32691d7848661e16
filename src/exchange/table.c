/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "exchange/budget.h"
#include "exchange/creates.h"
#include "exchange/peers.h"

/* Steps along a chain in which many others may have one originator. */
#define WALK_MAX (2 * CANDIDATES_OWN)

struct exchange_table {
    pthread_mutex_t lock;
    struct hash_key key;
    struct chains by_name;
    struct chains by_from; /* pending ones */
    /* Those that are counted together: pending ones of one originator and transport peer, retained
     * ones of one originator. */
    struct chains by_share;
    struct chains by_request;
    /* In the order of their deadlines, except where a Create asked for a shorter life, or a reload
     * of the policy changed the time-out. Who is out of time before its turn to be swept is found
     * no more. */
    struct queue pending, retained;
    struct peers peers; /* those pending, by transport peer */
    uint64_t opened;
    struct creates creates;
    struct creates rand_requests; /* which take no turns from exchanges */
    struct budget budget;         /* of verifications, by originator and transport peer */
    bool is_closed;
};

static uint64_t hash_text(const struct exchange_table *table, const char *text)
{
    return hash_keyed(&table->key, bytes_of_string(text));
}

/* By which an originator, a transport peer, and the two together are known. */
struct sender_hashes {
    uint64_t from, peer, both;
};

static struct sender_hashes hash_sender(
    const struct exchange_table *table, const struct exchange_sender *sender)
{
    const uint64_t parts[] = {
        hash_text(table, sender->from), hash_keyed(&table->key, sender->peer)};

    return (struct sender_hashes){.from = parts[0],
        .peer = parts[1],
        .both = hash_keyed(&table->key, bytes_of(parts, sizeof(parts)))};
}

enum result exchange_table_new(struct exchange_table **out)
{
    struct exchange_table *table = calloc(1, sizeof(*table));

    if (!table)
        return RESULT_NO_MEMORY;
    pthread_mutex_init(&table->lock, NULL);
    enum result result = hash_key_new(&table->key);
    if (result == RESULT_OK)
        result = peers_init(&table->peers);
    if (result != RESULT_OK) {
        free(table);
        return result;
    }
    *out = table;
    return RESULT_OK;
}

/* EXCHANGE awaits Message 3 no more. */
static void unlist_pending(struct exchange_table *table, struct exchange *exchange)
{
    queue_remove(&table->pending, &exchange->by_age);
    chains_remove(&exchange->by_from);
    chains_remove(&exchange->by_share);
    peers_remove(&table->peers, exchange);
    exchange->pending = false;
}

/* The table's reference is left to the caller. */
static void unlist(struct exchange_table *table, struct exchange *exchange)
{
    if (exchange->pending)
        unlist_pending(table, exchange);
    else
        queue_remove(&table->retained, &exchange->by_age);
    chains_remove(&exchange->by_share);
    chains_remove(&exchange->by_name);
    chains_remove(&exchange->by_request);
    chains_remove(&exchange->by_answer);
    exchange->listed = false;
}

static enum result list(struct exchange_table *table, struct exchange *exchange,
    const struct sender_hashes *sender, uint64_t fingerprint)
{
    TRY(peers_add(&table->peers, exchange, sender->peer));
    exchange->listed = exchange->pending = true;
    exchange->number = table->opened++;
    queue_add(&table->pending, &exchange->by_age, exchange);
    chains_add(&table->by_name, &exchange->by_name, hash_text(table, exchange->name), exchange);
    chains_add(&table->by_from, &exchange->by_from, sender->from, exchange);
    chains_add(&table->by_share, &exchange->by_share, sender->both, exchange);
    chains_add(&table->by_request, &exchange->by_request, fingerprint, exchange);
    return RESULT_OK;
}

static void empty(struct exchange_table *table, const struct queue *queue)
{
    struct exchange *exchange;

    while ((exchange = queue_oldest(queue))) {
        unlist(table, exchange);
        exchange_unref(exchange);
    }
}

void exchange_table_free(struct exchange_table *table)
{
    empty(table, &table->pending);
    empty(table, &table->retained);
    peers_release(&table->peers);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

uint64_t exchange_table_fingerprint(const struct exchange_table *table, const char *from,
    int operation, const char *request_id, struct bytes message)
{
    const uint64_t parts[] = {hash_text(table, from), (uint64_t)operation,
        hash_text(table, request_id), hash_keyed(&table->key, message)};
    return hash_keyed(&table->key, bytes_of(parts, sizeof(parts)));
}

static struct exchange *find_request(const struct exchange_table *table, uint64_t fingerprint)
{
    const struct chain_link *link = chains_find(&table->by_request, fingerprint);
    struct exchange *exchange = link ? link->owner : NULL;

    return exchange && exchange->deadline_ms > clock_steady_ms() ? exchange : NULL;
}

/* --- making room --- */

/* The oldest of those that share HASH, when there are more than MOST; else NULL. */
static struct exchange *find_oldest_beyond(
    struct exchange_table *table, uint64_t hash, uint32_t most)
{
    struct exchange *oldest = NULL;
    uint32_t count = 0;

    for (const struct chain_link *each = chains_find(&table->by_share, hash); each;
         each = chains_older(each), count++)
        oldest = each->owner;
    return count > most ? oldest : NULL;
}

/* After a newcomer was listed, whose SENDER and LIMITS are given. */
static void make_room(struct exchange_table *table, const struct sender_hashes *sender,
    const struct policy_limits *limits, struct displaced *displaced)
{
    struct exchange *exchange =
        find_oldest_beyond(table, sender->both, limits->pending_per_originator);
    const char *limit = "pendingPerOriginator";

    if (!exchange) {
        exchange =
            peers_find_displaced(&table->peers, limits->pending_exchanges, clock_steady_us());
        limit = "pendingExchanges";
    }
    if (!exchange)
        return;
    unlist(table, exchange);
    *displaced = (struct displaced){.exchange = exchange, .limit = limit};
}

/* --- opening --- */

static enum result check_open(const struct exchange_table *table, struct fault *fault)
{
    return table->is_closed ? fault_set(fault, RESULT_STOPPING, "stopping: come again in a moment")
                            : RESULT_OK;
}

static enum result admit(const struct exchange_table *table, struct creates *creates, uint64_t peer,
    const struct policy_limits *limits, struct fault *fault)
{
    TRY(check_open(table, fault));
    if (!creates_take(creates, limits, peer, clock_steady_us()))
        return fault_set(
            fault, RESULT_BUSY, "more than %u creates a second", limits->creates_per_s);
    return RESULT_OK;
}

enum result exchange_table_open(struct exchange_table *table, struct snapshot *snapshot,
    const struct exchange_sender *sender, const struct given_attributes *given,
    uint64_t fingerprint, struct exchange **out, bool *created, struct displaced *displaced,
    struct fault *fault)
{
    const struct policy_limits *limits = &snapshot->policy->limits;
    const struct sender_hashes hashes = hash_sender(table, sender);
    struct exchange *exchange = exchange_new(snapshot, sender->from, given);
    enum result result = RESULT_OK;

    if (!exchange)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    exchange_lock(exchange); /* others that find it wait until Message 2 is written */

    pthread_mutex_lock(&table->lock);
    struct exchange *known = find_request(table, fingerprint);
    if (known)
        exchange_ref(known);
    else
        result = admit(table, &table->creates, hashes.peer, limits, fault);
    if (!known && result == RESULT_OK && list(table, exchange, &hashes, fingerprint) != RESULT_OK)
        result = fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    *created = !known && result == RESULT_OK;
    if (*created) {
        exchange_ref(exchange);
        make_room(table, &hashes, limits, displaced);
    }
    pthread_mutex_unlock(&table->lock);

    *out = *created ? exchange : known;
    if (!*created)
        exchange_release(exchange);
    if (known)
        exchange_lock(known);
    return result;
}

enum result exchange_table_admit_rand_request(struct exchange_table *table,
    const struct policy_limits *limits, const struct exchange_sender *sender, struct fault *fault)
{
    uint64_t peer = hash_keyed(&table->key, sender->peer);

    pthread_mutex_lock(&table->lock);
    enum result result = admit(table, &table->rand_requests, peer, limits, fault);
    pthread_mutex_unlock(&table->lock);
    return result;
}

/* --- finding --- */

struct exchange *exchange_table_find(struct exchange_table *table, const char *name)
{
    int64_t now_ms = clock_steady_ms();

    pthread_mutex_lock(&table->lock);
    const struct chain_link *link = chains_find(&table->by_name, hash_text(table, name));
    struct exchange *found = link ? link->owner : NULL;
    if (found && (found->deadline_ms <= now_ms || strcmp(found->name, name) != 0))
        found = NULL;
    if (found)
        exchange_ref(found);
    pthread_mutex_unlock(&table->lock);

    if (found)
        exchange_lock(found);
    return found;
}

struct exchange *exchange_table_find_answered(struct exchange_table *table, uint64_t fingerprint)
{
    pthread_mutex_lock(&table->lock);
    struct exchange *found = find_request(table, fingerprint);
    if (found)
        exchange_ref(found);
    pthread_mutex_unlock(&table->lock);

    if (found)
        exchange_lock(found);
    return found;
}

static void add_candidate(struct candidates *candidates, struct exchange *exchange, int64_t now_ms)
{
    if (exchange->deadline_ms > now_ms)
        candidates->exchanges[candidates->count++] = exchange_ref(exchange);
}

static void collect(
    const struct exchange_table *table, const struct sender_hashes *sender, struct candidates *out)
{
    int64_t now_ms = clock_steady_ms();
    const struct chain_link *each = chains_find(&table->by_share, sender->both);

    for (; each && out->count < CANDIDATES_OWN; each = chains_older(each))
        add_candidate(out, each->owner, now_ms);

    size_t most = out->count + CANDIDATES_OTHERS, steps = WALK_MAX;
    for (each = chains_near(&table->by_from, sender->from); each && steps > 0 && out->count < most;
         each = each->next, steps--) {
        struct exchange *exchange = each->owner;
        if (each->hash == sender->from && exchange->by_share.hash != sender->both)
            add_candidate(out, exchange, now_ms);
    }
}

enum result exchange_table_find_candidates(struct exchange_table *table,
    const struct exchange_sender *sender, struct candidates *out, struct fault *fault)
{
    const struct sender_hashes hashes = hash_sender(table, sender);

    out->count = 0;
    pthread_mutex_lock(&table->lock);
    collect(table, &hashes, out);
    bool may = out->count == 0 ||
               budget_spend(&table->budget, hashes.both, (uint32_t)out->count, clock_steady_us());
    pthread_mutex_unlock(&table->lock);
    if (may)
        return RESULT_OK;
    while (out->count > 0)
        exchange_unref(out->exchanges[--out->count]);
    return fault_set(
        fault, RESULT_BUSY, "too many messages of this originator that sign none of its exchanges");
}

void exchange_table_excuse(
    struct exchange_table *table, const struct exchange_sender *sender, size_t count)
{
    pthread_mutex_lock(&table->lock);
    budget_give_back(&table->budget, hash_sender(table, sender).both, (uint32_t)count);
    pthread_mutex_unlock(&table->lock);
}

/* Lists EXCHANGE among those retained. Returns the one that makes room for it, with the table's
 * reference, or NULL. */
static struct exchange *retain(
    struct exchange_table *table, struct exchange *exchange, uint64_t fingerprint)
{
    const struct policy_limits *limits = &exchange->snapshot->policy->limits;
    uint64_t from = exchange->by_from.hash; /* proved by now: it stands for itself */

    unlist_pending(table, exchange);
    exchange->deadline_ms = clock_steady_ms() + EXCHANGE_RETENTION_S * 1000;
    if (exchange->deadline_ms > exchange->until_ms)
        exchange->deadline_ms = exchange->until_ms;
    queue_add(&table->retained, &exchange->by_age, exchange);
    chains_add(&table->by_share, &exchange->by_share, from, exchange);
    chains_add(&table->by_request, &exchange->by_answer, fingerprint, exchange);

    struct exchange *oldest = find_oldest_beyond(table, from, limits->pending_per_originator);
    if (!oldest && table->retained.count > limits->pending_exchanges)
        oldest = queue_oldest(&table->retained);
    if (oldest)
        unlist(table, oldest);
    return oldest;
}

void exchange_table_answered(
    struct exchange_table *table, struct exchange *exchange, uint64_t fingerprint)
{
    struct exchange *oldest = NULL;

    pthread_mutex_lock(&table->lock);
    if (exchange->listed) {
        peers_established(&table->peers, exchange, clock_steady_us());
        oldest = retain(table, exchange, fingerprint);
    }
    pthread_mutex_unlock(&table->lock);
    if (oldest)
        exchange_unref(oldest);
}

bool exchange_table_is_answered_by(
    struct exchange_table *table, const struct exchange *exchange, uint64_t fingerprint)
{
    pthread_mutex_lock(&table->lock);
    bool same = exchange->by_answer.at && exchange->by_answer.hash == fingerprint;
    pthread_mutex_unlock(&table->lock);
    return same;
}

void exchange_table_remove(struct exchange_table *table, struct exchange *exchange)
{
    pthread_mutex_lock(&table->lock);
    bool was_listed = exchange->listed;
    if (was_listed)
        unlist(table, exchange);
    pthread_mutex_unlock(&table->lock);
    if (was_listed)
        exchange_unref(exchange); /* the table's reference: the caller holds one of its own */
}

void exchange_table_close(struct exchange_table *table)
{
    pthread_mutex_lock(&table->lock);
    table->is_closed = true;
    pthread_mutex_unlock(&table->lock);
}

enum result exchange_table_check_open(struct exchange_table *table, struct fault *fault)
{
    pthread_mutex_lock(&table->lock);
    enum result result = check_open(table, fault);
    pthread_mutex_unlock(&table->lock);
    return result;
}

/* The oldest of QUEUE, when it has run out of time. */
static struct exchange *find_overdue(const struct queue *queue, int64_t now_ms)
{
    struct exchange *oldest = queue_oldest(queue);

    return oldest && oldest->deadline_ms <= now_ms ? oldest : NULL;
}

/* With the table's reference. */
static struct exchange *take_overdue(struct exchange_table *table, int64_t now_ms)
{
    pthread_mutex_lock(&table->lock);
    struct exchange *overdue = find_overdue(&table->pending, now_ms);
    if (!overdue)
        overdue = find_overdue(&table->retained, now_ms);
    if (overdue)
        unlist(table, overdue);
    pthread_mutex_unlock(&table->lock);
    return overdue;
}

unsigned exchange_table_sweep(struct exchange_table *table, unsigned most, unsigned *awaited)
{
    int64_t now_ms = clock_steady_ms();
    unsigned ended = 0;
    struct exchange *overdue;

    *awaited = 0;
    for (; ended < most && (overdue = take_overdue(table, now_ms)); ended++) {
        exchange_lock(overdue);
        *awaited += overdue->state == EXCHANGE_AWAITING_MESSAGE3;
        if (exchange_transition(overdue->state, EXCHANGE_TIMEOUT, &overdue->state) == RESULT_OK)
            handshake_free(TAKE_PTR(overdue->handshake));
        exchange_release(overdue);
    }
    return ended;
}

void exchange_table_count(struct exchange_table *table, uint32_t *pending, uint32_t *retained)
{
    pthread_mutex_lock(&table->lock);
    *pending = table->pending.count;
    *retained = table->retained.count;
    pthread_mutex_unlock(&table->lock);
}
