/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/arena.h"

#include <string.h>

#include "support/check_main.h"

START_TEST(each_slot_holds_its_key_until_wiped)
{
    struct key_arena arena;
    uint8_t key[KEY_OCTETS], back[KEY_OCTETS];
    static const uint8_t none[KEY_OCTETS] = {0};
    ck_assert_int_eq(key_arena_open(&arena, 100, NULL), RESULT_OK);
    for (uint32_t slot = 1; slot <= 100; slot++) {
        memset(key, (int)slot, sizeof(key));
        key_arena_put(&arena, slot, key);
    }
    key_arena_wipe(&arena, 50);
    for (uint32_t slot = 1; slot <= 100; slot++) {
        memset(key, (int)slot, sizeof(key));
        key_arena_get(&arena, slot, back);
        ck_assert_mem_eq(back, slot == 50 ? none : key, KEY_OCTETS);
    }
    key_arena_close(&arena);
    key_arena_close(&arena);
}
END_TEST

CHECK_MAIN("keys/arena", each_slot_holds_its_key_until_wiped)
