/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways to find a key. It knows no lock and no clock, and nothing of a key but its places and
 * when it expires: all else lies in the arena, in the slot of the same index. For keys/cache.c
 * alone.
 *
 * The records are one array; around it are
 *   - a hash table by key id;
 *   - a hash table of pairs (peer, local), each with its keys, newest first;
 *   - all keys by age, newest first: the last is the first to be evicted;
 *   - a wheel by expiry, of a slot a second.
 * All hold indices, from 1 to capacity; 0 is none. Pages that were never touched cost no memory, so
 * that a large capacity costs little before it is used. */
#pragma once

#include "base/fault.h"
#include "keys/arena.h"

enum key_chain { BY_AGE, BY_PAIR, BY_EXPIRY, KEY_CHAINS };

struct key_link {
    uint32_t next, previous; /* circular */
};

struct key_record {
    struct key_pair *pair; /* NULL in a free record */
    struct key_link link[KEY_CHAINS];
    uint32_t next_by_id; /* in a free record: the next free one */
    uint32_t deadline_s; /* when the key expires, by clock_steady_s */
};

/* A peer and an end-point of ours that share keys, named by any of these. All of a peer's pairs lie
 * in one bucket. */
struct key_pair {
    struct key_pair *next;
    uint64_t hash; /* of the peer */
    uint32_t newest;
    uint32_t keys;
};

struct key_table {
    struct key_arena *arena;
    struct key_record *records;
    uint32_t touched; /* records beyond were never used */
    uint32_t free;    /* chain of those that were */
    uint32_t newest;

    struct hash_key hash_key; /* peers may choose ids and names that would fall together */
    uint32_t buckets;         /* a power of two: of each of the two tables */
    uint32_t *by_id;
    struct key_pair **pairs;

    uint32_t *wheel; /* a slot's first key expires first */
    int64_t due_s;   /* no key expires before it */
};

/* For ARENA, whose keys are inserted one by one. On failure too, to be closed. */
enum result key_table_open(struct key_table *table, struct key_arena *arena, struct fault *fault)
    WARN_UNUSED;
void key_table_close(struct key_table *table);

/* These return an index, or 0 for none. */
uint32_t key_table_find(const struct key_table *table, const uint8_t id[KEY_ID_OCTETS]);
/* The newest that lives on at NOW_S; LOCAL NULL = any. */
uint32_t key_table_find_by_peer(
    const struct key_table *table, const char *peer, const char *local, int64_t now_s);
uint32_t key_table_oldest(const struct key_table *table);
uint32_t key_table_oldest_of(const struct key_table *table, const struct key_pair *pair);
/* One that has expired by NOW_S. */
uint32_t key_table_due(struct key_table *table, int64_t now_s);
/* The newest one older than *CURSOR's, or than none when it is 0; moves the cursor on. */
uint32_t key_table_next(const struct key_table *table, uint64_t *cursor);
/* The next one that is newer. */
uint32_t key_table_newer(const struct key_table *table, uint32_t at);
/* The cursor that moves on to AT. */
uint64_t key_table_before(const struct key_table *table, uint32_t at);

bool key_table_is_live(const struct key_table *table, uint32_t at, int64_t now_s);

/* For an arena with keys: those up to TOUCHED are there to be inserted, or the slot is free. */
void key_table_begin(struct key_table *table, uint32_t touched);
/* A free index, to insert at or to give back. There must be one. */
uint32_t key_table_take(struct key_table *table);
void key_table_give(struct key_table *table, uint32_t at);
/* The pair, made when need be, with one key more to its account; NULL when out of memory. */
struct key_pair *key_table_hold(struct key_table *table, const char *peer, const char *local)
    WARN_UNUSED;
void key_table_release(struct key_table *table, struct key_pair *pair);
/* The key that is in the arena at AT, as the newest; takes over the hold on PAIR. */
void key_table_insert(
    struct key_table *table, uint32_t at, struct key_pair *pair, uint32_t deadline_s);
/* Before it leaves the arena. */
void key_table_remove(struct key_table *table, uint32_t at);
