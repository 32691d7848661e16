/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys in an arena together with the table that finds them, as one. It has no lock: the key
 * cache holds its own around each call, and a keyring that is being restored is known to one thread
 * only. For the room keys alone. */
#pragma once

#include <stdatomic.h>

#include "keys/arena.h"
#include "keys/key_table.h"

struct keyring {
    struct key_table table;
    struct key_arena arena;
    uint64_t sequence;      /* of the last insertion */
    uint32_t per_peer;      /* most keys of one pair of peer and local */
    _Atomic uint32_t count; /* how many keys there are: read it with keyring_count */
};

/* The events that one call caused, for the caller to report once it has released its lock. There
 * are at most three: an insertion can expire a key of the same id, establish its own key and evict
 * another. The caller sets COUNT to 0 before. */
struct key_changes {
    unsigned count;
    struct {
        enum key_event event;
        struct key_info info;
    } item[3];
};

/* Makes an empty keyring. CAPACITY and PER_PEER are as for key_cache_new. Release it with
 * keyring_close, also after a failure. */
enum result keyring_open(
    struct keyring *keyring, uint32_t capacity, uint32_t per_peer, struct fault *fault) WARN_UNUSED;
/* Makes a keyring of the keys in the arena FD, which is taken over: see key_cache_restore. Release
 * it with keyring_close or keyring_leave, also after a failure. */
enum result keyring_restore(struct keyring *keyring, int fd, uint32_t capacity, uint32_t per_peer,
    struct key_restored *restored, struct fault *fault) WARN_UNUSED;
/* Copies the keys of FROM into TO, which is empty, in the same order: the newest ones, if TO has no
 * room for all. RESULT_NO_MEMORY. */
enum result keyring_copy(struct keyring *to, const struct keyring *from) WARN_UNUSED;
void keyring_close(struct keyring *keyring); /* wipes the keys */
void keyring_leave(struct keyring *keyring); /* leaves the keys in the arena's file */

uint32_t keyring_capacity(const struct keyring *keyring);
uint32_t keyring_count(const struct keyring *keyring); /* of keys; needs no lock */

/* Returns the deadline by clock_steady_s of a key that expires at EXPIRES_S, where NOW_S is the
 * time now on that clock. It is 1 or more and fits in 32 bits, which hold 136 years of seconds,
 * while a key lives ten years at most. */
uint32_t key_deadline_at(int64_t expires_s, int64_t now_s);

/* AT, here and below, is an index as in keys/key_table.h. False for 0. */
bool keyring_is_live(const struct keyring *keyring, uint32_t at);
/* Adds a key, for which the oldest one is evicted if need be. RESULT_CONFLICT when a live key has
 * that id, RESULT_NO_MEMORY. */
enum result keyring_put(struct keyring *keyring, const struct key_info *info, uint32_t deadline_s,
    const uint8_t key[KEY_OCTETS], struct bytes evidence, struct key_changes *changes) WARN_UNUSED;
/* Removes the key at AT. The event is EVENT, or KEY_EXPIRED if the key had expired already. */
void keyring_discard(
    struct keyring *keyring, uint32_t at, enum key_event event, struct key_changes *changes);
