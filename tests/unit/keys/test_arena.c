/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/arena.h"

#include "support/check_main.h"
#include "unit/keys/sample.h"

#define SLOTS 100

static struct key_info info_of(uint32_t at)
{
    char peer[IDENTIFIER_OCTETS] = {0};
    memset(peer, 'p', at * 2);
    struct key_info info = sample_info(at, peer, at);
    memset(info.local, 'l', sizeof(info.local) - 1);
    return info;
}

static uint8_t *evidence_of(uint32_t at)
{
    static uint8_t octets[KEY_EVIDENCE_OCTETS];
    memset(octets, (int)at, sizeof(octets));
    return octets;
}

static void put(struct key_arena *arena, uint32_t at)
{
    uint8_t key[KEY_OCTETS];
    struct key_info info = info_of(at);
    sample_key(info.id, key);
    struct bytes evidence = bytes_of(evidence_of(at), (size_t)at * KEY_EVIDENCE_OCTETS / SLOTS);
    ck_assert_int_eq(key_arena_put(arena, at, at, &info, 1, key, evidence), RESULT_OK);
}

static void assert_there(const struct key_arena *arena, uint32_t at)
{
    uint8_t key[KEY_OCTETS], text[KEY_TEXT_OCTETS];
    struct key_info expected = info_of(at), info;
    key_arena_describe(arena, at, &info);
    ck_assert_str_eq(info.peer, expected.peer);
    ck_assert_str_eq(info.local, expected.local);
    sample_key(expected.id, key);
    ck_assert_mem_eq(arena->octets[at], key, KEY_OCTETS);
    ck_assert(key_arena_is_of(arena, at, expected.peer, NULL));
    ck_assert(key_arena_is_of(arena, at, expected.peer, expected.local));
    ck_assert(!key_arena_is_of(arena, at, expected.local, NULL));
    ck_assert(!key_arena_is_of(arena, at, expected.peer, "l"));
    struct bytes evidence = key_arena_evidence(arena, at, text);
    ck_assert_uint_eq(evidence.size, (size_t)at * KEY_EVIDENCE_OCTETS / SLOTS);
    ck_assert(bytes_equal(evidence, bytes_of(evidence_of(at), evidence.size)));
}

START_TEST(each_slot_holds_its_key_until_removed)
{
    struct key_arena arena;
    static const uint8_t none[KEY_OCTETS] = {0};
    ck_assert_int_eq(key_arena_open(&arena, SLOTS, NULL), RESULT_OK);
    for (uint32_t at = 1; at <= SLOTS; at++)
        put(&arena, at);
    for (uint32_t at = 2; at <= SLOTS; at += 2)
        key_arena_remove(&arena, at);
    for (uint32_t at = 1; at <= SLOTS; at++)
        if (at % 2)
            assert_there(&arena, at);
        else
            ck_assert_mem_eq(arena.octets[at], none, KEY_OCTETS);
    key_arena_close(&arena);
    key_arena_close(&arena);
}
END_TEST

/* The longest names and evidence in every slot, again and again: no block is ever short or lost. */
START_TEST(there_is_text_for_every_slot)
{
    struct key_arena arena;
    uint8_t key[KEY_OCTETS] = {0};
    ck_assert_int_eq(key_arena_open(&arena, SLOTS, NULL), RESULT_OK);
    struct key_info info = info_of(1);
    memset(info.peer, 'p', sizeof(info.peer) - 1);
    for (uint64_t round = 0; round < 3; round++) {
        for (uint32_t at = 1; at <= SLOTS; at++)
            ck_assert_int_eq(key_arena_put(&arena, at, round * SLOTS + at, &info, 1, key,
                                 bytes_of(evidence_of(at), KEY_EVIDENCE_OCTETS)),
                RESULT_OK);
        ck_assert_uint_eq(arena.blocks_touched, arena.layout.blocks);
        ck_assert_uint_eq(arena.free_block, 0);
        for (uint32_t at = 1; at <= SLOTS; at++)
            key_arena_remove(&arena, at);
    }
    key_arena_close(&arena);
}
END_TEST

CHECK_MAIN("keys/arena", each_slot_holds_its_key_until_removed, there_is_text_for_every_slot)
