/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/cache.h"

#include "support/check_main.h"
#include "unit/keys/sample.h"

#define AUTO_CACHE CLEANUP(auto_key_cache_free)

/* What the listener heard: one letter an event, with the key's number. */
static char heard[1000];

static void listen(enum key_event event, const struct key_info *info, void *context)
{
    uint32_t number;
    memcpy(&number, info->id, sizeof(number));
    /* That the lock is free shows in that this comes back. */
    ck_assert_uint_le(key_cache_count(context), key_cache_capacity(context));
    uint64_t cursor = 0;
    struct key_info other;
    key_cache_next(context, &cursor, &other);
    size_t used = strlen(heard);
    snprintf(heard + used, sizeof(heard) - used, "%c%u ", "+xr-"[event], number);
}

static struct key_cache *cache_of(uint32_t capacity, uint32_t per_peer)
{
    struct key_cache *cache = NULL;
    struct fault fault = FAULT_INIT;
    enum result result = key_cache_new(capacity, per_peer, &cache, &fault);
    ck_assert_msg(result == RESULT_OK, "%s", fault.text);
    heard[0] = '\0';
    key_cache_listen(cache, listen, cache);
    return cache;
}

static void put(struct key_cache *cache, uint32_t number, const char *peer, int64_t lifetime_s)
{
    struct key_info info = sample_info(number, peer, lifetime_s);
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
}

static void put_local(struct key_cache *cache, uint32_t number, const char *peer, const char *local)
{
    struct key_info info = sample_info(number, peer, 100);
    snprintf(info.local, sizeof(info.local), "%s", local);
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
}

/* The number of PEER's newest key, 0 for none. */
static uint32_t newest(struct key_cache *cache, const char *peer, const char *local)
{
    struct key_info info;
    uint8_t key[KEY_OCTETS], expected[KEY_OCTETS];
    uint32_t number;
    if (!key_cache_find_by_peer(cache, peer, local, &info, key))
        return 0;
    sample_key(info.id, expected);
    ck_assert_mem_eq(key, expected, KEY_OCTETS);
    ck_assert_str_eq(info.peer, peer);
    memcpy(&number, info.id, sizeof(number));
    return number;
}

static enum result revoke_sample(struct key_cache *cache, uint32_t number)
{
    uint8_t id[KEY_ID_OCTETS] = {0};
    memcpy(id, &number, sizeof(number));
    return key_cache_revoke(cache, id);
}

/* The numbers of all live keys as a walk shows them. */
static const char *walked(struct key_cache *cache)
{
    static char text[1000];
    size_t used = 0;
    struct key_info info;
    text[0] = '\0';
    for (uint64_t cursor = 0; key_cache_next(cache, &cursor, &info);) {
        uint32_t number;
        memcpy(&number, info.id, sizeof(number));
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%u ", number);
    }
    return text;
}

START_TEST(bounds_are_checked)
{
    struct key_cache *cache = NULL;
    struct fault fault = FAULT_INIT;
    ck_assert_int_eq(key_cache_new(0, 1, &cache, &fault), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(key_cache_new(1, 0, &cache, &fault), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(key_cache_new(UINT32_MAX, 1, &cache, &fault), RESULT_BAD_CONFIGURATION);
    ck_assert_str_eq(fault.text, "the key cache can hold from 1 to 16777215 keys, not 4294967295");
    ck_assert_ptr_null(cache);
}
END_TEST

START_TEST(what_is_put_comes_back_whole)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    struct key_info in = sample_info(7, "//m2m.example/in-cse/C1", 100), out;
    uint8_t key[KEY_OCTETS], expected[KEY_OCTETS];
    in.role = KEY_ROLE_INITIATING;
    in.flavour = FLAVOUR_NODE_ID;
    in.cipher_suite = 0xc0ae;
    sample_key(in.id, expected);
    ck_assert_int_eq(put_sample(cache, &in), RESULT_OK);
    ck_assert(key_cache_find_by_id(cache, in.id, &out, key));
    ck_assert_mem_eq(key, expected, KEY_OCTETS);
    ck_assert_mem_eq(out.id, in.id, KEY_ID_OCTETS);
    ck_assert_str_eq(out.peer, in.peer);
    ck_assert_str_eq(out.local, in.local);
    ck_assert(out.role == in.role && out.flavour == in.flavour);
    ck_assert_uint_eq(out.cipher_suite, 0xc0ae);
    ck_assert_int_eq(out.established_s, in.established_s);
    ck_assert_int_eq(out.expires_s, in.expires_s);
    ck_assert(key_cache_find_by_id(cache, in.id, &out, NULL));
    ck_assert_uint_eq(key_cache_count(cache), 1);
    ck_assert_uint_eq(key_cache_capacity(cache), 10);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    put(cache, 1, "//sp/cse/C1", 100);
    ck_assert(!has_sample(cache, 2));
    ck_assert_uint_eq(newest(cache, "//sp/cse/C2", NULL), 0);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", "//sp/other"), 0);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C", NULL), 0);
    ck_assert_int_eq(revoke_sample(cache, 2), RESULT_NOT_FOUND);
    ck_assert_str_eq(heard, "+1 ");
}
END_TEST

START_TEST(an_id_is_taken_once)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    struct key_info other = sample_info(1, "//sp/cse/C2", 100);
    put(cache, 1, "//sp/cse/C1", 100);
    ck_assert_int_eq(put_sample(cache, &other), RESULT_CONFLICT);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 1);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C2", NULL), 0);
    ck_assert_str_eq(heard, "+1 ");
}
END_TEST

START_TEST(an_expired_namesake_makes_room)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 1);
    put(cache, 1, "//sp/cse/C1", -1);
    put(cache, 1, "//sp/cse/C1", 100);
    ck_assert_str_eq(heard, "+1 x1 +1 ");
    ck_assert(has_sample(cache, 1));
}
END_TEST

START_TEST(names_without_an_end_are_refused)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 1);
    struct key_info info = sample_info(1, "//sp/cse/C1", 100);
    memset(info.peer, 'a', sizeof(info.peer));
    ck_assert_int_eq(put_sample(cache, &info), RESULT_INTERNAL);
    info.peer[sizeof(info.peer) - 1] = '\0';
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    ck_assert_uint_eq(newest(cache, info.peer, LOCAL), 1);
}
END_TEST

START_TEST(by_peer_the_newest_live_one)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 3);
    put(cache, 1, "//sp/cse/C1", 100);
    put(cache, 2, "//sp/cse/C1", 100);
    put(cache, 3, "//sp/cse/C1", 0); /* over at once, and not swept */
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 2);
    ck_assert_int_eq(revoke_sample(cache, 2), RESULT_OK);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", LOCAL), 1);
    ck_assert_int_eq(revoke_sample(cache, 1), RESULT_OK);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 0);
}
END_TEST

START_TEST(by_peer_and_end_point)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    put_local(cache, 1, "//sp/cse/C1", "//sp/a");
    put_local(cache, 2, "//sp/cse/C1", "//sp/b");
    put_local(cache, 3, "//sp/cse/C2", "//sp/a");
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", "//sp/a"), 1);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", "//sp/b"), 2);
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 2);
    put_local(cache, 4, "//sp/cse/C1", "//sp/a");
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 4);
}
END_TEST

START_TEST(a_pair_keeps_its_newest_keys)
{
    struct key_cache *cache AUTO_CACHE = cache_of(100, 2);
    for (uint32_t i = 1; i <= 4; i++)
        put(cache, i, "//sp/cse/C1", 100);
    put_local(cache, 5, "//sp/cse/C1", "//sp/other");
    ck_assert_str_eq(heard, "+1 +2 -1 +3 -2 +4 +5 ");
    ck_assert_str_eq(walked(cache), "5 4 3 ");
    ck_assert(!has_sample(cache, 2) && has_sample(cache, 3));
}
END_TEST

START_TEST(one_key_a_pair)
{
    struct key_cache *cache AUTO_CACHE = cache_of(1, 1);
    for (uint32_t i = 1; i <= 3; i++)
        put(cache, i, "//sp/cse/C1", 100);
    put(cache, 4, "//sp/cse/C2", 100);
    ck_assert_str_eq(heard, "+1 -1 +2 -2 +3 -3 +4 ");
    ck_assert_uint_eq(newest(cache, "//sp/cse/C2", LOCAL), 4);
    ck_assert_uint_eq(key_cache_count(cache), 1);
}
END_TEST

START_TEST(when_full_the_oldest_makes_room)
{
    struct key_cache *cache AUTO_CACHE = cache_of(3, 2);
    char peer[32];
    for (uint32_t i = 1; i <= 5; i++) {
        snprintf(peer, sizeof(peer), "//sp/cse/C%u", i);
        put(cache, i, peer, 100);
    }
    ck_assert_str_eq(heard, "+1 +2 +3 -1 +4 -2 +5 ");
    ck_assert_str_eq(walked(cache), "5 4 3 ");
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", NULL), 0);
}
END_TEST

START_TEST(what_makes_room_expired_is_said_to_be)
{
    struct key_cache *cache AUTO_CACHE = cache_of(1, 2);
    put(cache, 1, "//sp/cse/C1", -5);
    put(cache, 2, "//sp/cse/C2", 100);
    ck_assert_str_eq(heard, "+1 x1 +2 ");
}
END_TEST

START_TEST(an_expired_key_is_never_handed_out)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    put(cache, 1, "//sp/cse/C1", 0);
    ck_assert(!has_sample(cache, 1));
    ck_assert_uint_eq(newest(cache, "//sp/cse/C1", LOCAL), 0);
    ck_assert_str_eq(walked(cache), "");
    ck_assert_int_eq(revoke_sample(cache, 1), RESULT_NOT_FOUND);
    ck_assert_str_eq(heard, "+1 x1 ");
}
END_TEST

START_TEST(a_revoked_key_is_gone)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    put(cache, 1, "//sp/cse/C1", 100);
    ck_assert_int_eq(revoke_sample(cache, 1), RESULT_OK);
    ck_assert(!has_sample(cache, 1));
    ck_assert_int_eq(revoke_sample(cache, 1), RESULT_NOT_FOUND);
    ck_assert_str_eq(heard, "+1 r1 ");
    ck_assert_uint_eq(key_cache_count(cache), 0);
}
END_TEST

START_TEST(a_sweep_takes_what_has_expired)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 2);
    int64_t now_s = clock_steady_s();
    put(cache, 1, "//sp/cse/C1", 1000);
    put(cache, 2, "//sp/cse/C2", 500);
    put(cache, 3, "//sp/cse/C3", 1000000); /* turns of the wheel later */
    ck_assert_uint_eq(key_cache_sweep(cache, now_s, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 499, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 501, 10), 1);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 999, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 1001, 10), 1);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 999999, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 1000001, 10), 1);
    ck_assert_uint_eq(key_cache_count(cache), 0);
}
END_TEST

START_TEST(a_sweep_takes_no_more_than_asked)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 10);
    int64_t later_s = clock_steady_s() + 101;
    for (uint32_t i = 1; i <= 5; i++)
        put(cache, i, "//sp/cse/C1", 100);
    ck_assert_uint_eq(key_cache_sweep(cache, later_s, 0), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, later_s, 2), 2);
    ck_assert_uint_eq(key_cache_sweep(cache, later_s, 10), 3);
    ck_assert_uint_eq(key_cache_count(cache), 0);
}
END_TEST

/* Whatever the clock does, a key goes at the first sweep at or past its end. */
START_TEST(sweeps_survive_a_clock_that_jumps)
{
    struct key_cache *cache AUTO_CACHE = cache_of(10, 10);
    int64_t now_s = clock_steady_s();
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 100000000, 10), 0);
    put(cache, 1, "//sp/cse/C1", 100);
    put(cache, 2, "//sp/cse/C1", 200);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s - 1000, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s + 150, 10), 1);
    ck_assert_uint_eq(key_cache_sweep(cache, INT64_MIN, 10), 0);
    ck_assert_uint_eq(key_cache_sweep(cache, INT64_MAX, 10), 1);
    struct key_info info = sample_info(3, "//sp/cse/C1", 0);
    info.expires_s = INT64_MIN;
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    ck_assert_uint_eq(key_cache_sweep(cache, now_s, 10), 1);
}
END_TEST

/* Keys that fall into one slot of the wheel, turns apart, put in any order. */
START_TEST(keys_of_one_slot_go_in_their_time)
{
    static const int turns[] = {3, 0, 2, 5, 1, 4};
    struct key_cache *cache AUTO_CACHE = cache_of(10, 10);
    int64_t end_s = clock_steady_s() + 100; /* or a second later */
    for (uint32_t i = 0; i < ARRAY_SIZE(turns); i++) {
        struct key_info info = sample_info((uint32_t)turns[i], "//sp/cse/C1", 0);
        info.expires_s = info.established_s + 100 + turns[i] * 131072LL;
        ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(turns); i++) {
        ck_assert(has_sample(cache, i));
        ck_assert_uint_eq(key_cache_sweep(cache, end_s + i * 131072LL - 1, 10), 0);
        ck_assert_uint_eq(key_cache_sweep(cache, end_s + i * 131072LL + 1, 10), 1);
        ck_assert(!has_sample(cache, i));
    }
}
END_TEST

START_TEST(a_walk_sees_each_once_though_others_come_and_go)
{
    struct key_cache *cache AUTO_CACHE = cache_of(8, 10);
    struct key_info info;
    uint64_t cursor = 0;
    for (uint32_t i = 1; i <= 6; i++)
        put(cache, i, "//sp/cse/C1", 100);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 6);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 5);
    ck_assert_int_eq(revoke_sample(cache, 5), RESULT_OK); /* where the walk stands */
    ck_assert_int_eq(revoke_sample(cache, 4), RESULT_OK);
    put(cache, 7, "//sp/cse/C1", 100); /* in the place of one of them */
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 3);
    ck_assert_int_eq(revoke_sample(cache, 3), RESULT_OK);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 2);
    ck_assert_int_eq(revoke_sample(cache, 2), RESULT_OK);
    ck_assert_int_eq(revoke_sample(cache, 1), RESULT_OK);
    ck_assert(!key_cache_next(cache, &cursor, &info));
    ck_assert(!key_cache_next(cache, &cursor, &info));
    ck_assert_str_eq(walked(cache), "7 6 ");
}
END_TEST

START_TEST(a_walk_whose_every_key_is_older_goes_on)
{
    struct key_cache *cache AUTO_CACHE = cache_of(8, 10);
    struct key_info info;
    uint64_t cursor = 0;
    for (uint32_t i = 1; i <= 3; i++)
        put(cache, i, "//sp/cse/C1", 100);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 3);
    ck_assert_int_eq(revoke_sample(cache, 3), RESULT_OK);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 2);
    ck_assert(key_cache_next(cache, &cursor, &info) && info.id[0] == 1);
    ck_assert(!key_cache_next(cache, &cursor, &info));
}
END_TEST

CHECK_MAIN("keys/cache", bounds_are_checked, what_is_put_comes_back_whole,
    what_is_not_there_is_not_found, an_id_is_taken_once, an_expired_namesake_makes_room,
    names_without_an_end_are_refused, by_peer_the_newest_live_one, by_peer_and_end_point,
    a_pair_keeps_its_newest_keys, one_key_a_pair, when_full_the_oldest_makes_room,
    what_makes_room_expired_is_said_to_be, an_expired_key_is_never_handed_out,
    a_revoked_key_is_gone, a_sweep_takes_what_has_expired, a_sweep_takes_no_more_than_asked,
    sweeps_survive_a_clock_that_jumps, keys_of_one_slot_go_in_their_time,
    a_walk_sees_each_once_though_others_come_and_go, a_walk_whose_every_key_is_older_goes_on)
