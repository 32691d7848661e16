/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/creates.h"

static void fill(struct creates *creates, const struct policy_limits *limits, int64_t now_us)
{
    double most = limits->create_burst;

    creates->tokens =
        creates->filled_us == 0
            ? most
            : creates->tokens + (double)(now_us - creates->filled_us) * limits->creates_per_s / 1e6;
    if (creates->tokens > most)
        creates->tokens = most;
    creates->filled_us = now_us;
}

/* Counts the peer whose record is TAKEN, and returns how many have come of late, at least 1. */
static uint32_t count_peers(
    struct creates *creates, const struct recent_entry *taken, int64_t now_us)
{
    int64_t period = now_us / CREATES_PERIOD_US;

    if (period != creates->period) {
        creates->before = period == creates->period + 1 ? creates->now : 0;
        creates->now = 0;
        creates->period = period;
    }
    if (taken->changed_us == 0 || taken->changed_us / CREATES_PERIOD_US != period)
        creates->now++;
    return creates->now > creates->before ? creates->now : creates->before;
}

bool creates_take(
    struct creates *creates, const struct policy_limits *limits, uint64_t peer, int64_t now_us)
{
    struct recent_entry *taken = recent_take(&creates->taken, peer);
    double peers = count_peers(creates, taken, now_us);
    uint32_t half = limits->create_burst / 2; /* of a single token, nothing */

    fill(creates, limits, now_us);
    taken->number -= (double)(now_us - taken->changed_us) * limits->creates_per_s / 2e6 / peers;
    if (taken->number < 0)
        taken->number = 0;
    taken->changed_us = now_us;

    if (creates->tokens < 1)
        return false;
    if (creates->tokens - 1 < half) {
        double share = creates->tokens / (peers + 1);
        if (taken->number + 1 > (share > 1 ? share : 1))
            return false;
        taken->number++;
    }
    creates->tokens--;
    return true;
}
