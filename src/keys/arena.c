/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/arena.h"

#include <string.h>

#include "base/secret.h"

enum result key_arena_open(struct key_arena *arena, uint32_t slots, struct fault *fault)
{
    void *mapping = NULL;
    size_t size = (size_t)slots * KEY_OCTETS;
    enum result result = secret_map(size, &mapping, fault);
    if (result == RESULT_OK)
        *arena = (struct key_arena){.slots = mapping, .size = size};
    return result;
}

void key_arena_close(struct key_arena *arena)
{
    secret_unmap(arena->slots, arena->size);
    *arena = (struct key_arena){0};
}

void key_arena_put(struct key_arena *arena, uint32_t slot, const uint8_t key[KEY_OCTETS])
{
    memcpy(arena->slots[slot - 1], key, KEY_OCTETS);
}

void key_arena_get(const struct key_arena *arena, uint32_t slot, uint8_t key[KEY_OCTETS])
{
    memcpy(key, arena->slots[slot - 1], KEY_OCTETS);
}

void key_arena_wipe(struct key_arena *arena, uint32_t slot)
{
    secret_wipe(arena->slots[slot - 1], KEY_OCTETS);
}
