/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a key's octets are in this process's memory: once while it is cached, nowhere after. */
#include <fcntl.h>
#include <sys/mman.h>

#include "base/secret.h"
#include "keys/cache.h"
#include "support/check_main.h"
#include "unit/keys/sample.h"

#define CHUNK_OCTETS (1U << 20)
#define MASK         0x5a

static uint8_t masked[KEY_OCTETS]; /* the key, in a form that the search does not find */

/* Which the search leaves out: it holds what was read. */
static uint8_t *chunk;

static unsigned count_in_chunk(size_t size)
{
    unsigned count = 0;
    for (size_t at = 0; at + KEY_OCTETS <= size; at++) {
        size_t same = 0;
        while (same < KEY_OCTETS && (chunk[at + same] ^ MASK) == masked[same])
            same++;
        count += same == KEY_OCTETS;
    }
    return count;
}

/* Chunks overlap by one octet less than a key, so that none is missed or seen twice. */
static unsigned count_between(int memory, uintptr_t from, uintptr_t to)
{
    unsigned count = 0;
    while (from + KEY_OCTETS <= to) {
        size_t size = to - from < CHUNK_OCTETS ? to - from : CHUNK_OCTETS;
        if (pread(memory, chunk, size, (off_t)from) != (ssize_t)size)
            break; /* such as [vvar] */
        count += count_in_chunk(size);
        from += size - (KEY_OCTETS - 1);
    }
    return count;
}

/* Memory that can be written; what is larger is a sanitizer's. */
static unsigned count_everywhere(void)
{
    char line[512], *rest = line;
    unsigned count = 0;
    int memory AUTO_CLOSE = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    ck_assert(memory >= 0 && maps);
    while (fgets(line, sizeof(line), maps)) {
        uintptr_t from = strtoul(line, &rest, 16), to = strtoul(rest + 1, &rest, 16);
        if (strncmp(rest, " rw-", 4) == 0 && from != (uintptr_t)chunk && to - from < (64U << 20))
            count += count_between(memory, from, to);
    }
    fclose(maps);
    return count;
}

static struct key_cache *cache_with_the_key(struct key_info *info)
{
    struct key_cache *cache = NULL;
    uint8_t *key = secret_alloc(KEY_OCTETS);
    chunk = mmap(NULL, CHUNK_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(key && chunk != MAP_FAILED);
    ck_assert_int_eq(secret_random(masked, sizeof(masked)), RESULT_OK);
    for (size_t i = 0; i < KEY_OCTETS; i++)
        key[i] = masked[i] ^ MASK;
    *info = sample_info(1, "//sp/cse/C1", 100);
    ck_assert_int_eq(key_cache_new(1, 1, &cache, NULL), RESULT_OK);
    ck_assert_int_eq(key_cache_put(cache, info, key, (struct bytes){0}), RESULT_OK);
    ck_assert_uint_eq(count_everywhere(), 2);
    secret_free(key);
    ck_assert_uint_eq(count_everywhere(), 1);
    return cache;
}

START_TEST(a_revoked_key_leaves_nothing)
{
    struct key_info info;
    struct key_cache *cache CLEANUP(auto_key_cache_free) = cache_with_the_key(&info);
    ck_assert_int_eq(key_cache_revoke(cache, info.id), RESULT_OK);
    ck_assert_uint_eq(count_everywhere(), 0);
}
END_TEST

START_TEST(an_expired_key_leaves_nothing)
{
    struct key_info info;
    struct key_cache *cache CLEANUP(auto_key_cache_free) = cache_with_the_key(&info);
    ck_assert_uint_eq(key_cache_sweep(cache, INT64_MAX, 1), 1);
    ck_assert_uint_eq(count_everywhere(), 0);
}
END_TEST

START_TEST(an_evicted_key_leaves_nothing)
{
    struct key_info info;
    struct key_cache *cache CLEANUP(auto_key_cache_free) = cache_with_the_key(&info);
    info.id[0]++;
    ck_assert_int_eq(put_sample(cache, &info), RESULT_OK);
    ck_assert_uint_eq(count_everywhere(), 0);
}
END_TEST

START_TEST(a_freed_cache_leaves_nothing)
{
    struct key_info info;
    struct key_cache *cache = cache_with_the_key(&info);
    int memory AUTO_CLOSE = dup(key_cache_memory(cache));
    off_t size = lseek(memory, 0, SEEK_END);
    ck_assert_uint_eq(count_between(memory, 0, (uintptr_t)size), 1);
    key_cache_free(cache);
    ck_assert_uint_eq(count_everywhere(), 0);
    ck_assert_uint_eq(count_between(memory, 0, (uintptr_t)size), 0);
}
END_TEST

CHECK_MAIN("keys/cache in memory", a_revoked_key_leaves_nothing, an_expired_key_leaves_nothing,
    an_evicted_key_leaves_nothing, a_freed_cache_leaves_nothing)
