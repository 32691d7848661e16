/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/key_table.h"

#include <assert.h>
#include <string.h>

static const struct key_slot *slot_of(const struct key_table *table, uint32_t at)
{
    return &table->arena->slot[at];
}

/* --- chains --- */

static struct key_link *link_of(const struct key_table *table, enum key_chain chain, uint32_t at)
{
    return &table->records[at].link[chain];
}

/* Inserts AT before the record BEFORE, which is 0 when the chain is empty. */
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

/* Returns the index after AT in the chain, or 0 at the end. */
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
    while (at && memcmp(slot_of(table, at)->id, id, KEY_ID_OCTETS) != 0)
        at = table->records[at].next_by_id;
    return at;
}

static void index_id(struct key_table *table, uint32_t at)
{
    uint32_t *bucket = id_bucket(table, slot_of(table, at)->id);
    table->records[at].next_by_id = *bucket;
    *bucket = at;
}

static void unindex_id(struct key_table *table, uint32_t at)
{
    uint32_t *link = id_bucket(table, slot_of(table, at)->id);
    while (*link != at)
        link = &table->records[*link].next_by_id;
    *link = table->records[at].next_by_id;
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

/* Returns the first pair of PEER and LOCAL in the bucket, from FROM on; LOCAL NULL means any. */
static struct key_pair *pair_find(const struct key_table *table, struct key_pair *from,
    uint64_t hash, const char *peer, const char *local)
{
    for (struct key_pair *pair = from; pair; pair = pair->next)
        if (pair->hash == hash && key_arena_is_of(table->arena, pair->newest, peer, local))
            return pair;
    return NULL;
}

struct key_pair *key_table_hold(struct key_table *table, const char *peer, const char *local)
{
    uint64_t hash = peer_hash(table, peer);
    struct key_pair **bucket = pair_bucket(table, hash);
    struct key_pair *pair = pair_find(table, *bucket, hash, peer, local);
    if (!pair) {
        pair = malloc(sizeof(*pair));
        if (!pair)
            return NULL;
        *pair = (struct key_pair){.next = *bucket, .hash = hash};
        *bucket = pair;
    }
    pair->keys++;
    return pair;
}

void key_table_release(struct key_table *table, struct key_pair *pair)
{
    if (--pair->keys > 0)
        return;
    struct key_pair **link = pair_bucket(table, pair->hash);
    while (*link != pair)
        link = &(*link)->next;
    *link = pair->next;
    free(pair);
}

/* --- by expiry --- */

#define WHEEL_SLOTS (1U << 17) /* seconds: a day and a half */

static uint32_t *wheel_slot(const struct key_table *table, int64_t second)
{
    return &table->wheel[(uint64_t)second % WHEEL_SLOTS];
}

/* The keys of a slot are in order of their deadlines, so that the first one is due if any is. Keys
 * of one slot that do not expire in the same second are at least one turn of the wheel apart, so
 * that the loop hardly ever makes a step. */
static void wheel_add(struct key_table *table, uint32_t at)
{
    uint32_t deadline_s = table->records[at].deadline_s;
    uint32_t *first = wheel_slot(table, deadline_s);
    if (deadline_s < table->due_s)
        table->due_s = deadline_s;
    if (!*first || deadline_s < table->records[*first].deadline_s) {
        chain_push(table, BY_EXPIRY, first, at);
        return;
    }
    uint32_t before = *first, last = chain_last(table, BY_EXPIRY, *first);
    while (table->records[last].deadline_s > deadline_s) {
        before = last;
        last = link_of(table, BY_EXPIRY, last)->previous;
    }
    chain_insert(table, BY_EXPIRY, at, before);
}

/* One turn of the wheel passes every slot, so that the search need not begin more than one turn
 * before NOW_S. */
uint32_t key_table_due(struct key_table *table, int64_t now_s)
{
    if (now_s > table->due_s && (uint64_t)now_s - (uint64_t)table->due_s >= WHEEL_SLOTS)
        table->due_s = now_s - (WHEEL_SLOTS - 1);
    for (; table->due_s <= now_s; table->due_s++) {
        uint32_t at = *wheel_slot(table, table->due_s);
        if (at && table->records[at].deadline_s <= now_s)
            return at;
        if (table->due_s == now_s)
            break;
    }
    return 0;
}

/* --- inserting and removing --- */

uint32_t key_table_take(struct key_table *table)
{
    uint32_t at = table->free;
    if (!at)
        return ++table->touched;
    table->free = table->records[at].next_by_id;
    return at;
}

void key_table_give(struct key_table *table, uint32_t at)
{
    table->records[at] = (struct key_record){.next_by_id = table->free};
    table->free = at;
}

void key_table_begin(struct key_table *table, uint32_t touched)
{
    table->touched = touched;
    for (uint32_t at = touched; at > 0; at--)
        if (slot_of(table, at)->sequence == 0)
            key_table_give(table, at);
}

void key_table_insert(
    struct key_table *table, uint32_t at, struct key_pair *pair, uint32_t deadline_s)
{
    table->records[at] = (struct key_record){.pair = pair, .deadline_s = deadline_s};
    index_id(table, at);
    chain_push(table, BY_AGE, &table->newest, at);
    chain_push(table, BY_PAIR, &pair->newest, at);
    wheel_add(table, at);
}

void key_table_remove(struct key_table *table, uint32_t at)
{
    struct key_record *record = &table->records[at];
    unindex_id(table, at);
    chain_remove(table, BY_AGE, &table->newest, at);
    chain_remove(table, BY_PAIR, &record->pair->newest, at);
    chain_remove(table, BY_EXPIRY, wheel_slot(table, record->deadline_s), at);
    key_table_release(table, record->pair);
    key_table_give(table, at);
}

/* --- finding --- */

bool key_table_is_live(const struct key_table *table, uint32_t at, int64_t now_s)
{
    return at && table->records[at].deadline_s > now_s;
}

/* Returns the newest live key of PAIR. Newer keys may have expired before it, if their lifetime was
 * shorter. */
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
    struct key_pair *pair = pair_find(table, *pair_bucket(table, hash), hash, peer, local);
    uint32_t best = 0;
    for (; pair; pair = pair_find(table, pair->next, hash, peer, local)) {
        uint32_t at = newest_live(table, pair, now_s);
        if (slot_of(table, at)->sequence > slot_of(table, best)->sequence)
            best = at;
    }
    return best;
}

uint32_t key_table_oldest(const struct key_table *table)
{
    return chain_last(table, BY_AGE, table->newest);
}

uint32_t key_table_newer(const struct key_table *table, uint32_t at)
{
    return at == table->newest ? 0 : link_of(table, BY_AGE, at)->previous;
}

uint32_t key_table_oldest_of(const struct key_table *table, const struct key_pair *pair)
{
    return chain_last(table, BY_PAIR, pair->newest);
}

/* Returns the newest key that is older than SEQUENCE, searching from the oldest key on. A walk
 * needs this when the key at its cursor is gone. It is the only step that takes longer the more
 * keys there are. */
static uint32_t search_older(const struct key_table *table, uint64_t sequence)
{
    uint32_t found = 0, at = key_table_oldest(table);
    while (at && slot_of(table, at)->sequence < sequence && found != table->newest) {
        found = at;
        at = link_of(table, BY_AGE, at)->previous;
    }
    return found;
}

#define INDEX_BITS 25

static_assert(KEY_SEQUENCE_MOST <= UINT64_MAX >> INDEX_BITS, "a cursor holds any sequence");
static_assert(KEY_SLOTS_MOST < 1U << INDEX_BITS, "and any index");

/* A cursor is the sequence and, in the low 25 bits, the index of the last key seen. */
static uint64_t cursor_at(const struct key_table *table, uint32_t at)
{
    return slot_of(table, at)->sequence << INDEX_BITS | at;
}

uint32_t key_table_next(const struct key_table *table, uint64_t *cursor)
{
    uint32_t at = *cursor & ((1U << INDEX_BITS) - 1);
    uint64_t sequence = *cursor >> INDEX_BITS;
    if (*cursor == 0)
        at = table->newest;
    else if (at <= table->touched && slot_of(table, at)->sequence == sequence)
        at = chain_next(table, BY_AGE, table->newest, at);
    else
        at = search_older(table, sequence);
    if (at)
        *cursor = cursor_at(table, at);
    return at;
}

uint64_t key_table_before(const struct key_table *table, uint32_t at)
{
    uint32_t newer = key_table_newer(table, at);
    return newer ? cursor_at(table, newer) : 0;
}

/* --- the whole --- */

static uint32_t power_of_two(uint32_t least)
{
    uint32_t power = 1;
    while (power < least)
        power *= 2;
    return power;
}

enum result key_table_open(struct key_table *table, struct key_arena *arena, struct fault *fault)
{
    uint32_t slots = arena->layout.slots;
    table->arena = arena;
    table->buckets = power_of_two(slots - 1);
    table->records = calloc((size_t)slots + 1, sizeof(*table->records));
    table->by_id = calloc(table->buckets, sizeof(*table->by_id));
    table->pairs = calloc(table->buckets, sizeof(struct key_pair *));
    table->wheel = calloc(WHEEL_SLOTS, sizeof(*table->wheel));
    if (!table->records || !table->by_id || !table->pairs || !table->wheel)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for a cache of %u keys", slots - 1);
    if (hash_key_new(&table->hash_key) != RESULT_OK)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "no random octets");
    return RESULT_OK;
}

static void free_pairs(struct key_pair *pair)
{
    while (pair) {
        struct key_pair *next = pair->next;
        free(pair);
        pair = next;
    }
}

void key_table_close(struct key_table *table)
{
    for (uint32_t i = 0; table->pairs && i < table->buckets; i++)
        free_pairs(table->pairs[i]);
    free(table->records);
    free(table->by_id);
    free(table->pairs);
    free(table->wheel);
    *table = (struct key_table){0};
}
