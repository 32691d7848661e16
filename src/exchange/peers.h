/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pending exchanges by transport peer, and which of them makes room when there are too many.
 *
 * A newcomer is always let in. From half of the bound on, it displaces another by chance, the more
 * likely the fewer places are left, and at the bound always. 16 pending exchanges are drawn at
 * random. The transport peer of each has a weight: the number of its pending exchanges, divided by
 * one plus the number of those that it has established lately. The peer with the greatest weight
 * loses the exchange of its own that has waited longest; among peers of the same weight, the one
 * whose exchange has waited longest loses it. Therefore
 *
 * - one peer that floods displaces its own exchanges, as most of those that are drawn are its own,
 *   and nobody has more;
 * - many peers with one exchange each displace the oldest: who answers Message 2 within the time in
 *   which they fill two thirds of the table gets through;
 * - a transit CSE with many devices is not taken for a flood, as its exchanges are established;
 * - who has one good credential cannot hide a flood behind it, as what it establishes counts up to
 *   a 16th of the bound.
 *
 * The owner protects it with its lock. Everything takes the same time, however many there are,
 * except that memory for them is doubled now and then. */
#pragma once

#include "base/hash.h"
#include "exchange/exchange.h"
#include "exchange/recent.h"

struct peers {
    struct hash_key key;
    uint64_t drawn;            /* how many numbers at random */
    struct chains records;     /* of those that have exchanges pending */
    struct exchange **pending; /* all, in no order */
    uint32_t count, capacity;  /* of PENDING */
    struct recent established; /* by peer: how many of late */
};

/* Sets up PEERS, which is zeroed. */
enum result peers_init(struct peers *peers) WARN_UNUSED;
void peers_release(struct peers *peers); /* once all exchanges are removed */

/* Counts EXCHANGE as pending, and of PEER, a hash. RESULT_NO_MEMORY without any change. */
enum result peers_add(struct peers *peers, struct exchange *exchange, uint64_t peer) WARN_UNUSED;
void peers_remove(struct peers *peers, struct exchange *exchange);

/* Remembers that EXCHANGE, which is pending still, has been established. */
void peers_established(struct peers *peers, const struct exchange *exchange, int64_t now_us);

/* The exchange that makes room for the one that was added last, where MOST may be pending. NULL:
 * none has to. */
struct exchange *peers_find_displaced(struct peers *peers, uint32_t most, int64_t now_us);
