/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache's key octets: slots in one secret mapping, and nowhere else. For keys/cache.c alone.
 * Slots count from 1, as the records of keys/table.h do. */
#pragma once

#include "keys/cache.h"

struct key_arena {
    uint8_t (*slots)[KEY_OCTETS];
    size_t size;
};

enum result key_arena_open(struct key_arena *arena, uint32_t slots, struct fault *fault)
    WARN_UNUSED;
void key_arena_close(struct key_arena *arena); /* wipes */

void key_arena_put(struct key_arena *arena, uint32_t slot, const uint8_t key[KEY_OCTETS]);
void key_arena_get(const struct key_arena *arena, uint32_t slot, uint8_t key[KEY_OCTETS]);
void key_arena_wipe(struct key_arena *arena, uint32_t slot);
