/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a key lives, by clocks that the test sets. */
#include <time.h>

#include "keys/keyring.h"
#include "support/check_main.h"
#include "unit/keys/sample.h"

#define AUTO_CACHE CLEANUP(auto_key_cache_free)
#define WALL_S     1800000000 /* at the start of each test */
#define STEADY_S   5000
#define PEER       "//m2m.example/in-cse/C1"

static int64_t wall_s = WALL_S, steady_s = STEADY_S;

/* In place of the C library's, for all of this program. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    *now = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? wall_s : steady_s};
    return 0;
}

static void pass(int64_t seconds)
{
    wall_s += seconds;
    steady_s += seconds;
}

static struct key_cache *cache_of_one(int64_t lifetime_s)
{
    struct key_cache *cache = NULL;
    struct key_info info = sample_info(1, PEER, lifetime_s);
    ck_assert_int_eq(key_cache_new(10, 2, &cache, NULL), RESULT_OK);
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    return cache;
}

/* By every way to a key. */
static bool lives(struct key_cache *cache)
{
    struct key_info info;
    uint64_t cursor = 0;
    bool by_id = has_sample(cache, 1);
    ck_assert(by_id == key_cache_find_by_peer(cache, PEER, NULL, &info, NULL));
    ck_assert(by_id == key_cache_next(cache, &cursor, &info));
    ck_assert(!by_id || info.expires_s == WALL_S + 100);
    return by_id;
}

static struct key_cache *after_restart(struct key_cache *cache)
{
    struct key_restored restored;
    int fd = dup(key_cache_memory(cache));
    key_cache_leave(cache);
    ck_assert_int_eq(key_cache_restore(fd, 10, 2, &cache, &restored, NULL), RESULT_OK);
    ck_assert_uint_eq(restored.kept + restored.expired, 1);
    ck_assert_uint_eq(restored.damaged, 0);
    return cache;
}

static struct key_cache *after_resize(struct key_cache *old)
{
    struct key_cache *cache = NULL;
    ck_assert_int_eq(key_cache_resize(old, 20, &cache, NULL), RESULT_OK);
    key_cache_free(old);
    return cache;
}

START_TEST(a_key_lives_its_lifetime)
{
    struct key_cache *cache AUTO_CACHE = cache_of_one(100);
    pass(99);
    ck_assert(lives(cache));
    ck_assert_uint_eq(key_cache_sweep(cache, clock_steady_s(), 10), 0);
    pass(1);
    ck_assert(!lives(cache));
    ck_assert_uint_eq(key_cache_sweep(cache, clock_steady_s(), 10), 1);
}
END_TEST

START_TEST(a_clock_set_back_does_not_prolong_it)
{
    struct key_cache *cache AUTO_CACHE = cache_of_one(100);
    wall_s -= 1000000;
    pass(99);
    ck_assert(lives(cache));
    pass(1);
    ck_assert(!lives(cache));
    ck_assert_uint_eq(key_cache_sweep(cache, clock_steady_s(), 10), 1);
}
END_TEST

START_TEST(a_clock_set_forward_does_not_end_it)
{
    struct key_cache *cache AUTO_CACHE = cache_of_one(100);
    wall_s += 1000000;
    ck_assert(lives(cache));
    ck_assert_uint_eq(key_cache_sweep(cache, clock_steady_s(), 10), 0);
    wall_s -= 1000000;
    ck_assert(lives(cache));
    pass(100);
    ck_assert(!lives(cache));
}
END_TEST

START_TEST(a_restart_goes_on_with_what_is_left)
{
    static const int64_t jumps[] = {0, 1000000, -1000000};
    for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
        wall_s = WALL_S;
        struct key_cache *cache AUTO_CACHE = cache_of_one(100);
        pass(50);
        wall_s += jumps[i];
        cache = after_restart(cache);
        ck_assert(lives(cache));
        pass(49);
        cache = after_resize(after_restart(cache));
        ck_assert(lives(cache));
        pass(1);
        ck_assert(!lives(cache));
        cache = after_restart(cache);
        ck_assert_uint_eq(key_cache_count(cache), 0);
    }
}
END_TEST

/* As a version wrote it that knew the wall clock alone: without a deadline. */
static void make_old(struct key_cache *cache)
{
    struct key_arena arena;
    uint8_t text[KEY_TEXT_OCTETS];
    ck_assert_int_eq(key_arena_adopt(&arena, dup(key_cache_memory(cache)), 0, NULL), RESULT_OK);
    arena.blocks_touched = arena.layout.blocks;
    struct key_slot *slot = &arena.slot[1];
    size_t size = key_slot_text_size(slot);
    ck_assert(slot->sequence == 1 && slot->deadline_s == STEADY_S + 100);
    slot->deadline_s = 0;
    ck_assert(key_arena_read(&arena, slot->text, text, size));
    slot->checksum = key_slot_checksum(&arena, 1, slot->sequence, bytes_of(text, size));
    key_arena_leave(&arena);
}

START_TEST(a_key_of_an_older_version_lives_on)
{
    struct key_cache *cache AUTO_CACHE = cache_of_one(100);
    make_old(cache);
    pass(60);
    cache = after_restart(cache);
    ck_assert(lives(cache));
    wall_s -= 1000000;
    pass(39);
    ck_assert(lives(cache));
    pass(1);
    ck_assert(!lives(cache));
    wall_s += 1000000; /* it is gone by either clock */
    cache = after_restart(cache);
    ck_assert_uint_eq(key_cache_count(cache), 0);
}
END_TEST

START_TEST(no_lifetime_is_too_long_or_too_short)
{
    static const struct {
        int64_t expires_s, now_s;
        uint32_t deadline_s;
    } cases[] = {
        {100, 0, STEADY_S + 100},
        {0, 100, STEADY_S - 100},
        {-100, -100, STEADY_S},
        {0, STEADY_S, 1},
        {UINT32_MAX, 0, UINT32_MAX},
        {UINT32_MAX, STEADY_S + 1, UINT32_MAX - 1},
        {INT64_MAX, 0, UINT32_MAX},
        {INT64_MAX, INT64_MIN, UINT32_MAX},
        {INT64_MIN, INT64_MAX, 1},
        {INT64_MIN, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_uint_eq(key_deadline_at(cases[i].expires_s, cases[i].now_s), cases[i].deadline_s);
}
END_TEST

CHECK_MAIN("keys/cache lifetime", a_key_lives_its_lifetime, a_clock_set_back_does_not_prolong_it,
    a_clock_set_forward_does_not_end_it, a_restart_goes_on_with_what_is_left,
    a_key_of_an_older_version_lives_on, no_lifetime_is_too_long_or_too_short)
