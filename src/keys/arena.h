/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key arena: a memfd (memfd_create(2)) that holds the keys and their metadata. It
 * outlives the process when the service manager keeps its descriptor. For the room keys alone.
 *
 *     header | slots | text | keys
 *
 * A key is a slot, the key octets of the same index, and its text: peer, local and evidence, in a
 * chain of blocks. Slots and blocks count from 1. The key octets are in locked memory, all else in
 * ordinary memory. Memory is taken as it is used; there are blocks enough for the longest text of
 * every slot, so that a free slot always finds free blocks too.
 *
 * A slot's sequence is stored last and cleared first, so that the process may die between any two
 * instructions and leave each key whole or not at all. A key that is damaged all the same (by a bug
 * or failing memory) does not match its checksum. The checksum is SipHash under a random key of
 * this arena, so that what was written into another arena does not pass for a key of this one. Only
 * this service and its manager can write here: the checksum protects from accidents, not forgery.
 */
#pragma once

#include <stdatomic.h>

#include "base/fault.h"
#include "base/hash.h"
#include "keys/key.h"

#define KEY_SLOTS_MOST    (1U << 24)
#define KEY_SEQUENCE_MOST ((1ULL << 39) - 1)
#define KEY_NAMES_OCTETS  (2 * (IDENTIFIER_OCTETS - 1))
#define KEY_TEXT_OCTETS   (KEY_NAMES_OCTETS + KEY_EVIDENCE_OCTETS)

struct key_slot {
    _Atomic uint64_t sequence; /* counts insertions from 1; 0: no key here */
    uint64_t checksum;
    int64_t established_s, expires_s;
    uint8_t id[KEY_ID_OCTETS];
    uint32_t text; /* the first block; 0: no text */
    uint16_t cipher_suite;
    uint16_t evidence_size;
    uint8_t peer_size, local_size; /* without NUL */
    uint8_t role, flavour;
    uint32_t deadline_s; /* when it expires, by clock_steady_s; 0 from an older version, which went
                            by expires_s alone: see keys/keyring.c */
};

struct key_block {
    uint32_t next; /* 0 in the last */
    uint8_t text[60];
};

#define KEY_BLOCKS_MOST                                                                            \
    ((KEY_TEXT_OCTETS + sizeof((struct key_block){0}.text) - 1) /                                  \
        sizeof((struct key_block){0}.text))

/* The layout that an arena of so many slots has. The header has a copy, which is compared after a
 * restart. */
struct key_layout {
    uint64_t magic;
    uint32_t version;
    uint32_t slots, blocks;
    uint32_t unused;
    uint64_t slots_at, text_at, keys_at, size; /* offsets */
};

struct key_header {
    struct key_layout layout;
    struct hash_key hash_key;
    uint64_t checksum; /* of the members before this one, under hash_key */
};

struct key_arena {
    struct key_layout layout;
    struct hash_key hash_key;
    int fd;
    bool locked;
    uint8_t *open;                 /* the mapping of header, slots and text */
    struct key_slot *slot;         /* slot[0] is never used */
    struct key_block *block;       /* nor is block[0] */
    uint8_t (*octets)[KEY_OCTETS]; /* the keys */
    uint32_t free_block;     /* the first of the chain of blocks that were used and are free */
    uint32_t blocks_touched; /* blocks beyond this number were never used */
    uint64_t slots_backed, text_backed; /* offsets up to which the memory is allocated */
};

/* Makes an arena of SLOTS slots. Release it with key_arena_close, also after a failure. */
enum result key_arena_open(struct key_arena *arena, uint32_t slots, struct fault *fault)
    WARN_UNUSED;
/* Maps the arena in FD, which is taken over. Its keys are locked into memory only when it has SLOTS
 * slots; an arena of another size can only be read and closed. RESULT_BAD_INPUT when FD is no arena
 * of this version; damage to single keys is found by key_inventory_take (keys/inventory.h). Release
 * it with key_arena_close or key_arena_leave, also after a failure. */
enum result key_arena_adopt(struct key_arena *arena, int fd, uint32_t slots, struct fault *fault)
    WARN_UNUSED;
/* Wipes the keys and frees their memory, also for other processes that have the memfd. */
void key_arena_close(struct key_arena *arena);
/* Unmaps the arena, and leaves the keys in the memfd. */
void key_arena_leave(struct key_arena *arena);

/* Writes a key with its metadata and evidence into the slot AT, which has to be free.
 * RESULT_NO_MEMORY. */
enum result key_arena_put(struct key_arena *arena, uint32_t at, uint64_t sequence,
    const struct key_info *info, uint32_t deadline_s, const uint8_t key[KEY_OCTETS],
    struct bytes evidence) WARN_UNUSED;
/* Frees the slot AT, and wipes its key. */
void key_arena_remove(struct key_arena *arena, uint32_t at);

/* The functions below read the slot AT, which has to hold a key. */
void key_arena_describe(const struct key_arena *arena, uint32_t at, struct key_info *info);
/* Is the key one of PEER and LOCAL? LOCAL NULL means any end-point. */
bool key_arena_is_of(
    const struct key_arena *arena, uint32_t at, const char *peer, const char *local);
/* Copies the text of the key to TEXT, and returns a view of the evidence in it. */
struct bytes key_arena_evidence(
    const struct key_arena *arena, uint32_t at, uint8_t text[KEY_TEXT_OCTETS]);

/* --- for keys/inventory.c --- */

/* Copies the first SIZE octets of the text that begins at the block FIRST; false when its chain
 * leads to a block that does not exist. */
bool key_arena_read(const struct key_arena *arena, uint32_t first, uint8_t *text, size_t size)
    WARN_UNUSED;
size_t key_slot_text_size(const struct key_slot *slot);
uint64_t key_slot_checksum(
    const struct key_arena *arena, uint32_t at, uint64_t sequence, struct bytes text);
