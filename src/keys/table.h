/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache's records and the ways to find them. It knows no lock and no clock, and keeps no key
 * octets: those lie in the arena, in the slot of the same index. For keys/cache.c alone.
 *
 * The records are one array; around it are
 *   - a hash table by key id;
 *   - a hash table of pairs (peer, local), each with its keys, newest first;
 *   - all keys by age, newest first: the last is the first to be evicted;
 *   - a wheel by expiry, of a slot a second.
 * All hold indices, from 1 to capacity; 0 is none. Pages that were never touched cost no memory, so
 * that a large capacity costs little before it is used. A key takes about 200 octets here, with
 * identifiers of usual length and a peer of its own. */
#pragma once

#include "base/hash.h"
#include "keys/cache.h"

#define KEY_TABLE_CAPACITY_MOST ((1U << 24) - 1)

enum key_chain { BY_AGE, BY_PAIR, BY_EXPIRY, KEY_CHAINS };

struct key_link {
    uint32_t next, previous; /* circular */
};

struct key_record {
    uint8_t id[KEY_ID_OCTETS];
    struct key_pair *pair;
    uint8_t *evidence;
    int64_t established_s, expires_s;
    uint64_t sequence; /* counts insertions from 1; 0 in a free record */
    struct key_link link[KEY_CHAINS];
    uint32_t next_by_id; /* in a free record: the next free one */
    uint16_t evidence_size;
    uint16_t cipher_suite;
    uint8_t role, flavour;
};

/* A peer and an end-point of ours that share keys. All of a peer's pairs lie in one bucket. */
struct key_pair {
    struct key_pair *next;
    uint64_t hash; /* of the peer */
    uint32_t newest;
    uint32_t keys;
    const char *local; /* in the text, after the peer */
    char peer[];
};

struct key_table {
    struct key_record *records;
    uint32_t capacity;
    uint32_t touched; /* records beyond were never used */
    uint32_t free;    /* chain of those that were */
    uint32_t newest;
    uint64_t sequence; /* of the last insertion */

    struct hash_key hash_key; /* peers may choose ids and names that would fall together */
    uint32_t buckets;         /* a power of two: of each of the two tables */
    uint32_t *by_id;
    struct key_pair **pairs;

    uint32_t *wheel; /* a slot's first key expires first */
    int64_t due_s;   /* no key expires before it */
};

/* On failure too, to be closed. */
enum result key_table_open(struct key_table *table, uint32_t capacity, struct fault *fault)
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
/* The cursor that moves on to AT. */
uint64_t key_table_before(const struct key_table *table, uint32_t at);

bool key_table_is_live(const struct key_table *table, uint32_t at, int64_t now_s);
void key_table_describe(const struct key_table *table, uint32_t at, struct key_info *info);
struct bytes key_table_evidence(const struct key_table *table, uint32_t at);

/* The pair, made when need be, with one key more to its account; NULL when out of memory. */
struct key_pair *key_table_hold(struct key_table *table, const char *peer, const char *local)
    WARN_UNUSED;
/* Takes over the hold on PAIR, and EVIDENCE to free. There must be room; returns the index. */
uint32_t key_table_insert(struct key_table *table, struct key_pair *pair,
    const struct key_info *info, uint8_t *evidence, size_t evidence_size);
void key_table_remove(struct key_table *table, uint32_t at);
