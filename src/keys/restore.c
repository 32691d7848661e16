/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cache out of what another process left, before threads and listeners know of it. */
#include <string.h>

#include "base/clock.h"
#include "keys/interior.h"

/* As when a key is put. */
static void make_room(
    struct key_cache *cache, const struct key_pair *pair, struct key_restored *restored)
{
    uint32_t at = 0;
    if (pair->keys > cache->per_peer)
        at = key_table_oldest_of(&cache->table, pair);
    else if (cache->count > key_cache_capacity(cache))
        at = key_table_oldest(&cache->table);
    if (!at)
        return;
    key_table_remove(&cache->table, at);
    key_arena_remove(&cache->arena, at);
    cache->count--;
    restored->evicted++;
}

/* A version that knew the wall clock alone left no deadline: then what is left by the wall clock.
 * The slot stays as it is, since a new deadline and a new checksum can't be stored as one. */
static uint32_t deadline_of(const struct key_slot *slot)
{
    return slot->deadline_s ? slot->deadline_s : key_deadline_at(slot->expires_s, clock_wall_s());
}

/* The next in the order of age. */
static enum result take_up(struct key_cache *cache, uint32_t at, struct key_restored *restored)
{
    struct key_info info;
    key_arena_describe(&cache->arena, at, &info);
    uint32_t deadline_s = deadline_of(&cache->arena.slot[at]);
    bool twice = key_table_find(&cache->table, info.id) != 0;
    if (twice || deadline_s <= clock_steady_s()) {
        restored->damaged += twice;
        restored->expired += !twice;
        key_arena_remove(&cache->arena, at);
        key_table_give(&cache->table, at);
        return RESULT_OK;
    }
    struct key_pair *pair = key_table_hold(&cache->table, info.peer, info.local);
    if (!pair)
        return RESULT_NO_MEMORY;
    key_table_insert(&cache->table, at, pair, deadline_s);
    cache->sequence = cache->arena.slot[at].sequence;
    cache->count++;
    make_room(cache, pair, restored);
    return RESULT_OK;
}

static enum result take_up_all(
    struct key_cache *cache, struct key_restored *restored, struct fault *fault)
{
    struct key_inventory found = {0};
    enum result result = key_arena_check(&cache->arena, &found, fault);
    if (result != RESULT_OK)
        return result;
    AUTO_FREE uint32_t *at = found.at;
    *restored = (struct key_restored){.damaged = found.damaged};
    key_table_begin(&cache->table, found.touched);
    for (uint32_t i = 0; i < found.count; i++)
        if (take_up(cache, at[i], restored) != RESULT_OK)
            return fault_set(fault, RESULT_NO_MEMORY, "no memory for %u keys", found.count);
    restored->kept = cache->count;
    return RESULT_OK;
}

enum result key_cache_restore(int fd, uint32_t capacity, uint32_t per_peer, struct key_cache **out,
    struct key_restored *restored, struct fault *fault)
{
    enum result result = key_cache_check_bounds(capacity, per_peer, fault);
    struct key_cache *cache = result == RESULT_OK ? key_cache_allocate(per_peer) : NULL;
    if (!cache) {
        close(fd);
        return result != RESULT_OK
                   ? result
                   : fault_set(fault, RESULT_NO_MEMORY, "no memory for the key cache");
    }
    result = key_arena_adopt(&cache->arena, fd, capacity + 1, fault);
    if (result == RESULT_OK)
        result = key_table_open(&cache->table, &cache->arena, fault);
    if (result == RESULT_OK)
        result = take_up_all(cache, restored, fault);
    if (result == RESULT_OK)
        *out = cache;
    else if (result == RESULT_BAD_INPUT)
        key_cache_free(cache);
    else
        key_cache_leave(cache); /* better luck next time */
    return result;
}

static enum result copy_key(struct key_cache *to, const struct key_cache *from, uint32_t at)
{
    struct key_info info;
    uint8_t text[KEY_TEXT_OCTETS];
    key_arena_describe(&from->arena, at, &info);
    return key_cache_put_until(to, &info, from->table.records[at].deadline_s,
        from->arena.octets[at], key_arena_evidence(&from->arena, at, text));
}

enum result key_cache_resize(
    const struct key_cache *old, uint32_t capacity, struct key_cache **out, struct fault *fault)
{
    CLEANUP(auto_key_cache_free) struct key_cache *new = NULL;
    enum result result = key_cache_new(capacity, old->per_peer, &new, fault);
    if (result != RESULT_OK)
        return result;
    for (uint32_t at = key_table_oldest(&old->table); at; at = key_table_newer(&old->table, at))
        if (copy_key(new, old, at) != RESULT_OK)
            return fault_set(fault, RESULT_NO_MEMORY, "no memory for a cache of %u keys", capacity);
    *out = TAKE_PTR(new);
    return RESULT_OK;
}
