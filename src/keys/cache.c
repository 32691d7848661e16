/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "keys/keyring.h"

/* Work under the lock is short and does no I/O: the listener is called after it is released. */
struct key_cache {
    pthread_mutex_t lock; /* protects the keyring, except for its count, which is atomic */
    struct keyring keyring;
    key_listener *listener;
    void *context;
};

static void notify(const struct key_cache *cache, const struct key_changes *changes)
{
    for (unsigned i = 0; cache->listener && i < changes->count; i++)
        cache->listener(changes->item[i].event, &changes->item[i].info, cache->context);
}

/* Copies the key at AT, with the lock held. False when AT is 0. */
static bool copy_out(
    const struct key_cache *cache, uint32_t at, struct key_info *info, uint8_t key[KEY_OCTETS])
{
    if (!at)
        return false;
    key_arena_describe(&cache->keyring.arena, at, info);
    if (key)
        memcpy(key, cache->keyring.arena.octets[at], KEY_OCTETS);
    return true;
}

/* Allocates a cache without its keyring; NULL when memory is short. */
static struct key_cache *allocate(struct fault *fault)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        fault_set(fault, RESULT_NO_MEMORY, "no memory for the key cache");
    else
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

enum result key_cache_new(
    uint32_t capacity, uint32_t per_peer, struct key_cache **out, struct fault *fault)
{
    struct key_cache *cache CLEANUP(auto_key_cache_free) = allocate(fault);
    if (!cache)
        return RESULT_NO_MEMORY;
    TRY(keyring_open(&cache->keyring, capacity, per_peer, fault));
    *out = TAKE_PTR(cache);
    return RESULT_OK;
}

void key_cache_free(struct key_cache *cache)
{
    if (!cache)
        return;
    keyring_close(&cache->keyring);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void key_cache_leave(struct key_cache *cache)
{
    keyring_leave(&cache->keyring);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Keys that cannot be read are wiped. After other failures, such as a lack of memory, the
 * next start may succeed: they stay in the memfd, which the service manager has open too. */
enum result key_cache_restore(int fd, uint32_t capacity, uint32_t per_peer, struct key_cache **out,
    struct key_restored *restored, struct fault *fault)
{
    struct key_cache *cache = allocate(fault);
    if (!cache) {
        close(fd);
        return RESULT_NO_MEMORY;
    }
    enum result result = keyring_restore(&cache->keyring, fd, capacity, per_peer, restored, fault);
    if (result == RESULT_OK)
        *out = cache;
    else if (result == RESULT_BAD_INPUT)
        key_cache_free(cache);
    else
        key_cache_leave(cache);
    return result;
}

enum result key_cache_resize(
    const struct key_cache *old, uint32_t capacity, struct key_cache **out, struct fault *fault)
{
    struct key_cache *new CLEANUP(auto_key_cache_free) = NULL;
    TRY(key_cache_new(capacity, old->keyring.per_peer, &new, fault));
    if (keyring_copy(&new->keyring, &old->keyring) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for a cache of %u keys", capacity);
    *out = TAKE_PTR(new);
    return RESULT_OK;
}

int key_cache_memory(const struct key_cache *cache)
{
    return cache->keyring.arena.fd;
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
    uint32_t deadline_s = key_deadline_at(info->expires_s, info->established_s);
    struct key_changes changes;
    changes.count = 0;
    if (!is_terminated(info->peer) || !is_terminated(info->local) ||
        evidence.size > KEY_EVIDENCE_OCTETS)
        return RESULT_INTERNAL;
    pthread_mutex_lock(&cache->lock);
    enum result result = keyring_put(&cache->keyring, info, deadline_s, key, evidence, &changes);
    pthread_mutex_unlock(&cache->lock);
    notify(cache, &changes);
    return result;
}

bool key_cache_find_by_id(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS],
    struct key_info *info, uint8_t key[KEY_OCTETS])
{
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find(&cache->keyring.table, id);
    bool is_found = copy_out(cache, keyring_is_live(&cache->keyring, at) ? at : 0, info, key);
    pthread_mutex_unlock(&cache->lock);
    return is_found;
}

bool key_cache_find_by_peer(struct key_cache *cache, const char *peer, const char *local,
    struct key_info *info, uint8_t key[KEY_OCTETS])
{
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find_by_peer(&cache->keyring.table, peer, local, clock_steady_s());
    bool is_found = copy_out(cache, at, info, key);
    pthread_mutex_unlock(&cache->lock);
    return is_found;
}

static enum result revoke_as(
    struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS], enum key_event event)
{
    struct key_changes changes;
    changes.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_find(&cache->keyring.table, id);
    enum result result = keyring_is_live(&cache->keyring, at) ? RESULT_OK : RESULT_NOT_FOUND;
    if (at)
        keyring_discard(&cache->keyring, at, event, &changes);
    pthread_mutex_unlock(&cache->lock);
    notify(cache, &changes);
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
    uint32_t at = key_table_next(&cache->keyring.table, cursor);
    while (at && !key_table_is_live(&cache->keyring.table, at, now_s))
        at = key_table_next(&cache->keyring.table, cursor);
    if (at)
        key_arena_describe(&cache->keyring.arena, at, info);
    pthread_mutex_unlock(&cache->lock);
    return at != 0;
}

/* Reviews the key at AT. Before it removes the key it moves the cursor back to the next newer one:
 * key_table_next would have to search if the key at its cursor were gone. */
static bool review_one(
    struct key_cache *cache, uint64_t *cursor, key_reviewer *reviewer, void *context)
{
    struct key_changes changes;
    struct key_info info;
    uint8_t text[KEY_TEXT_OCTETS];
    changes.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_next(&cache->keyring.table, cursor);
    if (keyring_is_live(&cache->keyring, at)) {
        key_arena_describe(&cache->keyring.arena, at, &info);
        if (reviewer(&info, key_arena_evidence(&cache->keyring.arena, at, text), context)) {
            *cursor = key_table_before(&cache->keyring.table, at);
            keyring_discard(&cache->keyring, at, KEY_REVOKED_BY_CRL, &changes);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    notify(cache, &changes);
    return at != 0;
}

/* Releases the lock between any two keys, so that a long list does not delay other threads. */
bool key_cache_review(
    struct key_cache *cache, uint64_t *cursor, unsigned most, key_reviewer *reviewer, void *context)
{
    bool more = true;
    for (unsigned i = 0; i < most && more; i++)
        more = review_one(cache, cursor, reviewer, context);
    return more;
}

static bool expire_one(struct key_cache *cache, int64_t now_s)
{
    struct key_changes changes;
    changes.count = 0;
    pthread_mutex_lock(&cache->lock);
    uint32_t at = key_table_due(&cache->keyring.table, now_s);
    if (at)
        keyring_discard(&cache->keyring, at, KEY_EXPIRED, &changes);
    pthread_mutex_unlock(&cache->lock);
    notify(cache, &changes);
    return at != 0;
}

/* Releases the lock between any two keys, as key_cache_review does. */
unsigned key_cache_sweep(struct key_cache *cache, int64_t now_s, unsigned most)
{
    unsigned removed = 0;
    while (removed < most && expire_one(cache, now_s))
        removed++;
    return removed;
}

uint32_t key_cache_count(const struct key_cache *cache)
{
    return keyring_count(&cache->keyring);
}

uint32_t key_cache_capacity(const struct key_cache *cache)
{
    return keyring_capacity(&cache->keyring);
}
