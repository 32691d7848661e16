/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exchanges under way and those answered a moment ago: by name, by originator and by request.
 * Thread-safe.
 *
 * Who may have how many: From is a claim that anybody can make, and who sends a request from where
 * is not. So pending exchanges are counted by originator and transport peer together. At a bound
 * the newcomer is let in, and the one that has waited longest goes: who claims to be another can
 * neither use up its share from elsewhere, nor lock it out on the same path, where it would have to
 * send as many requests as the share holds within each round trip of the other.
 *
 * Locks: the table's own lock covers its links and counts, and is held for a few microseconds at
 * most, never during cryptography. An exchange's lock covers its handshake, and is held through one
 * step of it. A thread that holds an exchange's lock may take the table's, never the other way
 * round. */
#pragma once

#include "exchange/displaced.h"

#define EXCHANGE_RETENTION_S 60 /* how long an answered Message 3 can be retransmitted */

struct exchange_table;

enum result exchange_table_new(struct exchange_table **out) WARN_UNUSED;
void exchange_table_free(struct exchange_table *table);
DEFINE_CLEANUP(struct exchange_table *, exchange_table_free)

/* A keyed hash of a request, by which its retransmissions are recognised: of originator, operation,
 * request identifier and message. */
uint64_t exchange_table_fingerprint(const struct exchange_table *table, const char *from,
    int operation, const char *request_id, struct bytes message);

/* Functions that return an exchange return it locked, with a reference: exchange_release gives up
 * both. */

/* The exchange that the same request opened before (*CREATED false), or a new one in state
 * EXCHANGE_NEW that holds a reference to SNAPSHOT and has the attributes GIVEN (*CREATED true; the
 * caller sets its end-point before it releases it, and ends what it DISPLACED after that).
 * RESULT_BUSY when new exchanges come faster than SNAPSHOT's policy allows, RESULT_STOPPING after
 * exchange_table_close. */
enum result exchange_table_open(struct exchange_table *table, struct snapshot *snapshot,
    const struct exchange_sender *sender, const struct given_attributes *given,
    uint64_t fingerprint, struct exchange **out, bool *created, struct displaced *displaced,
    struct fault *fault) WARN_UNUSED;

/* Whether SENDER may ask for a random object now: as fast as exchanges may be opened, counted
 * apart. Fails as exchange_table_open does. */
enum result exchange_table_admit_rand_request(struct exchange_table *table,
    const struct policy_limits *limits, const struct exchange_sender *sender, struct fault *fault)
    WARN_UNUSED;

/* NULL when there is no such exchange, or it has run out of time. */
struct exchange *exchange_table_find(struct exchange_table *table, const char *name);
/* The exchange that the request of FINGERPRINT opened or established; NULL when there is none. */
struct exchange *exchange_table_find_answered(struct exchange_table *table, uint64_t fingerprint);

/* The exchanges that a Message 3 which names none may belong to. */
#define CANDIDATES_OWN    64 /* limits.pendingPerOriginator allows no more */
#define CANDIDATES_OTHERS 8  /* a device can have another address by then */
struct candidates {
    struct exchange *exchanges[CANDIDATES_OWN + CANDIDATES_OTHERS];
    size_t count;
};

/* Finds SENDER's exchanges that await Message 3, newest first, and behind them those that other
 * transport peers opened in its name. They are references without locks, which the caller gives up.
 * RESULT_BUSY, and no candidates, when it has had too many signatures verified in vain
 * (exchange/budget.h): before another one is. */
enum result exchange_table_find_candidates(struct exchange_table *table,
    const struct exchange_sender *sender, struct candidates *out, struct fault *fault) WARN_UNUSED;
/* One of COUNT candidates was SENDER's: the verifications were not in vain. */
void exchange_table_excuse(
    struct exchange_table *table, const struct exchange_sender *sender, size_t count);

/* Moves a locked exchange, which the request of FINGERPRINT has established, from those pending to
 * those retained. Of these an originator has as many as it may have pending from one transport
 * peer: so many of its requests can be under way at a time, and only those can still be
 * retransmitted. In all there are as many as may be pending in all. At either bound the oldest
 * makes room. */
void exchange_table_answered(
    struct exchange_table *table, struct exchange *exchange, uint64_t fingerprint);
/* Whether the request of FINGERPRINT is the one that has established EXCHANGE. */
bool exchange_table_is_answered_by(
    struct exchange_table *table, const struct exchange *exchange, uint64_t fingerprint);
/* Takes a locked exchange out of the table: it can be found no more. */
void exchange_table_remove(struct exchange_table *table, struct exchange *exchange);

/* From here on no new exchange is opened. */
void exchange_table_close(struct exchange_table *table);
/* RESULT_STOPPING after that. */
enum result exchange_table_check_open(struct exchange_table *table, struct fault *fault)
    WARN_UNUSED;

/* Ends exchanges that ran out of time, at most MOST; returns how many, and in *AWAITED how many of
 * them awaited Message 3. */
unsigned exchange_table_sweep(struct exchange_table *table, unsigned most, unsigned *awaited);
void exchange_table_count(struct exchange_table *table, uint32_t *pending, uint32_t *retained);
