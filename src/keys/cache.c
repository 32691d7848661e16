/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table and the arena under one lock. What is done with the lock held is short and does no I/O:
 * events are noted then, and told once it is released. */
#include "keys/cache.h"

#include <string.h>

#include "base/clock.h"
#include "keys/interior.h"

/* What happened with the lock held: one insertion can expire a namesake, evict another key and
 * establish its own. */
struct news {
    unsigned count;
    struct {
        enum key_event event;
        struct key_info info;
    } item[3];
};

static void note(struct key_cache *cache, struct news *news, enum key_event event, uint32_t at)
{
    news->item[news->count].event = event;
    key_arena_describe(&cache->arena, at, &news->item[news->count].info);
    news->count++;
}

static void tell(const struct key_cache *cache, const struct news *news)
{
    for (unsigned i = 0; cache->listener && i < news->count; i++)
        cache->listener(news->item[i].event, &news->item[i].info, cache->context);
}

/* --- with the lock held --- */

static bool is_live(const struct key_cache *cache, uint32_t at)
{
    return key_table_is_live(&cache->table, at, clock_steady_s());
}

/* A key that had expired goes as expired, whatever else makes it go. */
static void discard(struct key_cache *cache, uint32_t at, enum key_event event, struct news *news)
{
    note(cache, news, is_live(cache, at) ? event : KEY_EXPIRED, at);
    key_table_remove(&cache->table, at);
    key_arena_remove(&cache->arena, at);
    cache->count--;
}

/* The newest key makes the oldest go, of its pair or of all. */
static void make_room(struct key_cache *cache, const struct key_pair *pair, struct news *news)
{
    if (pair->keys > cache->per_peer)
        discard(cache, key_table_oldest_of(&cache->table, pair), KEY_EVICTED, news);
    else if (cache->count > key_cache_capacity(cache))
        discard(cache, key_table_oldest(&cache->table), KEY_EVICTED, news);
}

/* The new key comes before another goes, for which the arena has one slot more than the cache has
 * capacity: if the process dies between, no key is lost. */
static enum result put(struct key_cache *cache, const struct key_info *info, uint32_t deadline_s,
    const uint8_t key[KEY_OCTETS], struct bytes evidence, struct news *news)
{
    struct key_table *table = &cache->table;
    uint32_t namesake = key_table_find(table, info->id);
    if (is_live(cache, namesake))
        return RESULT_CONFLICT;
    if (namesake)
        discard(cache, namesake, KEY_EXPIRED, news);
    struct key_pair *pair = key_table_hold(table, info->peer, info->local);
    if (!pair)
        return RESULT_NO_MEMORY;
    uint32_t at = key_table_take(table);
    enum result result =
        key_arena_put(&cache->arena, at, cache->sequence + 1, info, deadline_s, key, evidence);
    if (result != RESULT_OK) {
        key_table_give(table, at);
        key_table_release(table, pair);
        return result;
    }
    key_table_insert(table, at, pair, deadline_s);
    cache->sequence++;
    cache->count++;
    make_room(cache, pair, news);
    note(cache, news, KEY_ESTABLISHED, at);
    return RESULT_OK;
}

static enum result hand_out(
    const struct key_cache *cache, uint32_t at, struct key_info *info, uint8_t key[KEY_OCTETS])
{
    if (!at)
        return RESULT_NOT_FOUND;
    key_arena_describe(&cache->arena, at, info);
    if (key)
        memcpy(key, cache->arena.octets[at], KEY_OCTETS);
    return RESULT_OK;
}

/* --- as others see it --- */

enum result key_cache_check_bounds(uint32_t capacity, uint32_t per_peer, struct fault *fault)
{
    if (capacity == 0 || capacity >= KEY_SLOTS_MOST)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "the key cache can hold from 1 to %u keys, not %u", KEY_SLOTS_MOST - 1, capacity);
    if (per_peer == 0)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "a peer needs room for 1 key or more");
    return RESULT_OK;
}

struct key_cache *key_cache_allocate(uint32_t per_peer)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    pthread_mutex_init(&cache->lock, NULL);
    cache->arena.fd = -1;
    cache->per_peer = per_peer;
    return cache;
}

enum result key_cache_new(
    uint32_t capacity, uint32_t per_peer, struct key_cache **out, struct fault *fault)
{
    enum result result = key_cache_check_bounds(capacity, per_peer, fault);
    if (result != RESULT_OK)
        return result;
    CLEANUP(auto_key_cache_free) struct key_cache *cache = key_cache_allocate(per_peer);
    if (!cache)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for the key cache");
    result = key_arena_open(&cache->arena, capacity + 1, fault);
    if (result == RESULT_OK)
        result = key_table_open(&cache->table, &cache->arena, fault);
    if (result == RESULT_OK)
        *out = TAKE_PTR(cache);
    return result;
}

static void release(struct key_cache *cache)
{
    key_table_close(&cache->table);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void key_cache_free(struct key_cache *cache)
{
    if (!cache)
        return;
    key_arena_close(&cache->arena);
    release(cache);
}

void key_cache_leave(struct key_cache *cache)
{
    key_arena_leave(&cache->arena);
    release(cache);
}

int key_cache_memory(const struct key_cache *cache)
{
    return cache->arena.fd;
}

void key_cache_listen(struct key_cache *cache, key_listener *listener, void *context)
{
    cache->listener = listener;
    cache->context = context;
}

static bool is_terminated(const char text[IDENTIFIER_OCTETS])
{
    return memchr(text, '\0', IDENTIFIER_OCTETS) != NULL;
}

static int64_t between(int64_t least, int64_t value, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

uint32_t key_deadline_at(int64_t expires_s, int64_t now_s)
{
    int64_t left_s;
    if (__builtin_sub_overflow(expires_s, now_s, &left_s))
        left_s = expires_s < now_s ? -(int64_t)UINT32_MAX : UINT32_MAX;
    left_s = between(-(int64_t)UINT32_MAX, left_s, UINT32_MAX);
    return (uint32_t)between(1, clock_steady_s() + left_s, UINT32_MAX);
}

enum result key_cache_put(struct key_cache *cache, const struct key_info *info,
    const uint8_t key[KEY_OCTETS], struct bytes evidence)
{
    return key_cache_put_until(
        cache, info, key_deadline_at(info->expires_s, info->established_s), key, evidence);
}

enum result key_cache_put_until(struct key_cache *cache, const struct key_info *info,
    uint32_t deadline_s, const uint8_t key[KEY_OCTETS], struct bytes evidence)
{
    struct news news;
    news.count = 0;
    if (!is_terminated(info->peer) || !is_terminated(info->local) ||
        evidence.size > KEY_EVIDENCE_OCTETS)
        return RESULT_INTERNAL;
    pthread_mutex_lock(&cache->lock);
    enum result result = put(cache, info, deadline_s, key, evidence, &news);
    pthread_mutex_unlock(&cache->lock);
    tell(cache, &news);
    return result;
}

enum result key_cache_get_by_id(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS],
    struct key_info *info, uint8_t key[KEY_OCTETS])
{
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find(&cache->table, id);
    enum result result = hand_out(cache, is_live(cache, at) ? at : 0, info, key);
    pthread_mutex_unlock(&cache->lock);
    return result;
}

enum result key_cache_get_by_peer(struct key_cache *cache, const char *peer, const char *local,
    struct key_info *info, uint8_t key[KEY_OCTETS])
{
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find_by_peer(&cache->table, peer, local, clock_steady_s());
    enum result result = hand_out(cache, at, info, key);
    pthread_mutex_unlock(&cache->lock);
    return result;
}

static enum result revoke_as(
    struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS], enum key_event event)
{
    struct news news;
    news.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find(&cache->table, id);
    enum result result = is_live(cache, at) ? RESULT_OK : RESULT_NOT_FOUND;
    if (at)
        discard(cache, at, event, &news);
    pthread_mutex_unlock(&cache->lock);
    tell(cache, &news);
    return result;
}

enum result key_cache_revoke(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS])
{
    return revoke_as(cache, id, KEY_REVOKED);
}

enum result key_cache_revoke_by_crl(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS])
{
    return revoke_as(cache, id, KEY_REVOKED_BY_CRL);
}

bool key_cache_next(struct key_cache *cache, uint64_t *cursor, struct key_info *info)
{
    int64_t now_s = clock_steady_s();
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_next(&cache->table, cursor);
    while (at && !key_table_is_live(&cache->table, at, now_s))
        at = key_table_next(&cache->table, cursor);
    if (at)
        key_arena_describe(&cache->arena, at, info);
    pthread_mutex_unlock(&cache->lock);
    return at != 0;
}

/* The cursor of a walk must not stand on a key that goes: it would be searched for. */
static bool review_one(struct key_cache *cache, uint64_t *cursor, key_judge *judge, void *context)
{
    struct news news;
    struct key_info info;
    uint8_t text[KEY_TEXT_OCTETS];
    news.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_next(&cache->table, cursor);
    if (is_live(cache, at)) {
        key_arena_describe(&cache->arena, at, &info);
        if (judge(&info, key_arena_evidence(&cache->arena, at, text), context)) {
            *cursor = key_table_before(&cache->table, at);
            discard(cache, at, KEY_REVOKED_BY_CRL, &news);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    tell(cache, &news);
    return at != 0;
}

/* The lock is let go between any two keys: a long list of them holds nobody up. */
bool key_cache_review(
    struct key_cache *cache, uint64_t *cursor, unsigned most, key_judge *judge, void *context)
{
    bool more = true;
    for (unsigned i = 0; i < most && more; i++)
        more = review_one(cache, cursor, judge, context);
    return more;
}

static bool expire_one(struct key_cache *cache, int64_t now_s)
{
    struct news news;
    news.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_due(&cache->table, now_s);
    if (at)
        discard(cache, at, KEY_EXPIRED, &news);
    pthread_mutex_unlock(&cache->lock);
    tell(cache, &news);
    return at != 0;
}

/* The lock is let go between any two keys: a large sweep holds nobody up. */
unsigned key_cache_sweep(struct key_cache *cache, int64_t now_s, unsigned most)
{
    unsigned removed = 0;
    while (removed < most && expire_one(cache, now_s))
        removed++;
    return removed;
}

uint32_t key_cache_count(const struct key_cache *cache)
{
    return cache->count;
}

uint32_t key_cache_capacity(const struct key_cache *cache)
{
    return cache->arena.layout.slots - 1;
}
