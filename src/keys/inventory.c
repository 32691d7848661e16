/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "keys/memory.h"

/* --- blocks: each belongs to one key only --- */

struct claims {
    uint64_t *bits;
};

static bool is_claimed(const struct claims *claims, uint32_t block)
{
    return claims->bits[block / 64] >> block % 64 & 1;
}

/* Follows the chain of a text of SIZE octets from the block FIRST on. With CLAIMED false it claims
 * each block, and stops at one that is claimed already, by another text or by this one. With
 * CLAIMED true it gives them back. Returns how many octets of the text these blocks hold. */
static size_t flip_claims(
    const struct key_arena *arena, struct claims *claims, uint32_t first, size_t size, bool claimed)
{
    size_t done = 0;
    for (uint32_t at = first; done < size && is_claimed(claims, at) == claimed;
         at = arena->block[at].next) {
        claims->bits[at / 64] ^= 1ULL << at % 64;
        done += sizeof(arena->block[at].text);
    }
    return done < size ? done : size;
}

static bool claim(const struct key_arena *arena, struct claims *claims, const struct key_slot *slot)
{
    size_t size = key_slot_text_size(slot);
    size_t done = flip_claims(arena, claims, slot->text, size, false);
    if (done < size)
        flip_claims(arena, claims, slot->text, done, true);
    return done == size;
}

/* --- slots --- */

static bool is_whole(const struct key_arena *arena, uint32_t at)
{
    const struct key_slot *slot = &arena->slot[at];
    size_t size = key_slot_text_size(slot);
    uint8_t text[KEY_TEXT_OCTETS];
    return slot->sequence <= KEY_SEQUENCE_MOST && slot->evidence_size <= KEY_EVIDENCE_OCTETS &&
           slot->role <= KEY_ROLE_TERMINATING && slot->flavour < FLAVOUR_COUNT &&
           key_arena_read(arena, slot->text, text, size) &&
           slot->checksum == key_slot_checksum(arena, at, slot->sequence, bytes_of(text, size));
}

static void clear(struct key_arena *arena, uint32_t at)
{
    secret_wipe(arena->octets[at], KEY_OCTETS);
    memset(&arena->slot[at], 0, sizeof(arena->slot[at]));
}

/* Lists the keys that are whole and clears all other slots. A slot without a sequence is free. It
 * may hold the rest of an insertion or removal during which the process died: no damage. */
static void check_slots(struct key_arena *arena, struct claims *claims, struct key_inventory *out)
{
    for (uint32_t at = 0; at <= out->touched; at++) {
        bool there = at > 0 && arena->slot[at].sequence != 0;
        if (there && is_whole(arena, at) && claim(arena, claims, &arena->slot[at])) {
            out->at[out->count++] = at;
            continue;
        }
        out->damaged += there;
        clear(arena, at);
    }
}

static int by_age(const void *a, const void *b, void *context)
{
    const struct key_arena *arena = context;
    uint64_t left = arena->slot[*(const uint32_t *)a].sequence;
    uint64_t right = arena->slot[*(const uint32_t *)b].sequence;
    return left < right ? -1 : left > right;
}

/* --- the whole --- */

/* Returns the index of the last element, of EACH octets, that was written between the offsets START
 * and END. Elements beyond it must not be read, as reading a hole of the file allocates memory. */
static uint32_t last_written(int fd, uint64_t start, uint64_t end, size_t each)
{
    uint64_t count = (key_memory_written(fd, start, end) - start) / each;
    return count > 0 ? (uint32_t)(count - 1) : 0;
}

static void free_blocks(struct key_arena *arena, const struct claims *claims)
{
    for (uint32_t at = arena->blocks_touched; at > 0; at--)
        if (!is_claimed(claims, at)) {
            arena->block[at] = (struct key_block){.next = arena->free_block};
            arena->free_block = at;
        }
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

enum result key_inventory_take(
    struct key_arena *arena, struct key_inventory *out, struct fault *fault)
{
    const struct key_layout *layout = &arena->layout;
    uint32_t last_slot =
        last_written(arena->fd, layout->slots_at, layout->text_at, sizeof(struct key_slot));
    uint32_t last_block =
        last_written(arena->fd, layout->text_at, layout->keys_at, sizeof(struct key_block));
    *out = (struct key_inventory){.touched = least(last_slot, layout->slots)};
    arena->blocks_touched = least(last_block, layout->blocks);
    uint64_t *bits CLEANUP(auto_free) = calloc(arena->blocks_touched / 64 + 1U, sizeof(*bits));
    uint32_t *kept CLEANUP(auto_free) = calloc(out->touched + 1U, sizeof(*kept));
    if (!bits || !kept)
        return fault_set(fault, RESULT_NO_MEMORY, "no memory for a cache of %u keys", out->touched);
    struct claims claims = {.bits = bits};
    out->at = kept;
    check_slots(arena, &claims, out);
    free_blocks(arena, &claims);
    qsort_r(kept, out->count, sizeof(*kept), by_age, arena);
    out->at = TAKE_PTR(kept);
    return RESULT_OK;
}
