/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The E2EKey procedure at the Terminating End-Point (TS-0003 8.7.2.2): requests in, responses out.
 *
 * The way of a request: procedure_answer → dispatch → message1 or message3 → answer. */
#pragma once

#include "base/fault.h"
#include "esprim/rand_object.h"
#include "keys/cache.h"
#include "onem2m/primitive.h"
#include "policy/snapshot.h"

struct procedure;

/* Serves by the policy that is in SLOT when a request comes. Keeps SLOT, CACHE and RAND_OBJECTS,
 * which must outlive it. */
enum result procedure_new(struct snapshot_slot *slot, struct key_cache *cache,
    struct rand_objects *rand_objects, struct procedure **out, struct fault *fault) WARN_UNUSED;
void procedure_free(struct procedure *procedure);

/* Answers one request primitive; any thread, many at once. RESPONSE is always complete.
 * REFUSED: NULL, or what the binding already found wrong (media type, over-long body): then only
 * the refusal is written, in the shape that the request's kind asks for. */
void procedure_answer(struct procedure *procedure, const struct request *request,
    const struct fault *refused, struct response *response);

/* From here on Message 1 of a new exchange is refused; exchanges under way go on. */
void procedure_close(struct procedure *procedure);

/* Ends exchanges that ran out of time, at most MOST; returns how many. Call it about once a second.
 */
unsigned procedure_sweep(struct procedure *procedure, unsigned most);

struct procedure_counts {
    uint32_t pending;  /* awaiting Message 3 */
    uint32_t retained; /* established, kept for retransmissions */
};
struct procedure_counts procedure_count(struct procedure *procedure);
