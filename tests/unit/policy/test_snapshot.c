/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/check_main.h"

#define READERS 3
#define SWAPS   2000

/* Stands for what the TLS room builds: this room only hands it on and gives it back. */
struct tls_context {
    uint64_t generation;
};

static atomic_int freed;

static void free_tls(struct tls_context *tls)
{
    tls->generation = 0;
    free(tls);
    atomic_fetch_add(&freed, 1);
}

static struct snapshot *make(uint64_t generation)
{
    struct policy *policy = calloc(1, sizeof(*policy));
    struct tls_context *tls = malloc(sizeof(*tls));
    ck_assert(policy && tls);
    policy->keys.capacity = (uint32_t)generation;
    tls->generation = generation;
    struct snapshot *snapshot = snapshot_new(policy, tls, free_tls, generation);
    ck_assert_ptr_nonnull(snapshot);
    return snapshot;
}

START_TEST(lives_as_long_as_someone_holds_it)
{
    struct snapshot *first = make(1);
    ck_assert_uint_eq(first->generation, 1);
    ck_assert_ptr_eq(snapshot_ref(first), first);
    snapshot_unref(first);
    ck_assert_int_eq(freed, 0);
    snapshot_unref(first);
    ck_assert_int_eq(freed, 1);
    snapshot_unref(NULL);
}
END_TEST

START_TEST(outlives_its_place_while_held)
{
    struct snapshot_slot *slot = snapshot_slot_new(make(1));
    struct snapshot *held = snapshot_current(slot);
    snapshot_swap(slot, make(2));
    ck_assert_int_eq(freed, 0);
    ck_assert_uint_eq(held->generation, 1);
    ck_assert_uint_eq(held->policy->keys.capacity, 1);
    snapshot_unref(held);
    ck_assert_int_eq(freed, 1);
    struct snapshot *next = snapshot_current(slot);
    ck_assert_uint_eq(next->generation, 2);
    snapshot_slot_free(slot);
    ck_assert_int_eq(freed, 1);
    snapshot_unref(next);
    ck_assert_int_eq(freed, 2);
}
END_TEST

struct snapshot_reader {
    struct snapshot_slot *slot;
    bool whole, forward;
};

/* Until the last generation: each is whole, and none comes after a later one. */
static void *read_on(void *context)
{
    struct snapshot_reader *reading = context;
    for (uint64_t seen = 0; seen < SWAPS;) {
        struct snapshot *current = snapshot_current(reading->slot);
        reading->whole = reading->whole && current->tls->generation == current->generation &&
                         current->policy->keys.capacity == current->generation;
        reading->forward = reading->forward && current->generation >= seen;
        seen = current->generation;
        snapshot_unref(current);
    }
    return NULL;
}

START_TEST(swaps_under_readers)
{
    struct snapshot_slot *slot = snapshot_slot_new(make(1));
    pthread_t threads[READERS];
    struct snapshot_reader readings[READERS];
    for (int i = 0; i < READERS; i++) {
        readings[i] = (struct snapshot_reader){slot, true, true};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, &readings[i]), 0);
    }
    for (uint64_t generation = 2; generation <= SWAPS; generation++)
        snapshot_swap(slot, make(generation));
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert(readings[i].whole && readings[i].forward);
    }
    ck_assert_int_eq(freed, SWAPS - 1);
    snapshot_slot_free(slot);
    ck_assert_int_eq(freed, SWAPS);
}
END_TEST

CHECK_MAIN("policy/snapshot", lives_as_long_as_someone_holds_it, outlives_its_place_while_held,
    swaps_under_readers)
