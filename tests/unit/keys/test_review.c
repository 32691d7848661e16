/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evidence of a key, and the review that judges by it. */
#include "keys/cache.h"

#include "support/check_main.h"
#include "unit/keys/sample.h"

#define AUTO_CACHE CLEANUP(auto_key_cache_free)
#define PEER       "//m2m.example/in-cse/C1"

/* What the listener heard: one letter an event, with the key's number. */
static char heard[1000];

static uint32_t number_of(const struct key_info *info)
{
    uint32_t number;
    memcpy(&number, info->id, sizeof(number));
    return number;
}

static void listen(enum key_event event, const struct key_info *info, void *context)
{
    size_t used = strlen(heard);
    (void)context;
    snprintf(heard + used, sizeof(heard) - used, "%c%u ", "+xr-r"[event], number_of(info));
}

static struct key_cache *cache_of(uint32_t keys)
{
    struct key_cache *cache = NULL;
    ck_assert_int_eq(key_cache_new(keys + 2, keys + 2, &cache, NULL), RESULT_OK);
    for (uint32_t i = 1; i <= keys; i++) {
        struct key_info info = sample_info(i, PEER, 100);
        ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    }
    heard[0] = '\0';
    key_cache_listen(cache, listen, NULL);
    return cache;
}

/* Condemns what DIVISOR divides, and notes whom it saw. */
struct court {
    uint32_t divisor;
    unsigned seen;
    uint32_t last; /* numbers fall: newest first */
};

static bool judge(const struct key_info *info, struct bytes evidence, void *context)
{
    struct court *court = context;
    uint32_t number = number_of(info);
    ck_assert(bytes_equal(evidence, bytes_of_string(info->peer)));
    ck_assert_uint_lt(number, court->last);
    court->last = number;
    court->seen++;
    return number % court->divisor == 0;
}

static unsigned review(struct key_cache *cache, struct court *court, unsigned most)
{
    unsigned steps = 0;
    for (uint64_t cursor = 0; key_cache_review(cache, &cursor, most, judge, court);)
        steps++;
    return steps;
}

START_TEST(what_is_condemned_goes_as_revoked)
{
    struct key_cache *cache AUTO_CACHE = cache_of(7);
    struct court court = {.divisor = 3, .last = UINT32_MAX};
    ck_assert_uint_eq(review(cache, &court, 2), 3); /* and the last key with the end */
    ck_assert_uint_eq(court.seen, 7);
    ck_assert_str_eq(heard, "r6 r3 ");
    ck_assert_uint_eq(key_cache_count(cache), 5);
    ck_assert(!has_sample(cache, 3) && !has_sample(cache, 6) && has_sample(cache, 7));
}
END_TEST

START_TEST(all_may_be_condemned)
{
    struct key_cache *cache AUTO_CACHE = cache_of(5);
    struct court court = {.divisor = 1, .last = UINT32_MAX};
    review(cache, &court, 1);
    ck_assert_str_eq(heard, "r5 r4 r3 r2 r1 ");
    ck_assert_uint_eq(key_cache_count(cache), 0);
    review(cache, &court, 1);
    ck_assert_uint_eq(court.seen, 5);
}
END_TEST

START_TEST(a_dead_key_is_not_judged)
{
    struct key_cache *cache AUTO_CACHE = cache_of(1);
    struct key_info info = sample_info(2, PEER, 0);
    struct court court = {.divisor = 1, .last = UINT32_MAX};
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    review(cache, &court, 10);
    ck_assert_uint_eq(court.seen, 1);
    ck_assert_str_eq(heard, "+2 r1 ");
}
END_TEST

/* With every other key condemned, the walk would take a minute if it searched for its place. */
START_TEST(a_review_of_many_stays_quick)
{
    struct key_cache *cache AUTO_CACHE = cache_of(100000);
    struct court court = {.divisor = 2, .last = UINT32_MAX};
    key_cache_listen(cache, NULL, NULL);
    int64_t started_ms = clock_steady_ms();
    review(cache, &court, 100);
    ck_assert_int_lt(clock_steady_ms() - started_ms, 10000);
    ck_assert_uint_eq(court.seen, 100000);
    ck_assert_uint_eq(key_cache_count(cache), 50000);
}
END_TEST

static bool is_sequence(const struct key_info *info, struct bytes evidence, void *context)
{
    (void)context;
    ck_assert_uint_eq(evidence.size, number_of(info));
    for (size_t i = 0; i < evidence.size; i++)
        ck_assert_uint_eq(evidence.data[i], i % 251);
    return false;
}

START_TEST(evidence_of_any_size_is_kept)
{
    static const uint32_t sizes[] = {0, 1, 63, 64, 65, 1023, KEY_EVIDENCE_OCTETS};
    struct key_cache *cache AUTO_CACHE = NULL;
    uint8_t octets[KEY_EVIDENCE_OCTETS + 1], key[KEY_OCTETS] = {0};
    struct key_info info;
    ck_assert_int_eq(key_cache_new(10, 10, &cache, NULL), RESULT_OK);
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        info = sample_info(sizes[i], PEER, 100);
        ck_assert_int_eq(key_cache_put(cache, &info, key, bytes_of(octets, sizes[i])), RESULT_OK);
    }
    info = sample_info(1, PEER, 100);
    ck_assert_int_eq(
        key_cache_put(cache, &info, key, bytes_of(octets, sizeof(octets))), RESULT_INTERNAL);
    uint64_t cursor = 0;
    ck_assert(!key_cache_review(cache, &cursor, 10, is_sequence, NULL));
}
END_TEST

CHECK_MAIN("keys/cache in review", what_is_condemned_goes_as_revoked, all_may_be_condemned,
    a_dead_key_is_not_judged, a_review_of_many_stays_quick, evidence_of_any_size_is_kept)
