/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

struct counted_snapshot {
    struct snapshot snapshot; /* the first member, so that a pointer to it can be cast back */
    atomic_size_t references;
    struct policy *policy;
    void (*free_tls)(struct tls_context *);
};

static struct counted_snapshot *counted_of(struct snapshot *snapshot)
{
    return (struct counted_snapshot *)snapshot;
}

struct snapshot *snapshot_new(struct policy *policy, struct tls_context *tls,
    void (*free_tls)(struct tls_context *), uint64_t generation)
{
    struct counted_snapshot *counted = malloc(sizeof(*counted));
    if (!counted)
        return NULL;
    *counted = (struct counted_snapshot){
        .snapshot = {.policy = policy, .tls = tls, .generation = generation},
        .references = 1,
        .policy = policy,
        .free_tls = free_tls,
    };
    return &counted->snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add_explicit(&counted_of(snapshot)->references, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    struct counted_snapshot *counted = counted_of(snapshot);
    /* Release: this thread has read all that it wants before the count falls. Acquire: whoever
     * frees comes after the last read of every other thread. */
    if (atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) != 1)
        return;
    if (counted->snapshot.tls)
        counted->free_tls(counted->snapshot.tls);
    policy_free(counted->policy);
    free(counted);
}

/* Under the lock, nobody can swap and release the snapshot between reading the pointer and taking
 * the reference. */
struct snapshot_slot {
    pthread_mutex_t lock;
    struct snapshot *current;
};

struct snapshot_slot *snapshot_slot_new(struct snapshot *first)
{
    struct snapshot_slot *slot = malloc(sizeof(*slot));
    if (!slot)
        return NULL;
    *slot = (struct snapshot_slot){.lock = PTHREAD_MUTEX_INITIALIZER, .current = first};
    return slot;
}

struct snapshot *snapshot_current(struct snapshot_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    struct snapshot *current = snapshot_ref(slot->current);
    pthread_mutex_unlock(&slot->lock);
    return current;
}

void snapshot_swap(struct snapshot_slot *slot, struct snapshot *next)
{
    pthread_mutex_lock(&slot->lock);
    struct snapshot *old = slot->current;
    slot->current = next;
    pthread_mutex_unlock(&slot->lock);
    snapshot_unref(old); /* outside the lock, since it may take long to release */
}

void snapshot_slot_free(struct snapshot_slot *slot)
{
    if (!slot)
        return;
    snapshot_unref(slot->current);
    pthread_mutex_destroy(&slot->lock);
    free(slot);
}
