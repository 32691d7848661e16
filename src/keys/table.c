/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/table.h"

#include <string.h>

/* --- chains --- */

static struct key_link *link_of(const struct key_table *table, enum key_chain chain, uint32_t at)
{
    return &table->records[at].link[chain];
}

/* Before the record BEFORE; 0 when the chain is empty. */
static void chain_insert(
    struct key_table *table, enum key_chain chain, uint32_t at, uint32_t before)
{
    struct key_link *link = link_of(table, chain, at);
    if (!before) {
        *link = (struct key_link){.next = at, .previous = at};
        return;
    }
    struct key_link *next = link_of(table, chain, before);
    *link = (struct key_link){.next = before, .previous = next->previous};
    link_of(table, chain, next->previous)->next = at;
    next->previous = at;
}

static void chain_push(struct key_table *table, enum key_chain chain, uint32_t *first, uint32_t at)
{
    chain_insert(table, chain, at, *first);
    *first = at;
}

static void chain_remove(
    struct key_table *table, enum key_chain chain, uint32_t *first, uint32_t at)
{
    struct key_link *link = link_of(table, chain, at);
    link_of(table, chain, link->previous)->next = link->next;
    link_of(table, chain, link->next)->previous = link->previous;
    if (*first == at)
        *first = link->next == at ? 0 : link->next;
}

static uint32_t chain_last(const struct key_table *table, enum key_chain chain, uint32_t first)
{
    return first ? link_of(table, chain, first)->previous : 0;
}

/* The one after AT, or 0 at the end. */
static uint32_t chain_next(
    const struct key_table *table, enum key_chain chain, uint32_t first, uint32_t at)
{
    uint32_t next = link_of(table, chain, at)->next;
    return next == first ? 0 : next;
}

/* --- by id --- */

static uint32_t *id_bucket(const struct key_table *table, const uint8_t id[KEY_ID_OCTETS])
{
    uint64_t hash = hash_keyed(&table->hash_key, bytes_of(id, KEY_ID_OCTETS));
    return &table->by_id[hash & (table->buckets - 1)];
}

uint32_t key_table_find(const struct key_table *table, const uint8_t id[KEY_ID_OCTETS])
{
    uint32_t at = *id_bucket(table, id);
    while (at && memcmp(table->records[at].id, id, KEY_ID_OCTETS) != 0)
        at = table->records[at].next_by_id;
    return at;
}

static void index_id(struct key_table *table, uint32_t at)
{
    uint32_t *bucket = id_bucket(table, table->records[at].id);
    table->records[at].next_by_id = *bucket;
    *bucket = at;
}

static void unindex_id(struct key_table *table, uint32_t at)
{
    uint32_t *place = id_bucket(table, table->records[at].id);
    while (*place != at)
        place = &table->records[*place].next_by_id;
    *place = table->records[at].next_by_id;
}

/* --- by peer --- */

static uint64_t peer_hash(const struct key_table *table, const char *peer)
{
    return hash_keyed(&table->hash_key, bytes_of_string(peer));
}

static struct key_pair **pair_bucket(const struct key_table *table, uint64_t hash)
{
    return &table->pairs[hash & (table->buckets - 1)];
}

/* The first from FROM on that is PEER's, with LOCAL; NULL for any. */
static struct key_pair *pair_find(
    struct key_pair *from, uint64_t hash, const char *peer, const char *local)
{
    for (struct key_pair *pair = from; pair; pair = pair->next)
        if (pair->hash == hash && strcmp(pair->peer, peer) == 0 &&
            (!local || strcmp(pair->local, local) == 0))
            return pair;
    return NULL;
}

struct key_pair *key_table_hold(struct key_table *table, const char *peer, const char *local)
{
    uint64_t hash = peer_hash(table, peer);
    struct key_pair **bucket = pair_bucket(table, hash);
    struct key_pair *pair = pair_find(*bucket, hash, peer, local);
    if (!pair) {
        size_t peer_size = strlen(peer) + 1, local_size = strlen(local) + 1;
        pair = malloc(sizeof(*pair) + peer_size + local_size);
        if (!pair)
            return NULL;
        *pair = (struct key_pair){.next = *bucket, .hash = hash, .local = pair->peer + peer_size};
        memcpy(pair->peer, peer, peer_size);
        memcpy(pair->peer + peer_size, local, local_size);
        *bucket = pair;
    }
    pair->keys++;
    return pair;
}

static void pair_release(struct key_table *table, struct key_pair *pair)
{
    if (--pair->keys > 0)
        return;
    struct key_pair **place = pair_bucket(table, pair->hash);
    while (*place != pair)
        place = &(*place)->next;
    *place = pair->next;
    free(pair);
}

/* --- by expiry --- */

#define WHEEL_SLOTS (1U << 17) /* seconds: a day and a half */

static uint32_t *wheel_slot(const struct key_table *table, int64_t second)
{
    return &table->wheel[(uint64_t)second % WHEEL_SLOTS];
}

/* A slot is kept in order, so that its first key tells whether any is due. Keys of one slot that
 * do not expire in the same second are a turn of the wheel or more apart: hardly ever a step. */
static void wheel_add(struct key_table *table, uint32_t at)
{
    int64_t expires_s = table->records[at].expires_s;
    uint32_t *first = wheel_slot(table, expires_s);
    if (expires_s < table->due_s)
        table->due_s = expires_s;
    if (!*first || expires_s < table->records[*first].expires_s) {
        chain_push(table, BY_EXPIRY, first, at);
        return;
    }
    uint32_t before = *first, last = chain_last(table, BY_EXPIRY, *first);
    while (table->records[last].expires_s > expires_s) {
        before = last;
        last = link_of(table, BY_EXPIRY, last)->previous;
    }
    chain_insert(table, BY_EXPIRY, at, before);
}

/* One turn of the wheel passes every key. */
uint32_t key_table_due(struct key_table *table, int64_t now_s)
{
    if (now_s > table->due_s && (uint64_t)now_s - (uint64_t)table->due_s >= WHEEL_SLOTS)
        table->due_s = now_s - (WHEEL_SLOTS - 1);
    for (; table->due_s <= now_s; table->due_s++) {
        uint32_t at = *wheel_slot(table, table->due_s);
        if (at && table->records[at].expires_s <= now_s)
            return at;
        if (table->due_s == now_s)
            break;
    }
    return 0;
}

/* --- coming and going --- */

static uint32_t take_free(struct key_table *table)
{
    uint32_t at = table->free;
    if (!at)
        return ++table->touched;
    table->free = table->records[at].next_by_id;
    return at;
}

uint32_t key_table_insert(struct key_table *table, struct key_pair *pair,
    const struct key_info *info, uint8_t *evidence, size_t evidence_size)
{
    uint32_t at = take_free(table);
    struct key_record *record = &table->records[at];
    *record = (struct key_record){.pair = pair,
        .evidence = evidence,
        .evidence_size = (uint16_t)evidence_size,
        .established_s = info->established_s,
        .expires_s = info->expires_s,
        .sequence = ++table->sequence,
        .cipher_suite = info->cipher_suite,
        .role = (uint8_t)info->role,
        .flavour = (uint8_t)info->flavour};
    memcpy(record->id, info->id, KEY_ID_OCTETS);
    index_id(table, at);
    chain_push(table, BY_AGE, &table->newest, at);
    chain_push(table, BY_PAIR, &pair->newest, at);
    wheel_add(table, at);
    return at;
}

void key_table_remove(struct key_table *table, uint32_t at)
{
    struct key_record *record = &table->records[at];
    unindex_id(table, at);
    chain_remove(table, BY_AGE, &table->newest, at);
    chain_remove(table, BY_PAIR, &record->pair->newest, at);
    chain_remove(table, BY_EXPIRY, wheel_slot(table, record->expires_s), at);
    pair_release(table, record->pair);
    free(record->evidence);
    *record = (struct key_record){.next_by_id = table->free};
    table->free = at;
}

/* --- looking --- */

bool key_table_is_live(const struct key_table *table, uint32_t at, int64_t now_s)
{
    return at && table->records[at].expires_s > now_s;
}

void key_table_describe(const struct key_table *table, uint32_t at, struct key_info *info)
{
    const struct key_record *record = &table->records[at];
    memcpy(info->id, record->id, KEY_ID_OCTETS);
    memcpy(info->peer, record->pair->peer, strlen(record->pair->peer) + 1);
    memcpy(info->local, record->pair->local, strlen(record->pair->local) + 1);
    info->role = record->role;
    info->flavour = record->flavour;
    info->cipher_suite = record->cipher_suite;
    info->established_s = record->established_s;
    info->expires_s = record->expires_s;
}

struct bytes key_table_evidence(const struct key_table *table, uint32_t at)
{
    return bytes_of(table->records[at].evidence, table->records[at].evidence_size);
}

/* A pair's first live key is its newest: before it are only some whose lifetime was shorter. */
static uint32_t newest_live(
    const struct key_table *table, const struct key_pair *pair, int64_t now_s)
{
    uint32_t at = pair->newest;
    while (at && !key_table_is_live(table, at, now_s))
        at = chain_next(table, BY_PAIR, pair->newest, at);
    return at;
}

uint32_t key_table_find_by_peer(
    const struct key_table *table, const char *peer, const char *local, int64_t now_s)
{
    uint64_t hash = peer_hash(table, peer);
    struct key_pair *pair = pair_find(*pair_bucket(table, hash), hash, peer, local);
    uint32_t best = 0;
    for (; pair; pair = pair_find(pair->next, hash, peer, local)) {
        uint32_t at = newest_live(table, pair, now_s);
        if (table->records[at].sequence > table->records[best].sequence)
            best = at;
    }
    return best;
}

uint32_t key_table_oldest(const struct key_table *table)
{
    return chain_last(table, BY_AGE, table->newest);
}

uint32_t key_table_oldest_of(const struct key_table *table, const struct key_pair *pair)
{
    return chain_last(table, BY_PAIR, pair->newest);
}

/* The newest key older than SEQUENCE, searched for from the oldest on: a walk needs it when the
 * key that it stood at is gone. The one step that takes longer the more keys there are. */
static uint32_t search_older(const struct key_table *table, uint64_t sequence)
{
    uint32_t found = 0, at = key_table_oldest(table);
    while (at && table->records[at].sequence < sequence && found != table->newest) {
        found = at;
        at = link_of(table, BY_AGE, at)->previous;
    }
    return found;
}

/* A cursor is the sequence and, in the low 24 bits, the index of the last key seen. */
static uint64_t cursor_at(const struct key_table *table, uint32_t at)
{
    return table->records[at].sequence << 24 | at;
}

uint32_t key_table_next(const struct key_table *table, uint64_t *cursor)
{
    uint32_t at = *cursor & KEY_TABLE_CAPACITY_MOST;
    uint64_t sequence = *cursor >> 24;
    if (*cursor == 0)
        at = table->newest;
    else if (at <= table->capacity && table->records[at].sequence == sequence)
        at = chain_next(table, BY_AGE, table->newest, at);
    else
        at = search_older(table, sequence);
    if (at)
        *cursor = cursor_at(table, at);
    return at;
}

uint64_t key_table_before(const struct key_table *table, uint32_t at)
{
    return at == table->newest ? 0 : cursor_at(table, link_of(table, BY_AGE, at)->previous);
}

/* --- the whole --- */

static uint32_t power_of_two(uint32_t least)
{
    uint32_t power = 1;
    while (power < least)
        power *= 2;
    return power;
}

enum result key_table_open(struct key_table *table, uint32_t capacity, struct fault *fault)
{
    if (capacity == 0 || capacity > KEY_TABLE_CAPACITY_MOST)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "the key cache can hold from 1 to %u keys, not %u", KEY_TABLE_CAPACITY_MOST, capacity);
    table->capacity = capacity;
    table->buckets = power_of_two(capacity);
    table->records = calloc((size_t)capacity + 1, sizeof(*table->records));
    table->by_id = calloc(table->buckets, sizeof(*table->by_id));
    table->pairs = calloc(table->buckets, sizeof(struct key_pair *));
    table->wheel = calloc(WHEEL_SLOTS, sizeof(*table->wheel));
    if (!table->records || !table->by_id || !table->pairs || !table->wheel)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for a cache of %u keys", capacity);
    enum result result = hash_key_new(&table->hash_key);
    if (result != RESULT_OK)
        return fault_set(fault, result, "no random octets");
    return RESULT_OK;
}

void key_table_close(struct key_table *table)
{
    while (table->newest)
        key_table_remove(table, table->newest);
    free(table->records);
    free(table->by_id);
    free(table->pairs);
    free(table->wheel);
    *table = (struct key_table){0};
}
