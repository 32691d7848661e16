/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one process left in the file of memory, and the next one makes of it. */
#include <fcntl.h>
#include <sys/mman.h>

#include "keys/arena.h"
#include "keys/cache.h"
#include "support/check_main.h"
#include "unit/keys/sample.h"

#define AUTO_CACHE CLEANUP(auto_key_cache_free)

static struct key_cache *cache_of(uint32_t capacity, uint32_t per_peer)
{
    struct key_cache *cache = NULL;
    struct fault fault = FAULT_INIT;
    ck_assert_msg(key_cache_new(capacity, per_peer, &cache, &fault) == RESULT_OK, "%s", fault.text);
    return cache;
}

static void put(struct key_cache *cache, uint32_t number, const char *peer, int64_t lifetime_s)
{
    struct key_info info = sample_info(number, peer, lifetime_s);
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
}

/* What would be in the service manager's hands. */
static int left_by(struct key_cache *cache)
{
    int fd = dup(key_cache_memory(cache));
    ck_assert_int_ge(fd, 0);
    key_cache_leave(cache);
    return fd;
}

static struct key_cache *restored(
    int fd, uint32_t capacity, uint32_t per_peer, struct key_restored *counts)
{
    struct key_cache *cache = NULL;
    struct fault fault = FAULT_INIT;
    ck_assert_msg(key_cache_restore(fd, capacity, per_peer, &cache, counts, &fault) == RESULT_OK,
        "%s", fault.text);
    return cache;
}

static void assert_counts(const struct key_restored *counts, uint32_t kept, uint32_t expired,
    uint32_t evicted, uint32_t damaged)
{
    ck_assert_uint_eq(counts->kept, kept);
    ck_assert_uint_eq(counts->expired, expired);
    ck_assert_uint_eq(counts->evicted, evicted);
    ck_assert_uint_eq(counts->damaged, damaged);
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

static bool is_own_evidence(const struct key_info *info, struct bytes evidence, void *context)
{
    (*(unsigned *)context)++;
    return !bytes_equal(evidence, bytes_of_string(info->peer));
}

/* --- whole ones --- */

START_TEST(all_comes_back)
{
    struct key_restored counts;
    struct key_cache *first = cache_of(10, 2);
    struct key_info in = sample_info(7, "//m2m.example/in-cse/C1", 100), out;
    uint8_t key[KEY_OCTETS], expected[KEY_OCTETS];
    in.role = KEY_ROLE_INITIATING;
    in.flavour = FLAVOUR_NODE_ID;
    in.cipher_suite = 0xc0ae;
    ck_assert_int_eq(put_sample(first, &in), RESULT_OK);
    struct key_cache *cache AUTO_CACHE = restored(left_by(first), 10, 2, &counts);
    assert_counts(&counts, 1, 0, 0, 0);
    ck_assert(key_cache_find_by_peer(cache, in.peer, in.local, &out, key));
    sample_key(in.id, expected);
    ck_assert_mem_eq(key, expected, KEY_OCTETS);
    ck_assert_mem_eq(out.id, in.id, KEY_ID_OCTETS);
    ck_assert_str_eq(out.peer, in.peer);
    ck_assert_str_eq(out.local, in.local);
    ck_assert(out.role == in.role && out.flavour == in.flavour);
    ck_assert_uint_eq(out.cipher_suite, 0xc0ae);
    ck_assert_int_eq(out.established_s, in.established_s);
    ck_assert_int_eq(out.expires_s, in.expires_s);
    unsigned seen = 0;
    uint64_t cursor = 0;
    ck_assert(!key_cache_review(cache, &cursor, 10, is_own_evidence, &seen));
    ck_assert(seen == 1 && key_cache_count(cache) == 1);
}
END_TEST

START_TEST(an_empty_cache_comes_back)
{
    struct key_restored counts;
    struct key_cache *cache AUTO_CACHE = restored(left_by(cache_of(10, 2)), 10, 2, &counts);
    assert_counts(&counts, 0, 0, 0, 0);
    for (uint32_t i = 1; i <= 12; i++)
        put(cache, i, "//sp/cse/C1", 100);
    ck_assert_str_eq(walked(cache), "12 11 ");
}
END_TEST

/* Through slots and blocks that were freed and taken again, and three processes. */
START_TEST(the_order_of_age_stays)
{
    struct key_restored counts;
    struct key_cache *cache = cache_of(5, 10);
    uint8_t id[KEY_ID_OCTETS] = {3};
    for (uint32_t i = 1; i <= 7; i++)
        put(cache, i, i % 2 ? "//sp/cse/C1" : "//sp/cse/C2", 100);
    ck_assert_str_eq(walked(cache), "7 6 5 4 3 ");
    ck_assert_int_eq(key_cache_revoke(cache, id), RESULT_OK);
    cache = restored(left_by(cache), 5, 10, &counts);
    ck_assert_str_eq(walked(cache), "7 6 5 4 ");
    put(cache, 8, "//sp/cse/C2", 100);
    put(cache, 9, "//sp/cse/C1", 100); /* 4 makes room */
    struct key_cache *third AUTO_CACHE = restored(left_by(cache), 5, 10, &counts);
    assert_counts(&counts, 5, 0, 0, 0);
    ck_assert_str_eq(walked(third), "9 8 7 6 5 ");
    put(third, 10, "//sp/cse/C3", 100);
    ck_assert_str_eq(walked(third), "10 9 8 7 6 ");
    struct key_info info;
    ck_assert(key_cache_find_by_peer(third, "//sp/cse/C1", NULL, &info, NULL));
    ck_assert_uint_eq(info.id[0], 9);
}
END_TEST

START_TEST(what_expired_meanwhile_is_wiped)
{
    struct key_restored counts;
    struct key_cache *first = cache_of(10, 10);
    put(first, 1, "//sp/cse/C1", 0);
    put(first, 2, "//sp/cse/C1", 100);
    put(first, 3, "//sp/cse/C2", -5);
    struct key_cache *cache AUTO_CACHE = restored(left_by(first), 10, 10, &counts);
    assert_counts(&counts, 1, 2, 0, 0);
    ck_assert_str_eq(walked(cache), "2 ");
    uint8_t expected[KEY_OCTETS], found[KEY_OCTETS];
    struct key_info info = sample_info(3, "", 0);
    sample_key(info.id, expected);
    for (off_t at = lseek(key_cache_memory(cache), 0, SEEK_END) - KEY_OCTETS, end = at - 4096;
         at > end; at -= KEY_OCTETS) {
        ck_assert_int_eq(pread(key_cache_memory(cache), found, KEY_OCTETS, at), KEY_OCTETS);
        ck_assert_mem_ne(found, expected, KEY_OCTETS);
    }
}
END_TEST

START_TEST(a_tighter_bound_for_a_peer_holds_at_once)
{
    struct key_restored counts;
    struct key_cache *first = cache_of(10, 4);
    for (uint32_t i = 1; i <= 4; i++)
        put(first, i, "//sp/cse/C1", 100);
    put(first, 5, "//sp/cse/C2", 100);
    struct key_cache *cache AUTO_CACHE = restored(left_by(first), 10, 2, &counts);
    assert_counts(&counts, 3, 0, 2, 0);
    ck_assert_str_eq(walked(cache), "5 4 3 ");
}
END_TEST

static void assert_resized(uint32_t capacity, const char *expected)
{
    struct key_restored counts;
    struct key_cache *first = cache_of(6, 10), *larger = NULL;
    for (uint32_t i = 1; i <= 6; i++)
        put(first, i, i % 2 ? "//sp/cse/C1" : "//sp/cse/C2", 100);
    struct key_cache *old AUTO_CACHE = restored(left_by(first), capacity, 10, &counts);
    ck_assert_uint_eq(key_cache_capacity(old), 6);
    ck_assert_int_eq(key_cache_resize(old, capacity, &larger, NULL), RESULT_OK);
    struct key_cache *cache AUTO_CACHE = restored(left_by(larger), capacity, 10, &counts);
    ck_assert_uint_eq(key_cache_capacity(cache), capacity);
    ck_assert_str_eq(walked(cache), expected);
    for (uint32_t i = 1; i <= 6; i++)
        ck_assert(has_sample(cache, i) == (i + capacity > 6));
    unsigned seen = 0;
    uint64_t cursor = 0;
    ck_assert(!key_cache_review(cache, &cursor, 10, is_own_evidence, &seen));
    ck_assert_uint_eq(key_cache_count(cache), seen);
}

START_TEST(a_larger_cache_takes_all)
{
    assert_resized(1000, "6 5 4 3 2 1 ");
}
END_TEST
START_TEST(a_smaller_cache_takes_the_newest)
{
    assert_resized(2, "6 5 ");
}
END_TEST

#define MANY 100000U

START_TEST(a_hundred_thousand_come_back)
{
    struct key_restored counts;
    struct key_cache *first = cache_of(MANY, 2);
    char peer[64];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(peer, sizeof(peer), "//m2m.example/in-cse/Cmeter-%u", i);
        struct key_info info = sample_info(i, peer, 1000);
        if (put_sample(first, &info) != RESULT_OK)
            ck_abort_msg("key %u was not taken", i);
    }
    int64_t started_us = clock_steady_us();
    struct key_cache *cache AUTO_CACHE = restored(left_by(first), MANY, 2, &counts);
    printf("%u keys taken up in %.0f ms\n", MANY, (double)(clock_steady_us() - started_us) / 1000);
    assert_counts(&counts, MANY, 0, 0, 0);
    uint32_t found = 0, next = MANY;
    for (uint32_t i = 0; i < MANY; i++)
        found += has_sample(cache, i);
    ck_assert_uint_eq(found, MANY);
    struct key_info info;
    for (uint64_t cursor = 0; key_cache_next(cache, &cursor, &info);)
        if (memcmp(info.id, &(uint32_t){--next}, sizeof(next)) != 0)
            break;
    ck_assert_uint_eq(next, 0);
}
END_TEST

/* --- what is no arena of ours --- */

static void assert_refused(int fd, const char *why)
{
    struct key_cache *cache = NULL;
    struct key_restored counts;
    struct fault fault = FAULT_INIT;
    ck_assert_int_eq(key_cache_restore(fd, 10, 2, &cache, &counts, &fault), RESULT_BAD_INPUT);
    ck_assert_str_eq(fault.text, why);
    ck_assert_ptr_null(cache);
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0); /* closed */
}

static int memory_of(size_t size, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

#define OUR_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

START_TEST(other_files_are_refused)
{
    char path[] = "/dev/shm/e2ekeyd.XXXXXX";
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    assert_refused(ends[0], "it is not a memfd");
    close(ends[1]);
    int file = mkostemp(path, O_CLOEXEC);
    ck_assert_int_eq(write(file, "precious", 8), 8);
    assert_refused(file, "it is not a memfd");
    char text[9] = "";
    int again AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(again, text, 8), 8);
    ck_assert_str_eq(text, "precious");
    unlink(path);
    assert_refused(memory_of(4096, 0), "its seals are not those of ours");
    assert_refused(memory_of(4096, OUR_SEALS | F_SEAL_WRITE), "its seals are not those of ours");
}
END_TEST

START_TEST(garbage_is_refused_and_wiped)
{
    char text[9] = "";
    int fd = memory_of(1U << 20, OUR_SEALS);
    ck_assert_int_eq(pwrite(fd, "a secret", 8, 70000), 8);
    int other AUTO_CLOSE = dup(fd);
    assert_refused(fd, "it holds no keys of ours");
    ck_assert_int_eq(pread(other, text, 8, 70000), 8);
    ck_assert_str_eq(text, "");
    assert_refused(memory_of(0, OUR_SEALS), "it holds no keys of ours");
}
END_TEST

static int with_header(size_t offset, const void *octets, size_t size)
{
    int fd = left_by(cache_of(10, 2));
    ck_assert_int_eq(pwrite(fd, octets, size, (off_t)offset), (ssize_t)size);
    return fd;
}

START_TEST(other_headers_are_refused)
{
    static const uint32_t numbers[] = {0, 1, 12, UINT32_MAX};
    uint32_t version = 2;
    assert_refused(with_header(offsetof(struct key_layout, version), &version, sizeof(version)),
        "its layout is version 2, and this program's 1");
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        assert_refused(
            with_header(offsetof(struct key_layout, slots), &numbers[i], sizeof(numbers[i])),
            "its header is damaged");
    assert_refused(with_header(offsetof(struct key_header, hash_key), &version, sizeof(version)),
        "its header is damaged");
}
END_TEST

CHECK_MAIN("keys/cache restored", all_comes_back, an_empty_cache_comes_back, the_order_of_age_stays,
    what_expired_meanwhile_is_wiped, a_tighter_bound_for_a_peer_holds_at_once,
    a_larger_cache_takes_all, a_smaller_cache_takes_the_newest, a_hundred_thousand_come_back,
    other_files_are_refused, garbage_is_refused_and_wiped, other_headers_are_refused)
