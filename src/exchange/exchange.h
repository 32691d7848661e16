/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One exchange: what it consists of, and how long it lives. Thread-safe as its parts say. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "exchange/links.h"
#include "exchange/state.h"
#include "onem2m/serialization.h"
#include "policy/snapshot.h"
#include "tls/handshake.h"

/* Who sends a request. */
struct exchange_sender {
    const char *from;  /* the originator that it claims to be, absolute */
    struct bytes peer; /* the transport peer: see struct request */
};

#define EXCHANGE_NAME_OCTETS 33 /* 128 random bits in hex, and a NUL */

struct exchange {
    /* Constant once the table has it. */
    char name[EXCHANGE_NAME_OCTETS];
    char *from;                /* the originator, absolute; claimed until Message 3 proves it */
    struct snapshot *snapshot; /* the policy from its beginning to its end */
    int64_t created_s;
    int64_t expires_s; /* its et attribute while Message 3 is awaited */
    int64_t until_s;   /* the et that its Create asked for; INT64_MAX: none */

    /* Under .lock. */
    pthread_mutex_t lock;
    enum exchange_state state;
    struct tls_endpoint *endpoint; /* of snapshot->tls; set by whoever created the exchange */
    struct handshake *handshake;
    struct buffer message2;
    struct buffer message4;
    char key_id[2 * 16 + 1];
    int64_t established_s;
    int64_t key_expires_s; /* once it is established */
    struct bytes labels;   /* lbl, as in struct given_attributes; owned */

    /* Of the table (exchange/table.c), under its lock. */
    atomic_uint references;
    bool listed, pending;
    uint64_t number;               /* a later one has a higher one */
    int64_t deadline_ms, until_ms; /* on the steady clock; until_ms is until_s there */
    struct chain_link by_name;
    struct chain_link by_from;    /* while it is pending */
    struct chain_link by_share;   /* with those that are counted together with it */
    struct chain_link by_request; /* with Message 1 */
    struct chain_link by_answer;  /* the request with Message 3, once it is answered */
    struct queue_link by_age;     /* among those pending or those retained */

    /* Of the table's peers (exchange/peers.c), while it is pending. */
    struct share_of_peer *peer;
    struct queue_link by_peer;
    uint32_t place;
};

/* An exchange of FROM in state EXCHANGE_NEW with one reference, which holds a reference to
 * SNAPSHOT. GIVEN may shorten its life, and is NULL where there is no Create. NULL when memory is
 * short. */
struct exchange *exchange_new(
    struct snapshot *snapshot, const char *from, const struct given_attributes *given) WARN_UNUSED;

struct exchange *exchange_ref(struct exchange *exchange);
void exchange_unref(struct exchange *exchange);
void exchange_lock(struct exchange *exchange);
/* Gives up lock and reference. */
void exchange_release(struct exchange *exchange);
DEFINE_CLEANUP(struct exchange *, exchange_release)
