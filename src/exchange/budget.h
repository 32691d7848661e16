/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many signatures are verified in vain for one sender: a Message 3 that names no exchange costs
 * its sender nothing, and us one verification for each exchange that it may belong to. Each sender
 * has a token bucket, which is full when it is seen for the first time. Verifications for a Message
 * 3 that then is found to be good are given back. So a sender that signs its own exchanges never
 * notices.
 *
 * The owner protects it with its lock. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "exchange/recent.h"

#define BUDGET_BURST 512 /* verifications: 30 ms of one core */
#define BUDGET_PER_S 128

/* Zero-initialise. */
struct budget {
    struct recent spent;
};

/* Whether SENDER, a hash, may have COUNT verifications, at most BUDGET_BURST, which are then spent.
 */
bool budget_spend(struct budget *budget, uint64_t sender, uint32_t count, int64_t now_us)
    WARN_UNUSED;
void budget_give_back(struct budget *budget, uint64_t sender, uint32_t count);
