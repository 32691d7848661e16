/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key cache from within. For keys/cache.c and keys/restore.c alone. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

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
/* Without table and arena; NULL when out of memory. */
struct key_cache *key_cache_allocate(uint32_t per_peer);
