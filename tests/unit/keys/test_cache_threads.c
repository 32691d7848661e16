/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eight threads on one cache that is too small for them: nothing gets torn, lost or counted twice.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "keys/cache.h"
#include "support/check_main.h"
#include "unit/keys/sample.h"

#define THREADS  8
#define TURNS    20000
#define CAPACITY 2000
#define PEERS    500

static struct key_cache *cache;
static atomic_uint events[KEY_REVOKED_BY_CRL + 1];

static void count_event(enum key_event event, const struct key_info *info, void *context)
{
    (void)info;
    (void)context;
    atomic_fetch_add(&events[event], 1);
}

static bool is_whole(const struct key_info *info, const uint8_t key[KEY_OCTETS])
{
    uint8_t expected[KEY_OCTETS];
    sample_key(info->id, expected);
    return memcmp(key, expected, KEY_OCTETS) == 0 && strcmp(info->local, LOCAL) == 0;
}

/* NULL, or what went wrong. */
static const char *turn(unsigned thread, unsigned number, uint64_t *cursor)
{
    char peer[64];
    uint8_t key[KEY_OCTETS];
    struct key_info found;
    snprintf(peer, sizeof(peer), "//m2m.example/in-cse/C%u", number * 7919U % PEERS);
    struct key_info info = sample_info(thread << 24 | number, peer, number % 5 ? 1000 : -1);
    if (put_sample(cache, &info) != RESULT_OK)
        return "a new key was not taken";
    if (key_cache_find_by_peer(cache, peer, number % 2 ? LOCAL : NULL, &found, key) &&
        (!is_whole(&found, key) || strcmp(found.peer, peer) != 0))
        return "by peer: torn";
    if (key_cache_find_by_id(cache, info.id, &found, key) &&
        (!is_whole(&found, key) || strcmp(found.peer, peer) != 0))
        return "by id: torn";
    if (number % 3 == 0 && key_cache_revoke(cache, info.id) == RESULT_OK &&
        key_cache_find_by_id(cache, info.id, &found, NULL))
        return "revoked, and still there";
    if (number % 50 == 0)
        key_cache_sweep(cache, clock_steady_s(), 20);
    if (!key_cache_next(cache, cursor, &found))
        *cursor = 0;
    return NULL;
}

static void *run(void *number)
{
    const char *complaint = NULL;
    uint64_t cursor = 0;
    for (unsigned i = 1; i <= TURNS && !complaint; i++)
        complaint = turn((unsigned)(uintptr_t)number, i, &cursor);
    return (void *)complaint;
}

START_TEST(threads_share_one_cache)
{
    pthread_t threads[THREADS];
    struct key_info info;
    ck_assert_int_eq(key_cache_new(CAPACITY, 4, &cache, NULL), RESULT_OK);
    key_cache_listen(cache, count_event, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *complaint = NULL;
        pthread_join(threads[i], &complaint);
        ck_assert_msg(!complaint, "%s", (char *)complaint);
    }

    ck_assert_uint_eq(events[KEY_ESTABLISHED], THREADS * TURNS);
    ck_assert_uint_eq(key_cache_count(cache),
        events[KEY_ESTABLISHED] - events[KEY_EXPIRED] - events[KEY_REVOKED] - events[KEY_EVICTED]);
    while (key_cache_sweep(cache, clock_steady_s(), 1000) > 0)
        ;
    uint32_t walked = 0;
    for (uint64_t cursor = 0; key_cache_next(cache, &cursor, &info);)
        walked++;
    ck_assert_uint_eq(walked, key_cache_count(cache));
    ck_assert_uint_gt(walked, 0);
    key_cache_free(cache);
}
END_TEST

CHECK_MAIN("keys/cache with threads", threads_share_one_cache)
