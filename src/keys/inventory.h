/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which keys of an arena that another process left are whole. For the room keys alone. */
#pragma once

#include "keys/arena.h"

/* The keys that are whole. */
struct key_inventory {
    uint32_t *at; /* their indices, oldest first; the caller frees */
    uint32_t count;
    uint32_t touched; /* slots beyond this index were never used */
    uint32_t damaged; /* how many keys were not whole */
};

/* Wipes all slots of ARENA that hold no whole key, and makes the blocks that no key uses free. To
 * be called once after key_arena_adopt, before anything else. RESULT_NO_MEMORY. */
enum result key_inventory_take(
    struct key_arena *arena, struct key_inventory *out, struct fault *fault) WARN_UNUSED;
