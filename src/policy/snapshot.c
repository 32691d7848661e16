/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

struct counted {
    struct snapshot snapshot; /* what others see; first, so that a pointer to it is one to us */
    atomic_size_t references;
    struct policy *policy;
    void (*free_tls)(struct tls_context *);
};

static struct counted *counted_of(struct snapshot *snapshot)
{
    return (struct counted *)snapshot;
}

struct snapshot *snapshot_new(struct policy *policy, struct tls_context *tls,
    void (*free_tls)(struct tls_context *), uint64_t generation)
{
    struct counted *counted = malloc(sizeof(*counted));
    if (!counted)
        return NULL;
    *counted = (struct counted){
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
    struct counted *counted = counted_of(snapshot);
    /* Release: our reads are over; acquire: so are everyone's, before it is freed. */
    if (atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel) != 1)
        return;
    if (counted->snapshot.tls)
        counted->free_tls(counted->snapshot.tls);
    policy_free(counted->policy);
    free(counted);
}

/* The lock makes reading the pointer and taking the reference one step. */
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
    snapshot_unref(old); /* outside the lock: it may free much */
}

void snapshot_slot_free(struct snapshot_slot *slot)
{
    if (!slot)
        return;
    snapshot_unref(slot->current);
    pthread_mutex_destroy(&slot->lock);
    free(slot);
}
