/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An exchange that has made room for a newcomer, and is still to be ended: who takes it out of the
 * table holds locks under which that cannot be done. */
#pragma once

#include "exchange/exchange.h"

/* Zero-initialise; end with displaced_end. */
struct displaced {
    struct exchange *exchange; /* with a reference; NULL: none had to make room */
    const char *limit;         /* of the policy, which was reached: static */
};

/* Ends the exchange as if its time were over, counts and logs it, and gives up the reference. The
 * caller holds no lock. One whose key has been established meanwhile has not been displaced. */
void displaced_end(struct displaced *displaced);
