/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the keys lie, and all that is known of them: a file of memory (memfd_create(2)) that can
 * outlive the process in the hands of the service manager. For the room keys alone.
 *
 *     header | slots | text | keys
 *
 * A key is a slot, the key octets of the same index, and its text: peer, local and evidence, in a
 * chain of blocks. Slots and blocks count from 1. The key octets are locked memory, the rest is
 * as ordinary as the heap. Memory is taken as it is used; the text has room for the worst case, so
 * that a free slot always has its blocks too.
 *
 * A slot's sequence is stored last and cleared first, so that the process may die between any two
 * instructions and leave each key whole or not at all. What is not whole all the same (our own
 * error, failing memory) the checksum finds. It is SipHash under a key of this arena: nothing that
 * stood in another arena passes for a key of this one. Only this service and its manager can write
 * here, so it has to withstand accidents, not forgery. */
#pragma once

#include "base/fault.h"
#include "base/hash.h"
#include "keys/cache.h"

#define KEY_SLOTS_MOST    (1U << 24)
#define KEY_SEQUENCE_MOST ((1ULL << 39) - 1)
#define KEY_NAMES_OCTETS  (2 * (IDENTIFIER_OCTETS - 1))
#define KEY_TEXT_OCTETS   (KEY_NAMES_OCTETS + KEY_EVIDENCE_OCTETS)

struct key_slot {
    uint64_t sequence; /* counts insertions from 1; 0: no key here */
    uint64_t checksum;
    int64_t established_s, expires_s;
    uint8_t id[KEY_ID_OCTETS];
    uint32_t text; /* the first block; 0: no text */
    uint16_t cipher_suite;
    uint16_t evidence_size;
    uint8_t peer_size, local_size; /* without NUL */
    uint8_t role, flavour;
    uint32_t deadline_s; /* when it expires, by clock_steady_s; 0 from a version that went by
                            expires_s alone and left this unused: see keys/restore.c */
};

struct key_block {
    uint32_t next; /* 0 in the last */
    uint8_t text[60];
};

#define KEY_BLOCKS_MOST                                                                            \
    ((KEY_TEXT_OCTETS + sizeof((struct key_block){0}.text) - 1) /                                  \
        sizeof((struct key_block){0}.text))

/* Follows from the number of slots; it stands in the header to be compared. */
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
    uint64_t checksum; /* of what is before it */
};

struct key_arena {
    struct key_layout layout;
    struct hash_key hash_key;
    int fd;
    bool locked;
    uint8_t *open;                      /* the mapping of all before the keys */
    struct key_slot *slot;              /* slot[0] is none */
    struct key_block *block;            /* so is block[0] */
    uint8_t (*octets)[KEY_OCTETS];      /* the keys */
    uint32_t free_block;                /* chain of those that were used */
    uint32_t blocks_touched;            /* those beyond were never used */
    uint64_t slots_backed, text_backed; /* offsets: memory is promised as far as here */
};

/* A new one; its capacity is SLOTS. On failure too, to be closed. */
enum result key_arena_open(struct key_arena *arena, uint32_t slots, struct fault *fault)
    WARN_UNUSED;
/* The one in FD, which is taken over. Locked only when it has SLOTS slots: one of another size is
 * there to be read and closed. RESULT_BAD_INPUT when it can't be one of ours; what is wrong with
 * single keys key_arena_check finds. On failure too, to be closed. */
enum result key_arena_adopt(struct key_arena *arena, int fd, uint32_t slots, struct fault *fault)
    WARN_UNUSED;
void key_arena_close(struct key_arena *arena); /* wipes the keys, and gives all memory back */
void key_arena_leave(struct key_arena *arena); /* lets go of it as it is */

/* Into a free slot. RESULT_NO_MEMORY. */
enum result key_arena_put(struct key_arena *arena, uint32_t at, uint64_t sequence,
    const struct key_info *info, uint32_t deadline_s, const uint8_t key[KEY_OCTETS],
    struct bytes evidence) WARN_UNUSED;
void key_arena_remove(struct key_arena *arena, uint32_t at); /* wipes */

void key_arena_describe(const struct key_arena *arena, uint32_t at, struct key_info *info);
bool key_arena_is_of(
    const struct key_arena *arena, uint32_t at, const char *peer, const char *local);
/* A view, in TEXT. */
struct bytes key_arena_evidence(
    const struct key_arena *arena, uint32_t at, uint8_t text[KEY_TEXT_OCTETS]);

/* What an adopted arena needs before anything else: keeps the keys that are whole, wipes all the
 * rest. Gives the index of each kept, by age, the oldest first; the caller frees. */
struct key_inventory {
    uint32_t *at;
    uint32_t count;
    uint32_t touched; /* no key beyond this slot */
    uint32_t damaged; /* keys that were not whole */
};
enum result key_arena_check(struct key_arena *arena, struct key_inventory *out, struct fault *fault)
    WARN_UNUSED;

/* For the check. The first SIZE octets of the text that begins at the block FIRST; false when that
 * leads astray. */
bool key_arena_read(const struct key_arena *arena, uint32_t first, uint8_t *text, size_t size)
    WARN_UNUSED;
size_t key_slot_text_size(const struct key_slot *slot);
uint64_t key_slot_checksum(
    const struct key_arena *arena, uint32_t at, uint64_t sequence, struct bytes text);
