/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the keys of an arena by id, by peer, by age and by expiry. It has no lock and reads no
 * clock. For each slot of the arena it has a record of the same index. For the room keys alone.
 *
 * The records are one array; around it are
 *   - a hash table by key id;
 *   - a hash table of pairs (peer, local), each with its keys, newest first;
 *   - all keys by age, newest first: the last is the first to be evicted;
 *   - a timing wheel by expiry, with one slot for each second.
 * All of these hold indices, which count from 1; 0 means none. Pages that were never written take
 * no memory, so that a large capacity costs little before it is used. */
#pragma once

#include "base/fault.h"
#include "keys/arena.h"

enum key_chain { BY_AGE, BY_PAIR, BY_EXPIRY, KEY_CHAINS };

struct key_link {
    uint32_t next, previous; /* the chain is circular */
};

struct key_record {
    struct key_pair *pair; /* NULL in a free record */
    struct key_link link[KEY_CHAINS];
    uint32_t next_by_id; /* in a free record: the next free one */
    uint32_t deadline_s; /* when the key expires, by clock_steady_s */
};

/* A peer and an end-point of ours that share keys. Their names are not stored here: each of the
 * keys has them. All pairs of one peer are in one bucket. */
struct key_pair {
    struct key_pair *next;
    uint64_t hash; /* of the peer */
    uint32_t newest;
    uint32_t keys; /* how many they share */
};

struct key_table {
    struct key_arena *arena;
    struct key_record *records;
    uint32_t touched; /* records beyond this index were never used */
    uint32_t free;    /* the first of the chain of records that were used and are free */
    uint32_t newest;

    struct hash_key hash_key; /* random: peers cannot choose ids and names that share a bucket */
    uint32_t buckets;         /* of each of the two hash tables: a power of two */
    uint32_t *by_id;
    struct key_pair **pairs;

    uint32_t *wheel; /* the first key of each slot, which is the first of them to expire */
    int64_t due_s;   /* no key expires before this second */
};

/* Makes a table without keys; the caller inserts those of ARENA one by one. Release it with
 * key_table_close, also after a failure. */
enum result key_table_open(struct key_table *table, struct key_arena *arena, struct fault *fault)
    WARN_UNUSED;
void key_table_close(struct key_table *table);

/* These return the index of a key, or 0 for none. */
uint32_t key_table_find(const struct key_table *table, const uint8_t id[KEY_ID_OCTETS]);
/* The newest key that is live at NOW_S; LOCAL NULL means that of any end-point. */
uint32_t key_table_find_by_peer(
    const struct key_table *table, const char *peer, const char *local, int64_t now_s);
uint32_t key_table_oldest(const struct key_table *table);
uint32_t key_table_oldest_of(const struct key_table *table, const struct key_pair *pair);
/* Any key that has expired by NOW_S. */
uint32_t key_table_due(struct key_table *table, int64_t now_s);
/* Moves *CURSOR to the next older key, or to the newest of all if it is 0, and returns that key. */
uint32_t key_table_next(const struct key_table *table, uint64_t *cursor);
/* The next newer key after the one at AT. */
uint32_t key_table_newer(const struct key_table *table, uint32_t at);
/* The cursor from which key_table_next moves to AT. */
uint64_t key_table_before(const struct key_table *table, uint32_t at);

bool key_table_is_live(const struct key_table *table, uint32_t at, int64_t now_s);

/* To be called before the keys that are already in the arena are inserted: makes those indices up
 * to TOUCHED free whose slots hold no key. */
void key_table_begin(struct key_table *table, uint32_t touched);
/* key_table_take returns a free index, of which there must be one. The caller inserts a key there,
 * or gives the index back with key_table_give. */
uint32_t key_table_take(struct key_table *table);
void key_table_give(struct key_table *table, uint32_t at);
/* key_table_hold counts one more key of the pair PEER and LOCAL, and returns the pair, which it
 * makes if need be; NULL when memory is short. key_table_release counts one key less, and frees a
 * pair that has none left. */
struct key_pair *key_table_hold(struct key_table *table, const char *peer, const char *local)
    WARN_UNUSED;
void key_table_release(struct key_table *table, struct key_pair *pair);
/* Inserts the key in the slot AT as the newest. PAIR comes from key_table_hold; removing the key
 * releases it. */
void key_table_insert(
    struct key_table *table, uint32_t at, struct key_pair *pair, uint32_t deadline_s);
/* To be called before the key is removed from the arena. */
void key_table_remove(struct key_table *table, uint32_t at);
