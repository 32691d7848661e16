/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key cache from within. For keys/cache.c and keys/restore.c alone. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "keys/arena.h"
#include "keys/table.h"

struct key_cache {
    pthread_mutex_t lock; /* over table and arena */
    struct key_table table;
    struct key_arena arena;
    uint64_t sequence; /* of the last insertion */
    uint32_t per_peer;
    _Atomic uint32_t count;
    key_listener *listener;
    void *context;
};

enum result key_cache_check_bounds(uint32_t capacity, uint32_t per_peer, struct fault *fault)
    WARN_UNUSED;
/* When what expires at EXPIRES_S, while it is NOW_S on the same clock, does so by clock_steady_s: 1
 * or more. Ten years and a host's uptime fit in 32 bits of seconds many times over. */
uint32_t key_deadline_at(int64_t expires_s, int64_t now_s);
/* As key_cache_put, with the deadline that the key has had elsewhere. */
enum result key_cache_put_until(struct key_cache *cache, const struct key_info *info,
    uint32_t deadline_s, const uint8_t key[KEY_OCTETS], struct bytes evidence) WARN_UNUSED;
/* Without table and arena; NULL when out of memory. */
struct key_cache *key_cache_allocate(uint32_t per_peer);
