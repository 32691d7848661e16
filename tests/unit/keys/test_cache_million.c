/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A million keys: none is lost, and none costs more than the first. */
#include "keys/cache.h"

#include "keys/key_table.h"
#include "support/check_main.h"
#include "unit/keys/sample.h"

#define MILLION 1000000U

static void name_peer(uint32_t number, char peer[64])
{
    snprintf(peer, 64, "//m2m.example/in-cse/Cmeter-%u", number);
}

/* An ordinary user may lock less than a million keys take; then as many as go in 6.4 MB. */
static struct key_cache *largest_cache(void)
{
    struct key_cache *cache = NULL;
    struct fault fault = FAULT_INIT;
    if (key_cache_new(MILLION, 2, &cache, &fault) != RESULT_OK)
        ck_assert_msg(key_cache_new(MILLION / 5, 2, &cache, &fault) == RESULT_OK, "%s", fault.text);
    return cache;
}

/* The second number of /proc/self/statm, in pages. */
static long resident_kib(void)
{
    char text[128] = "", *resident = text;
    FILE *file = fopen("/proc/self/statm", "re");
    ck_assert(file && fgets(text, sizeof(text), file));
    fclose(file);
    strtol(text, &resident, 10);
    return strtol(resident, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Check's assertions are slow: these loops count, and what they counted is asserted. */
static uint32_t put_all(struct key_cache *cache, uint32_t count)
{
    uint32_t done = 0;
    int64_t started_us = clock_steady_us();
    for (uint32_t i = 0; i < count; i++) {
        char peer[64];
        name_peer(i, peer);
        struct key_info info = sample_info(i, peer, 1000 + i % 100000);
        done += put_sample(cache, &info) == RESULT_OK;
        if (i + 1 == count / 100 || i + 1 == count / 10 || i + 1 == count)
            printf("%8u keys: %.2f us a key put so far\n", i + 1,
                (double)(clock_steady_us() - started_us) / (i + 1));
    }
    return done;
}

static uint32_t found_both_ways(struct key_cache *cache, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        char peer[64];
        struct key_info info;
        name_peer(i, peer);
        found += has_sample(cache, i) && key_cache_find_by_peer(cache, peer, LOCAL, &info, NULL) &&
                 memcmp(info.id, &i, sizeof(i)) == 0;
    }
    return found;
}

/* How many a walk shows, in their order, newest first. */
static uint32_t walked(struct key_cache *cache, uint32_t count)
{
    struct key_info info;
    uint32_t next = count, seen = 0;
    for (uint64_t cursor = 0; key_cache_next(cache, &cursor, &info); seen++) {
        next--;
        if (memcmp(info.id, &next, sizeof(next)) != 0)
            break;
    }
    return seen;
}

START_TEST(none_is_lost)
{
    struct key_cache *cache CLEANUP(auto_key_cache_free) = largest_cache();
    const uint32_t count = key_cache_capacity(cache);
    long before_kib = resident_kib();
    int64_t now_s = clock_steady_s();
    ck_assert_uint_eq(put_all(cache, count), count);
    printf("%ld octets a key\n", (resident_kib() - before_kib) * 1024 / count);
    ck_assert_uint_eq(key_cache_count(cache), count);
    ck_assert_uint_eq(found_both_ways(cache, count), count);
    ck_assert_uint_eq(walked(cache, count), count);

    uint32_t swept = key_cache_sweep(cache, now_s + 999, UINT32_MAX);
    ck_assert_uint_eq(swept, 0);
    for (int64_t s = now_s + 1000; key_cache_count(cache) > 0 && s < now_s + 200000; s++)
        swept += key_cache_sweep(cache, s, UINT32_MAX);
    ck_assert_uint_eq(swept, count);
}
END_TEST

static uint32_t longest_id_chain(const struct key_table *table)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < table->buckets; i++) {
        uint32_t length = 0;
        for (uint32_t at = table->by_id[i]; at; at = table->records[at].next_by_id)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static uint32_t longest_pair_chain(const struct key_table *table)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < table->buckets; i++) {
        uint32_t length = 0;
        for (const struct key_pair *pair = table->pairs[i]; pair; pair = pair->next)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void fill(struct key_arena *arena, struct key_table *table, uint32_t count)
{
    static const uint8_t key[KEY_OCTETS];
    char peer[64];
    for (uint32_t number = 0; number < count; number++) {
        name_peer(number, peer);
        struct key_info info = sample_info(number, peer, 1000);
        struct key_pair *pair = key_table_hold(table, peer, info.local);
        uint32_t at = key_table_take(table);
        if (!pair || key_arena_put(arena, at, number + 1, &info, 1, key, (struct bytes){0}) != 0)
            ck_abort_msg("key %u was not taken", number);
        key_table_insert(table, at, pair, 1);
    }
}

/* What every look-up walks is as short with a million keys as with a thousand, though all ids
 * share their last twelve octets, as a hostile peer might have it. The bound of 16 is passed by
 * a good hash once in some hundred million runs. */
START_TEST(chains_stay_short)
{
    static const uint32_t counts[] = {1000, 100000, MILLION / 5, MILLION};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct key_arena arena;
        struct key_table table = {0};
        if (key_arena_open(&arena, counts[i] + 1, NULL) != RESULT_OK) {
            ck_assert_uint_eq(counts[i], MILLION);
            key_arena_close(&arena);
            continue;
        }
        ck_assert_int_eq(key_table_open(&table, &arena, NULL), RESULT_OK);
        fill(&arena, &table, counts[i]);
        printf("%8u keys: at most %u in a chain by id, %u by peer\n", counts[i],
            longest_id_chain(&table), longest_pair_chain(&table));
        ck_assert_uint_le(longest_id_chain(&table), 16);
        ck_assert_uint_le(longest_pair_chain(&table), 16);
        key_table_close(&table);
        key_arena_close(&arena);
    }
}
END_TEST

CHECK_MAIN("keys/cache with a million keys", none_is_lost, chains_stay_short)
