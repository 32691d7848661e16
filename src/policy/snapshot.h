/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot is the configuration in force: the policy and the TLS context built from it, which a
 * reload replaces together. */
#pragma once

#include <stdint.h>

#include "policy/policy.h"

struct tls_context;

/* Immutable, but for the count of references. Whoever holds a reference may use all of it. */
struct snapshot {
    const struct policy *policy;
    struct tls_context *tls;
    uint64_t generation; /* 1 for the first snapshot, one more after each reload */
};

/* Returns a snapshot with one reference, which owns POLICY and TLS: when the last reference is
 * gone, policy_free and FREE_TLS release them. Returns NULL when memory is short; then the caller
 * still owns both. */
struct snapshot *snapshot_new(struct policy *policy, struct tls_context *tls,
    void (*free_tls)(struct tls_context *), uint64_t generation) WARN_UNUSED;
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);
DEFINE_CLEANUP(struct snapshot *, snapshot_unref)

/* Holds the current snapshot. Any thread may get it; only the main loop swaps it. */
struct snapshot_slot;
/* Takes the caller's reference to FIRST over, unless it returns NULL (memory is short). */
struct snapshot_slot *snapshot_slot_new(struct snapshot *first) WARN_UNUSED;
struct snapshot *snapshot_current(struct snapshot_slot *slot); /* the caller unrefs it */
/* Takes the caller's reference to NEXT over. */
void snapshot_swap(struct snapshot_slot *slot, struct snapshot *next);
void snapshot_slot_free(struct snapshot_slot *slot);
