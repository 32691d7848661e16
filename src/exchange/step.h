/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request on its way through this room, and what its handling has found out so far. Private to
 * this room. */
#pragma once

#include "base/fault.h"
#include "esprim/rand_object.h"
#include "exchange/answer.h"
#include "keys/cache.h"
#include "onem2m/target.h"

struct step {
    /* Set before the request is dispatched. */
    struct exchange_table *table;
    struct key_cache *cache;
    struct rand_objects *rand_objects;
    struct snapshot_slot *slot;
    struct snapshot *snapshot; /* in force when the request came */
    int64_t started_s;         /* when the daemon started */
    const struct request *request;
    struct response *response;
    int64_t began_ns; /* of histogram_now_ns */

    /* Found in the request. */
    struct target target;
    char from[IDENTIFIER_OCTETS]; /* absolute */
    bool with_address;            /* rcn 3 */

    /* For the log of a refusal. */
    char exchange_name[EXCHANGE_NAME_OCTETS]; /* "": no exchange yet */
    char local[IDENTIFIER_OCTETS];            /* its end-point's identity */
    bool has_signed;   /* Message 3's CertificateVerify is by the key that it presents */
    bool is_certified; /* an authority of ours has certified that key: admission.certified */

    struct fault fault; /* set whenever a function that takes the step fails */
};

/* The originator, as the request claims, and its transport peer. */
struct exchange_sender step_sender(const struct step *step);

/* Remembers for the log which exchange (locked) the request is about. */
void step_name_exchange(struct step *step, const struct exchange *exchange);

/* Sets the fault: WHAT is wrong with the address, which entry point there is, and which address was
 * asked for. Who has configured a wrong one finds the right one in the answer and in the journal.
 */
enum result step_refuse_address(struct step *step, enum result result, const char *what);

/* The exchange that the target names, locked; NULL when there is none, or no longer. */
struct exchange *step_find_exchange(struct step *step) WARN_UNUSED;

/* RESULT_NOT_AUTHORISED when EXCHANGE (locked) is another originator's. */
enum result step_check_owner(struct step *step, const struct exchange *exchange) WARN_UNUSED;

/* Moves EXCHANGE (locked) on to the state after EVENT, or refuses as the table of states says. */
enum result step_transition(struct step *step, struct exchange *exchange, enum exchange_event event)
    WARN_UNUSED;

/* Ends EXCHANGE (locked) by a refusal or a deletion: its handshake goes, and it can be found no
 * more. Does nothing where the table of states does not allow EVENT. */
void step_end_exchange(struct step *step, struct exchange *exchange, enum exchange_event event);

/* The fingerprint of this request with MESSAGE as its content: see exchange_table_fingerprint. */
uint64_t step_fingerprint(const struct step *step, struct bytes message);

/* Writes ANSWER of EXCHANGE (locked) into the response. */
enum result step_answer(struct step *step, const struct exchange *exchange, enum answer answer)
    WARN_UNUSED;
/* The same for a request that was answered before. */
enum result step_answer_again(
    struct step *step, const struct exchange *exchange, enum answer answer) WARN_UNUSED;
