/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exchanges that have made room for a newcomer, and are still to be ended: who takes them out of
 * the table holds locks under which that cannot be done. */
#pragma once

#include "exchange/exchange.h"

#define DISPLACED_MAX 4 /* by one newcomer */

/* Zero-initialise; end with displaced_end. */
struct displaced {
    struct {
        struct exchange *exchange; /* a reference */
        const char *limit;         /* the policy's, which was reached: static */
    } items[DISPLACED_MAX];
    size_t count;
};

/* Takes the caller's reference to EXCHANGE over; there is room for it. */
void displaced_add(struct displaced *displaced, struct exchange *exchange, const char *limit);

/* Ends them as if their time were over, counts and logs them, and gives up the references. The
 * caller holds no lock. One whose key has been established meanwhile has not been displaced. */
void displaced_end(struct displaced *displaced);
