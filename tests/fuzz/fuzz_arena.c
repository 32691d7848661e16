/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of keys with any octets changed: each key that is still given out is right. With
 * SIGN_ANEW all is signed anew, as no accident would: then the cache has to work on. Afterwards
 * keys come and go, and every one of them is told to the listener.
 *
 * The first octet is of the flags below, the second says what comes and goes, and then each four
 * are a change. The cache is small, as each run hashes and copies all of it. */
#define DAMAGE_KEYS     8U
#define DAMAGE_CAPACITY 11U

#include "fuzz/fuzz.h"
#include "keys/arena.h"
#include "unit/keys/damage.h"

enum {
    SIGN_ANEW = 1,
    OTHER_CAPACITY = 2,
    ONE_PER_PEER = 4,
    COMES_AND_GOES = 8,
};

#define OTHER     5U   /* the capacity with OTHER_CAPACITY: too little for all keys */
#define FAR       0xA5 /* this choice turns the wheel of deadlines once, which takes long */
#define PAGE      4096
#define PAGES_MAX 64

static int memory = -1;
static off_t pages[PAGES_MAX]; /* those that were written */
static unsigned page_count;

static void prepare(void)
{
    memory = damage_memory();
    for (off_t at = 0; (at = lseek(memory, at, SEEK_DATA)) >= 0 && page_count < PAGES_MAX;
         at += PAGE)
        pages[page_count++] = at;
    must(page_count > 0);
}

/* Four octets a change: where, and what. */
static void change(int fd, struct bytes in)
{
    for (struct bytes each; bytes_take(&in, 4, &each);) {
        unsigned page = each.data[0] % page_count;
        unsigned offset = ((unsigned)each.data[1] << 8 | each.data[2]) % PAGE;
        must(pwrite(fd, &each.data[3], 1, pages[page] + offset) == 1);
    }
}

static void sign(struct key_arena *arena, uint32_t at)
{
    uint8_t text[KEY_TEXT_OCTETS];
    struct key_slot *slot = &arena->slot[at];
    size_t size = key_slot_text_size(slot);
    if (slot->evidence_size <= KEY_EVIDENCE_OCTETS && key_arena_read(arena, slot->text, text, size))
        slot->checksum = key_slot_checksum(arena, at, slot->sequence, bytes_of(text, size));
}

static void sign_all(int fd)
{
    struct key_arena arena;
    if (key_arena_adopt(&arena, dup(fd), 0, NULL) == RESULT_OK) {
        arena.blocks_touched = arena.layout.blocks;
        for (uint32_t at = 1; at <= arena.layout.slots; at++)
            sign(&arena, at);
    }
    key_arena_leave(&arena);
}

/* --- keys that come and go --- */

static void count(enum key_event event, const struct key_info *info, void *context)
{
    must(strlen(info->peer) < IDENTIFIER_OCTETS);
    *(uint32_t *)context += event == KEY_ESTABLISHED ? 1U : -1U;
}

/* The walk shows each key once, and it is found by its id; by its peer too, unless an octet of that
 * was changed to NUL. Each third goes meanwhile. */
static void walk(struct key_cache *cache, bool signed_anew)
{
    struct key_info info, other;
    uint8_t key[KEY_OCTETS];
    uint32_t shown = 0, there = key_cache_count(cache);

    for (uint64_t cursor = 0; key_cache_next(cache, &cursor, &info); shown++) {
        const char *local = shown % 2 ? info.local : NULL;
        must(shown < there);
        must(key_cache_find_by_id(cache, info.id, &other, key));
        must(strcmp(info.peer, other.peer) == 0);
        must(key_cache_find_by_peer(cache, info.peer, local, &other, key) || signed_anew);
        must(strcmp(info.peer, other.peer) == 0);
        if (shown % 3 == 1)
            must(key_cache_revoke_by_crl(cache, info.id) == RESULT_OK);
    }
}

/* Several keys of one peer, of which some live for no time, up to and beyond every bound. */
static void put_more(struct key_cache *cache, unsigned lifetimes, bool signed_anew)
{
    for (uint32_t number = 0; number < 14; number++) {
        struct key_info info = damage_info(1000 + number % 12);
        uint8_t key[KEY_OCTETS];
        snprintf(info.peer, sizeof(info.peer), "C%u", number % 3);
        info.established_s = 0;
        info.expires_s = (lifetimes >> number % 8 & 1) != 0 ? (14 - number) * 131072 : 0;
        sample_key(info.id, key);
        enum result result = key_cache_put(cache, &info, key, bytes_of_string(info.peer));
        must(result == RESULT_OK || (result == RESULT_CONFLICT && (number >= 12 || signed_anew)));
    }
}

static bool is_doomed(const struct key_info *info, struct bytes evidence, void *context)
{
    (void)context;
    return evidence.size % 2 != 0 || info->id[0] % 2 != 0;
}

static void come_and_go(struct key_cache *cache, unsigned choice, bool signed_anew)
{
    uint32_t there = key_cache_count(cache);
    uint64_t cursor = 0;

    key_cache_listen(cache, count, &there);
    walk(cache, signed_anew);
    put_more(cache, choice, signed_anew);
    must(key_cache_count(cache) <= key_cache_capacity(cache));
    walk(cache, signed_anew);
    (void)key_cache_sweep(cache, 1000 + (choice & 3), 3);
    while (key_cache_review(cache, &cursor, 5, is_doomed, NULL))
        ;
    (void)key_cache_sweep(cache, choice == FAR ? 1000000 : 1010, 1000);
    must(there == key_cache_count(cache));
}

/* Both caches hold the same keys, or the smaller one the newest of them. */
static struct key_cache *resized(struct key_cache *old, uint32_t capacity)
{
    struct key_cache *cache = NULL;
    must(key_cache_resize(old, capacity, &cache, NULL) == RESULT_OK);
    must(key_cache_capacity(cache) == capacity);
    must(key_cache_count(cache) <= key_cache_count(old));
    must(key_cache_count(cache) == capacity || key_cache_count(cache) == key_cache_count(old));
    key_cache_free(old);
    return cache;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct key_cache *cache = NULL;
    struct key_restored counts;

    fuzz_random_from(0); /* the clock stays where it was when the keys were put */
    if (memory < 0)
        prepare();
    unsigned flags = fuzz_octet(&in), choice = fuzz_octet(&in);
    bool signed_anew = flags & SIGN_ANEW;
    uint32_t capacity = flags & OTHER_CAPACITY ? OTHER : DAMAGE_CAPACITY;
    uint32_t per_peer = flags & ONE_PER_PEER ? 1 : DAMAGE_CAPACITY;
    int fd = copy_of(memory);
    change(fd, in);
    if (signed_anew)
        sign_all(fd);
    enum result result = key_cache_restore(fd, capacity, per_peer, &cache, &counts, NULL);
    if (result != RESULT_OK) {
        must(result == RESULT_BAD_INPUT);
        return 0;
    }
    must(counts.kept == key_cache_count(cache));
    if (key_cache_capacity(cache) != capacity)
        cache = resized(cache, capacity);
    else
        must(damage_holds(cache) || signed_anew);
    if (flags & COMES_AND_GOES)
        come_and_go(cache, choice, signed_anew);
    key_cache_free(cache);
    return 0;
}
