/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exchanges that live: by name, and by originator. Thread-safe.
 *
 * Locks: the table's own covers its links and counts and is held for a few memory accesses, never
 * through crypto; an exchange's covers its handshake and is held through one step of it. Who holds
 * an exchange's lock may take the table's, never the other way round. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "base/hash.h"
#include "exchange/state.h"
#include "policy/snapshot.h"
#include "tls/handshake.h"

#define EXCHANGE_NAME_OCTETS 33 /* 128 random bits in hex, and a NUL */
#define EXCHANGE_RETENTION_S 60 /* how long an answered Message 3 can be retransmitted */

/* A request that was answered, and where: what a retransmission is found by. */
struct exchange_request {
    uint64_t mark; /* 0: none yet */
    struct exchange *exchange;
    struct exchange_request *next;
};

struct exchange {
    /* Constant once the table has it. */
    char name[EXCHANGE_NAME_OCTETS];
    char *from;                /* the originator, absolute; claimed until Message 3 proves it */
    struct snapshot *snapshot; /* the policy that it began under; it ends under it */
    int64_t created_s;
    int64_t expires_s; /* et while Message 3 is awaited */

    /* Under .lock. */
    pthread_mutex_t lock;
    enum exchange_state state;
    struct tls_endpoint *endpoint;
    struct handshake *handshake;
    struct buffer message2;
    struct buffer message4;
    char key_id[2 * 16 + 1];
    int64_t established_s;

    /* The table's. */
    atomic_uint references;
    uint64_t from_hash;
    struct exchange_request first;  /* brought Message 1 */
    struct exchange_request second; /* brought Message 3, and was answered */
    int64_t deadline_ms;
    bool listed, pending;
    struct exchange *next_by_name, *next_by_from;
    struct exchange *older, *newer;
};

struct exchange_table;

enum result exchange_table_new(struct exchange_table **out) WARN_UNUSED;
void exchange_table_free(struct exchange_table *table);
DEFINE_CLEANUP(struct exchange_table *, exchange_table_free)

/* What tells a retransmission: originator, kind of request, its identifier and message. Never 0. */
uint64_t exchange_table_mark(const struct exchange_table *table, const char *from, int operation,
    const char *request_id, struct bytes message);

/* All that return an exchange return it locked, with a reference: exchange_release ends both. */
void exchange_release(struct exchange *exchange);
DEFINE_CLEANUP(struct exchange *, exchange_release)

/* The exchange that the same request opened before (*FRESH false), or a new one in state
 * EXCHANGE_NEW that holds a reference to SNAPSHOT. RESULT_BUSY over a limit of SNAPSHOT's policy,
 * RESULT_STOPPING once closed; *RETRY_AFTER_S then says when to come again. */
enum result exchange_table_open(struct exchange_table *table, struct snapshot *snapshot,
    const char *from, uint64_t mark, struct exchange **out, bool *fresh, unsigned *retry_after_s,
    struct fault *fault) WARN_UNUSED;

/* NULL: no such exchange, or out of time. */
struct exchange *exchange_table_find(struct exchange_table *table, const char *name);
/* The exchange that MARK's request was answered in; NULL: none. */
struct exchange *exchange_table_find_answered(struct exchange_table *table, uint64_t mark);

/* FROM's exchanges that await Message 3, newest first: references without locks (exchange_lock
 * takes it; exchange_unref lets go). Returns how many. */
size_t exchange_table_pending_of(
    struct exchange_table *table, const char *from, struct exchange **out, size_t most);
void exchange_lock(struct exchange *exchange);
void exchange_unref(struct exchange *exchange);

/* Moves a locked exchange from those pending to those retained. */
void exchange_table_answered(
    struct exchange_table *table, struct exchange *exchange, uint64_t mark);
/* Whether MARK's Message 3 is the one that the exchange was established with. */
bool exchange_table_is_answered_by(
    struct exchange_table *table, const struct exchange *exchange, uint64_t mark);
/* Takes a locked exchange out: it can be found no more. */
void exchange_table_remove(struct exchange_table *table, struct exchange *exchange);

/* No new exchange any more. */
void exchange_table_close(struct exchange_table *table);

/* Ends those out of time, at most MOST; returns how many, and in *AWAITED how many of them awaited
 * Message 3. */
unsigned exchange_table_sweep(struct exchange_table *table, unsigned most, unsigned *awaited);
void exchange_table_count(struct exchange_table *table, uint32_t *pending, uint32_t *retained);
