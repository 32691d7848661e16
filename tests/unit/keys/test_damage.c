/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that came back with other octets than were left in it. */
#include "base/secret.h"
#include "keys/inventory.h"
#include "support/check_main.h"
#include "unit/keys/damage.h"

static struct key_restored counts;

/* NULL when nothing in it can be used. */
static struct key_cache *restored(int fd)
{
    struct key_cache *cache = NULL;
    enum result result =
        key_cache_restore(fd, DAMAGE_CAPACITY, DAMAGE_CAPACITY, &cache, &counts, NULL);
    ck_assert(result == (cache ? RESULT_OK : RESULT_BAD_INPUT));
    return cache;
}

/* --- at random --- */

#define TIMES 2000

static uint32_t below(uint64_t *state, uint32_t bound)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*state >> 33) % bound;
}

/* In places that were written; elsewhere there is little to break. */
static void spoil(int fd, uint64_t *state)
{
    off_t size = lseek(fd, 0, SEEK_END);
    for (uint32_t left = 1U << below(state, 8); left > 0;) {
        off_t at = lseek(fd, (off_t)below(state, (uint32_t)size), SEEK_DATA);
        at = at / 4096 * 4096 + below(state, 4096);
        uint8_t octet;
        ck_assert_int_eq(pread(fd, &octet, 1, at), 1);
        octet = (uint8_t)(octet ^ (below(state, 2) ? 1U << below(state, 8) : below(state, 256)));
        ck_assert_int_eq(pwrite(fd, &octet, 1, at), 1);
        left--;
    }
}

START_TEST(nothing_wrong_is_given_out)
{
    uint64_t state = 0, lost = 0, damaged = 0;
    int memory AUTO_CLOSE = damage_memory();
    ck_assert_int_eq(secret_random(&state, sizeof(state)), RESULT_OK);
    printf("seed %llu\n", (unsigned long long)state);
    for (unsigned i = 0; i < TIMES; i++) {
        int fd = copy_of(memory);
        spoil(fd, &state);
        struct key_cache *cache = restored(fd);
        lost += !cache;
        damaged += cache ? counts.damaged : 0;
        ck_assert(!cache || damage_holds(cache));
        key_cache_free(cache);
    }
    printf("%llu keys damaged, and %llu times all\n", (unsigned long long)damaged,
        (unsigned long long)lost);
    ck_assert_uint_gt(damaged, TIMES);
    ck_assert_uint_gt(lost, 0);
}
END_TEST

/* --- with care: the checksum holds --- */

static struct key_arena arena;

/* To be changed through ARENA; then sign what changed. */
static int open_arena(void)
{
    int fd = damage_memory(), mine = dup(fd);
    struct key_inventory found;
    ck_assert_int_eq(key_arena_adopt(&arena, mine, 0, NULL), RESULT_OK);
    ck_assert_int_eq(key_inventory_take(&arena, &found, NULL), RESULT_OK);
    free(found.at);
    return fd;
}

static void sign(uint32_t at)
{
    uint8_t text[KEY_TEXT_OCTETS];
    struct key_slot *slot = &arena.slot[at];
    size_t size = key_slot_text_size(slot);
    ck_assert(key_arena_read(&arena, slot->text, text, size));
    slot->checksum = key_slot_checksum(&arena, at, slot->sequence, bytes_of(text, size));
}

/* How many keys are gone, and how many of these were noticed to be damaged. */
static void assert_gone(int fd, uint32_t gone, uint32_t damaged)
{
    key_arena_leave(&arena);
    struct key_cache *cache = restored(fd);
    ck_assert_ptr_nonnull(cache);
    ck_assert_uint_eq(counts.damaged, damaged);
    ck_assert_uint_eq(counts.kept, DAMAGE_KEYS - DAMAGE_KEYS / 7 - gone);
    ck_assert(damage_holds(cache));
    key_cache_free(cache);
}

START_TEST(without_damage_all_is_there)
{
    assert_gone(open_arena(), 0, 0);
}
END_TEST

START_TEST(half_a_key_is_no_key)
{
    int fd = open_arena();
    arena.slot[9].sequence = 0;
    assert_gone(fd, 1, 0);
}
END_TEST

static void take_text(uint32_t at, uint32_t first, size_t size)
{
    arena.slot[at].text = first;
    arena.slot[at].peer_size = 10;
    arena.slot[at].local_size = 10;
    arena.slot[at].evidence_size = (uint16_t)(size - 20);
    sign(at);
}

START_TEST(text_belongs_to_one_key)
{
    int fd = open_arena();
    const struct key_slot *slot = arena.slot;
    take_text(9, slot[8].text, key_slot_text_size(&slot[8]));
    take_text(50, arena.block[slot[40].text].next, key_slot_text_size(&slot[40]) - 60);
    assert_gone(fd, 2, 2);
}
END_TEST

/* Its evidence is the same octet all along, so that it reads the same in a circle. */
START_TEST(text_does_not_run_in_a_circle)
{
    int fd = open_arena();
    uint32_t at = arena.slot[60].text;
    for (int i = 0; i < 8; i++)
        at = arena.block[at].next;
    arena.block[at].next = at;
    sign(60);
    assert_gone(fd, 1, 1);
}
END_TEST

START_TEST(text_does_not_lead_astray)
{
    int fd = open_arena();
    arena.block[arena.slot[5].text].next = UINT32_MAX;
    arena.block[arena.slot[6].text].next = arena.blocks_touched + 1;
    arena.slot[8].text = 0;
    arena.slot[9].evidence_size = UINT16_MAX;
    assert_gone(fd, 4, 4);
}
END_TEST

START_TEST(fields_are_in_bounds)
{
    int fd = open_arena();
    arena.slot[1].role = 2;
    arena.slot[2].flavour = FLAVOUR_COUNT;
    arena.slot[3].sequence = KEY_SEQUENCE_MOST + 1;
    memcpy(arena.slot[5].id, arena.slot[4].id, KEY_ID_OCTETS);
    for (uint32_t at = 1; at <= 5; at++)
        sign(at);
    assert_gone(fd, 4, 4);
}
END_TEST

CHECK_MAIN("keys/cache of damaged memory", nothing_wrong_is_given_out, without_damage_all_is_there,
    half_a_key_is_no_key, text_belongs_to_one_key, text_does_not_run_in_a_circle,
    text_does_not_lead_astray, fields_are_in_bounds)
