/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast new exchanges may come (limits.createsPerSecond, createBurst), and how that is shared
 * out among transport peers.
 *
 * One bucket holds createBurst tokens, gets createsPerSecond of them each second, and each new
 * exchange takes one. While more than half of it is left, anybody may take. Of the other half each
 * peer may have as many as would be left for it if all peers that have come of late, and one more,
 * had as many; and at least one. What a peer has had of it is forgiven with time, all peers
 * together at half of the rate. So peers that take all they can get leave the lower half alone
 * after a while, in which newcomers find their tokens, and what nobody asks for there overflows to
 * everybody.
 *
 * Whoever owns it protects it. */
#pragma once

#include <stdbool.h>

#include "exchange/recent.h"
#include "policy/policy.h"

/* Zero-initialise: the bucket is then full. */
struct creates {
    double tokens;
    int64_t filled_us;    /* when it was filled the last time; 0: never */
    struct recent taken;  /* by peer: of the lower half, as far as it counts still */
    int64_t period;       /* peers are counted by periods of CREATES_PERIOD_US */
    uint32_t now, before; /* how many have come in this one, and in the one before */
};

#define CREATES_PERIOD_US INT64_C(10000000)

/* Whether PEER, a hash, may open an exchange, which then has taken its token. */
bool creates_take(struct creates *creates, const struct policy_limits *limits, uint64_t peer,
    int64_t now_us) WARN_UNUSED;
