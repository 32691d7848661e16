/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request on its way through this room. Private to it. */
#pragma once

#include "exchange/answer.h"
#include "keys/cache.h"
#include "onem2m/target.h"

struct procedure {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct exchange_table *table;
    int64_t started_s;
};

struct step {
    struct procedure *procedure;
    const struct request *request;
    struct response *response;
    struct snapshot *snapshot;
    int64_t began_ns; /* of histogram_now_ns */
    struct target target;
    char from[IDENTIFIER_OCTETS];             /* absolute */
    bool with_address;                        /* rcn 3 */
    char exchange_name[EXCHANGE_NAME_OCTETS]; /* for the log; "" = none yet */
    char local[IDENTIFIER_OCTETS];            /* the same: its end-point */
    bool has_signed;   /* CertificateVerify is good, with whatever key is presented */
    bool is_certified; /* by an authority of ours: see authenticate_initiator */
    struct fault fault;
};

void step_name_exchange(struct step *step, const struct exchange *exchange);
enum result step_answer(struct step *step, const struct exchange *exchange, enum answer which)
    WARN_UNUSED;

/* C.1.b to C.1.d: MESSAGE1 comes, Message 2 goes. */
enum result receive_message1(struct step *step, struct bytes message1) WARN_UNUSED;
/* C.1.f to C.1.h, C.2: MESSAGE3 comes, the key is cached, Message 4 goes. Addressed to EXCHANGE
 * (locked), or tied to one by From and its signature. */
enum result receive_message3(struct step *step, struct exchange *exchange, struct bytes message3)
    WARN_UNUSED;
enum result receive_message3_by_from(struct step *step, struct bytes message3) WARN_UNUSED;
/* The exchange (locked) is over: its handshake goes, and it can be found no more. */
void end_exchange(struct step *step, struct exchange *exchange, enum exchange_event event);
