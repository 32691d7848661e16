/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table and the arena under one lock. What is done with the lock held is short and does no I/O:
 * events are noted then, and told once it is released. */
#include "keys/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "keys/arena.h"
#include "keys/table.h"

struct key_cache {
    pthread_mutex_t lock; /* over table and arena */
    struct key_table table;
    struct key_arena arena;
    uint32_t per_peer;
    _Atomic uint32_t count;
    key_listener *listener;
    void *context;
};

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
    key_table_describe(&cache->table, at, &news->item[news->count].info);
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
    return key_table_is_live(&cache->table, at, clock_wall_s());
}

/* A key that had expired goes as expired, whatever else makes it go. */
static void discard(struct key_cache *cache, uint32_t at, enum key_event event, struct news *news)
{
    note(cache, news, is_live(cache, at) ? event : KEY_EXPIRED, at);
    key_arena_wipe(&cache->arena, at);
    key_table_remove(&cache->table, at);
    cache->count--;
}

static enum result put(struct key_cache *cache, const struct key_info *info,
    const uint8_t key[KEY_OCTETS], struct bytes evidence, struct news *news)
{
    struct key_table *table = &cache->table;
    uint32_t namesake = key_table_find(table, info->id);
    if (is_live(cache, namesake))
        return RESULT_CONFLICT;
    AUTO_FREE uint8_t *copy = malloc(evidence.size + 1); /* never of 0 */
    struct key_pair *pair = copy ? key_table_hold(table, info->peer, info->local) : NULL;
    if (!pair)
        return RESULT_NO_MEMORY;
    if (evidence.size > 0)
        memcpy(copy, evidence.data, evidence.size);
    if (namesake)
        discard(cache, namesake, KEY_EXPIRED, news);
    if (pair->keys > cache->per_peer)
        discard(cache, key_table_oldest_of(table, pair), KEY_EVICTED, news);
    else if (cache->count == table->capacity)
        discard(cache, key_table_oldest(table), KEY_EVICTED, news);
    uint32_t at = key_table_insert(table, pair, info, TAKE_PTR(copy), evidence.size);
    key_arena_put(&cache->arena, at, key);
    cache->count++;
    note(cache, news, KEY_ESTABLISHED, at);
    return RESULT_OK;
}

static enum result hand_out(
    const struct key_cache *cache, uint32_t at, struct key_info *info, uint8_t key[KEY_OCTETS])
{
    if (!at)
        return RESULT_NOT_FOUND;
    key_table_describe(&cache->table, at, info);
    if (key)
        key_arena_get(&cache->arena, at, key);
    return RESULT_OK;
}

/* --- as others see it --- */

enum result key_cache_new(
    uint32_t capacity, uint32_t per_peer, struct key_cache **out, struct fault *fault)
{
    if (per_peer == 0)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "a peer needs room for 1 key or more");
    CLEANUP(auto_key_cache_free) struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for the key cache");
    pthread_mutex_init(&cache->lock, NULL);
    cache->per_peer = per_peer;
    enum result result = key_table_open(&cache->table, capacity, fault);
    if (result == RESULT_OK)
        result = key_arena_open(&cache->arena, capacity, fault);
    if (result == RESULT_OK)
        *out = TAKE_PTR(cache);
    return result;
}

void key_cache_free(struct key_cache *cache)
{
    if (!cache)
        return;
    key_arena_close(&cache->arena);
    key_table_close(&cache->table);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
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

enum result key_cache_put(struct key_cache *cache, const struct key_info *info,
    const uint8_t key[KEY_OCTETS], struct bytes evidence)
{
    struct news news;
    news.count = 0;
    if (!is_terminated(info->peer) || !is_terminated(info->local) ||
        evidence.size > KEY_EVIDENCE_OCTETS)
        return RESULT_INTERNAL;
    pthread_mutex_lock(&cache->lock);
    enum result result = put(cache, info, key, evidence, &news);
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
    uint32_t at = key_table_find_by_peer(&cache->table, peer, local, clock_wall_s());
    enum result result = hand_out(cache, at, info, key);
    pthread_mutex_unlock(&cache->lock);
    return result;
}

enum result key_cache_revoke(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS])
{
    struct news news;
    news.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find(&cache->table, id);
    enum result result = is_live(cache, at) ? RESULT_OK : RESULT_NOT_FOUND;
    if (at)
        discard(cache, at, KEY_REVOKED, &news);
    pthread_mutex_unlock(&cache->lock);
    tell(cache, &news);
    return result;
}

bool key_cache_next(struct key_cache *cache, uint64_t *cursor, struct key_info *info)
{
    int64_t now_s = clock_wall_s();
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_next(&cache->table, cursor);
    while (at && !key_table_is_live(&cache->table, at, now_s))
        at = key_table_next(&cache->table, cursor);
    if (at)
        key_table_describe(&cache->table, at, info);
    pthread_mutex_unlock(&cache->lock);
    return at != 0;
}

/* The cursor of a walk must not stand on a key that goes: it would be searched for. */
static bool review_one(struct key_cache *cache, uint64_t *cursor, key_judge *judge, void *context)
{
    struct news news;
    struct key_info info;
    news.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_next(&cache->table, cursor);
    if (is_live(cache, at)) {
        key_table_describe(&cache->table, at, &info);
        if (judge(&info, key_table_evidence(&cache->table, at), context)) {
            *cursor = key_table_before(&cache->table, at);
            discard(cache, at, KEY_REVOKED, &news);
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
    return cache->table.capacity;
}
