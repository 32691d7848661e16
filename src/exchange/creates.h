/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast new exchanges may come (limits.createsPerSecond, createBurst), and how that is shared
 * out among transport peers.
 *
 * A token bucket holds createBurst tokens and gets createsPerSecond new ones each second. Each new
 * exchange takes a token. While the bucket is more than half full, any peer may take one.
 *
 * The lower half is shared: a peer that has not had more of it than its fair share may take a
 * token, and every peer may have one. The fair share is what is left of the lower half, divided by
 * the number of peers that sent Creates lately, plus one for the next newcomer. What a peer has had
 * is forgotten over time, for all peers together at half of createsPerSecond. A flooding peer is
 * therefore soon limited to the upper half, and newcomers find tokens in the lower half.
 *
 * The owner protects it with its lock. */
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
