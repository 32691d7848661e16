/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration in force: policy and what was built from it, swapped as one. */
#pragma once

#include <stdint.h>

#include "policy/policy.h"

struct tls_context;

/* Immutable but for its count. Whoever holds a reference may use all of it. */
struct snapshot {
    const struct policy *policy;
    struct tls_context *tls;
    uint64_t generation; /* 1 for the first */
};

/* Takes POLICY and TLS over (released with the last reference, TLS by FREE_TLS); one reference.
 * NULL when memory is short: then nothing was taken over. */
struct snapshot *snapshot_new(struct policy *policy, struct tls_context *tls,
    void (*free_tls)(struct tls_context *), uint64_t generation) WARN_UNUSED;
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);
DEFINE_CLEANUP(struct snapshot *, snapshot_unref)

/* The place where the current one hangs. Any thread may read; the main loop swaps. */
struct snapshot_slot;
/* Takes FIRST over, unless it gives NULL. */
struct snapshot_slot *snapshot_slot_new(struct snapshot *first) WARN_UNUSED;
struct snapshot *snapshot_current(struct snapshot_slot *slot); /* a reference of the caller's own */
void snapshot_swap(struct snapshot_slot *slot, struct snapshot *next); /* takes NEXT over */
void snapshot_slot_free(struct snapshot_slot *slot);
