/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intrusive lists, whose links are members of what they link, so that linking needs no memory:
 * chains of a hash table, and queues in the order of age. Every operation but a walk along a chain
 * takes constant time. The owner of a chain or a queue protects it with its lock. */
#pragma once

#include "base/bytes.h"

/* --- chains --- */

#define CHAINS 65536 /* 8 octets each; so many exchanges have short chains */

struct chain_link {
    uint64_t hash; /* keyed (base/hash.h), so that nobody can make two alike */
    void *owner;
    struct chain_link *next; /* the one before it, of any hash */
    struct chain_link **at;  /* what points to it; NULL: it is in no chain */
};

struct chains {
    struct chain_link *newest[CHAINS];
};

void chains_add(struct chains *chains, struct chain_link *link, uint64_t hash, void *owner);
void chains_remove(struct chain_link *link); /* nothing when it is in no chain */

/* The newest link of HASH, and of the same hash the next older one; NULL when there is none. */
struct chain_link *chains_find(const struct chains *chains, uint64_t hash);
struct chain_link *chains_older(const struct chain_link *link);
/* The newest link where HASH would be, of any hash; NULL when there is none. For a walk that is
 * bounded, where many may have one hash. */
struct chain_link *chains_near(const struct chains *chains, uint64_t hash);

/* --- queues --- */

struct queue_link {
    struct queue_link *older, *newer;
    void *owner;
};

struct queue {
    struct queue_link *oldest, *newest;
    uint32_t count;
};

void queue_add(struct queue *queue, struct queue_link *link, void *owner);
void queue_remove(struct queue *queue, struct queue_link *link);
void *queue_oldest(const struct queue *queue); /* its owner; NULL when QUEUE is empty */
