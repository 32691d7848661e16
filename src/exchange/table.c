/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

#define BUCKETS 65536 /* 8 octets each; so many exchanges have short chains */

/* In the order of their deadlines, except where a reload of the policy changed the time-out. */
struct exchange_queue {
    struct exchange *oldest, *newest;
    uint32_t count;
};

struct exchange_table {
    pthread_mutex_t lock;
    struct hash_key key;
    struct exchange *by_name[BUCKETS];
    struct exchange *by_from[BUCKETS]; /* pending ones; one originator has few */
    struct exchange_request *by_request[BUCKETS];
    struct exchange_queue pending, retained;
    int64_t tokens_us; /* of the token bucket: see take_token */
    int64_t filled_us; /* when it was filled the last time; 0: never */
    bool is_closed;
};

static struct exchange **bucket(struct exchange **buckets, uint64_t hash)
{
    return &buckets[hash % BUCKETS];
}

static uint64_t hash_text(const struct exchange_table *table, const char *text)
{
    return hash_keyed(&table->key, bytes_of_string(text));
}

enum result exchange_table_new(struct exchange_table **out)
{
    struct exchange_table *table = calloc(1, sizeof(*table));

    if (!table)
        return RESULT_NO_MEMORY;
    pthread_mutex_init(&table->lock, NULL);
    enum result result = hash_key_new(&table->key);
    if (result != RESULT_OK) {
        free(table);
        return result;
    }
    *out = table;
    return RESULT_OK;
}

static void queue_add(struct exchange_queue *queue, struct exchange *exchange)
{
    exchange->older = queue->newest;
    exchange->newer = NULL;
    *(queue->newest ? &queue->newest->newer : &queue->oldest) = exchange;
    queue->newest = exchange;
    queue->count++;
}

static void queue_remove(struct exchange_queue *queue, struct exchange *exchange)
{
    *(exchange->older ? &exchange->older->newer : &queue->oldest) = exchange->newer;
    *(exchange->newer ? &exchange->newer->older : &queue->newest) = exchange->older;
    queue->count--;
}

static void link_from(struct exchange_table *table, struct exchange *exchange)
{
    struct exchange **first = bucket(table->by_from, exchange->from_hash);

    exchange->next_by_from = *first;
    *first = exchange;
    exchange->pending = true;
    queue_add(&table->pending, exchange);
}

static void unlink_from(struct exchange_table *table, struct exchange *exchange)
{
    struct exchange **link = bucket(table->by_from, exchange->from_hash);

    while (*link != exchange)
        link = &(*link)->next_by_from;
    *link = exchange->next_by_from;
    exchange->pending = false;
    queue_remove(&table->pending, exchange);
}

static void link_request(
    struct exchange_table *table, struct exchange_request *request, uint64_t fingerprint)
{
    struct exchange_request **first = &table->by_request[fingerprint % BUCKETS];

    request->fingerprint = fingerprint;
    request->next = *first;
    *first = request;
}

static void unlink_request(struct exchange_table *table, struct exchange_request *request)
{
    struct exchange_request **link = &table->by_request[request->fingerprint % BUCKETS];

    if (request->fingerprint == 0)
        return;
    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
}

/* The table's reference is left to the caller. */
static void unlist(struct exchange_table *table, struct exchange *exchange)
{
    struct exchange **link = bucket(table->by_name, hash_text(table, exchange->name));

    while (*link != exchange)
        link = &(*link)->next_by_name;
    *link = exchange->next_by_name;
    if (exchange->pending)
        unlink_from(table, exchange);
    else
        queue_remove(&table->retained, exchange);
    unlink_request(table, &exchange->first);
    unlink_request(table, &exchange->second);
    exchange->listed = false;
}

static void list(struct exchange_table *table, struct exchange *exchange, uint64_t fingerprint)
{
    struct exchange **first = bucket(table->by_name, hash_text(table, exchange->name));

    exchange->next_by_name = *first;
    *first = exchange;
    exchange->listed = true;
    link_from(table, exchange);
    link_request(table, &exchange->first, fingerprint);
}

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

void exchange_unref(struct exchange *exchange)
{
    if (atomic_fetch_sub_explicit(&exchange->references, 1, memory_order_acq_rel) == 1)
        exchange_free(exchange);
}

static struct exchange *ref(struct exchange *exchange)
{
    atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
    return exchange;
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

void exchange_table_free(struct exchange_table *table)
{
    for (struct exchange_queue *queue = &table->pending;; queue = &table->retained) {
        while (queue->oldest) {
            struct exchange *exchange = queue->oldest;

            unlist(table, exchange);
            exchange_unref(exchange);
        }
        if (queue == &table->retained)
            break;
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

uint64_t exchange_table_fingerprint(const struct exchange_table *table, const char *from,
    int operation, const char *request_id, struct bytes message)
{
    const uint64_t parts[] = {hash_text(table, from), (uint64_t)operation,
        hash_text(table, request_id), hash_keyed(&table->key, message)};
    uint64_t fingerprint = hash_keyed(&table->key, bytes_of(parts, sizeof(parts)));

    return fingerprint ? fingerprint : 1;
}

static struct exchange *exchange_new(
    const struct exchange_table *table, struct snapshot *snapshot, const char *from)
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
    exchange->from_hash = hash_text(table, from);
    exchange->first.exchange = exchange->second.exchange = exchange;
    atomic_init(&exchange->references, 1);
    exchange->message2.limit = exchange->message4.limit = 65536;
    return exchange;
}

/* A token bucket of time: each new exchange takes a creates_per_s-th of a second from it, and it
 * holds create_burst of these. */
static bool take_token(struct exchange_table *table, const struct policy_limits *limits)
{
    int64_t now_us = clock_steady_us();
    int64_t price_us = 1000000 / limits->creates_per_s;
    int64_t most_us = price_us * limits->create_burst;

    table->tokens_us += table->filled_us ? now_us - table->filled_us : most_us;
    table->filled_us = now_us;
    if (table->tokens_us > most_us)
        table->tokens_us = most_us;
    if (table->tokens_us < price_us)
        return false;
    table->tokens_us -= price_us;
    return true;
}

static struct exchange *find_request(const struct exchange_table *table, uint64_t fingerprint)
{
    int64_t now_ms = clock_steady_ms();

    for (struct exchange_request *each = table->by_request[fingerprint % BUCKETS]; each;
         each = each->next)
        if (each->fingerprint == fingerprint && each->exchange->deadline_ms > now_ms)
            return each->exchange;
    return NULL;
}

static bool is_pending_of(
    const struct exchange *exchange, const char *from, uint64_t hash, int64_t now_ms)
{
    return exchange->from_hash == hash && exchange->deadline_ms > now_ms &&
           strcmp(exchange->from, from) == 0;
}

static uint32_t count_pending_of(struct exchange_table *table, const char *from, uint64_t hash)
{
    int64_t now_ms = clock_steady_ms();
    uint32_t count = 0;

    for (struct exchange *each = *bucket(table->by_from, hash); each; each = each->next_by_from)
        count += is_pending_of(each, from, hash, now_ms);
    return count;
}

static enum result admit(struct exchange_table *table, const struct policy_limits *limits,
    uint32_t of_originator, unsigned *retry_after_s, struct fault *fault)
{
    *retry_after_s = 1;
    if (table->is_closed)
        return fault_set(fault, RESULT_STOPPING, "stopping: come again in a moment");
    *retry_after_s = limits->exchange_timeout_s;
    if (of_originator >= limits->pending_per_originator)
        return fault_set(
            fault, RESULT_BUSY, "this originator has %u exchanges pending already", of_originator);
    if (table->pending.count >= limits->pending_exchanges)
        return fault_set(
            fault, RESULT_BUSY, "%u exchanges are pending already", table->pending.count);
    *retry_after_s = 1;
    if (!take_token(table, limits))
        return fault_set(
            fault, RESULT_BUSY, "more than %u creates a second", limits->creates_per_s);
    return RESULT_OK;
}

enum result exchange_table_open(struct exchange_table *table, struct snapshot *snapshot,
    const char *from, uint64_t fingerprint, struct exchange **out, bool *created,
    unsigned *retry_after_s, struct fault *fault)
{
    struct exchange *exchange = exchange_new(table, snapshot, from);
    enum result result = RESULT_OK;

    if (!exchange)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    exchange_lock(exchange); /* others that find it wait until Message 2 is written */

    pthread_mutex_lock(&table->lock);
    struct exchange *known = find_request(table, fingerprint);
    if (known)
        ref(known);
    else
        result = admit(table, &snapshot->policy->limits,
            count_pending_of(table, from, exchange->from_hash), retry_after_s, fault);
    *created = !known && result == RESULT_OK;
    if (*created)
        list(table, ref(exchange), fingerprint);
    pthread_mutex_unlock(&table->lock);

    *out = *created ? exchange : known;
    if (!*created)
        exchange_release(exchange);
    if (known)
        exchange_lock(known);
    return result;
}

struct exchange *exchange_table_find(struct exchange_table *table, const char *name)
{
    int64_t now_ms = clock_steady_ms();

    pthread_mutex_lock(&table->lock);
    struct exchange *found = *bucket(table->by_name, hash_text(table, name));
    while (found && strcmp(found->name, name) != 0)
        found = found->next_by_name;
    if (found && found->deadline_ms <= now_ms)
        found = NULL;
    if (found)
        ref(found);
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
        ref(found);
    pthread_mutex_unlock(&table->lock);

    if (found)
        exchange_lock(found);
    return found;
}

size_t exchange_table_pending_of(
    struct exchange_table *table, const char *from, struct exchange **out, size_t most)
{
    uint64_t hash = hash_text(table, from);
    int64_t now_ms = clock_steady_ms();
    size_t count = 0;

    pthread_mutex_lock(&table->lock);
    for (struct exchange *each = *bucket(table->by_from, hash); each && count < most;
         each = each->next_by_from)
        if (is_pending_of(each, from, hash, now_ms))
            out[count++] = ref(each);
    pthread_mutex_unlock(&table->lock);
    return count;
}

void exchange_table_answered(
    struct exchange_table *table, struct exchange *exchange, uint64_t fingerprint)
{
    pthread_mutex_lock(&table->lock);
    if (exchange->listed) {
        unlink_from(table, exchange);
        link_request(table, &exchange->second, fingerprint);
        exchange->deadline_ms = clock_steady_ms() + EXCHANGE_RETENTION_S * 1000;
        queue_add(&table->retained, exchange);
    }
    pthread_mutex_unlock(&table->lock);
}

bool exchange_table_is_answered_by(
    struct exchange_table *table, const struct exchange *exchange, uint64_t fingerprint)
{
    pthread_mutex_lock(&table->lock);
    bool same = exchange->second.fingerprint == fingerprint;
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

static struct exchange *take_overdue(struct exchange_table *table, int64_t now_ms)
{
    struct exchange *overdue = NULL;

    pthread_mutex_lock(&table->lock);
    if (table->pending.oldest && table->pending.oldest->deadline_ms <= now_ms)
        overdue = table->pending.oldest;
    else if (table->retained.oldest && table->retained.oldest->deadline_ms <= now_ms)
        overdue = table->retained.oldest;
    if (overdue)
        unlist(table, overdue);
    pthread_mutex_unlock(&table->lock);
    return overdue; /* with the table's reference */
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
