/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/arena.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/page.h"
#include "base/secret.h"
#include "keys/memory.h"

#define MAGIC        0x656b326565796b73ULL
#define VERSION      1U /* of the layout; an arena of another version is not read */
#define BLOCK_OCTETS sizeof((struct key_block){0}.text)

static_assert(sizeof(struct key_slot) == 64, "a slot is a line of the CPU's cache");
static_assert(sizeof(struct key_block) == 64, "and so is a block");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a sequence is stored in one instruction");

/* --- layout --- */

static struct key_layout layout_of(uint32_t slots)
{
    struct key_layout layout = {.magic = MAGIC,
        .version = VERSION,
        .slots = slots,
        .blocks = slots * (uint32_t)KEY_BLOCKS_MOST};
    layout.slots_at = whole_pages(sizeof(struct key_header));
    layout.text_at = layout.slots_at + whole_pages(((uint64_t)slots + 1) * sizeof(struct key_slot));
    layout.keys_at =
        layout.text_at + whole_pages(((uint64_t)layout.blocks + 1) * sizeof(struct key_block));
    layout.size = layout.keys_at + whole_pages(((uint64_t)slots + 1) * KEY_OCTETS);
    return layout;
}

static size_t octets_size(const struct key_arena *arena)
{
    return (size_t)(arena->layout.size - arena->layout.keys_at);
}

/* --- mapping --- */

static enum result map_keys(struct key_arena *arena, struct fault *fault)
{
    void *octets = NULL;
    if (arena->locked)
        TRY(secret_map_file(
            arena->fd, (off_t)arena->layout.keys_at, octets_size(arena), &octets, fault));
    else
        octets = mmap(NULL, octets_size(arena), PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd,
            (off_t)arena->layout.keys_at);
    if (octets == MAP_FAILED)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "the keys' memory: %s", strerror(errno));
    arena->octets = octets;
    return RESULT_OK;
}

static enum result map(struct key_arena *arena, struct fault *fault)
{
    const struct key_layout *layout = &arena->layout;
    size_t size = (size_t)layout->keys_at;
    uint8_t *open = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd, 0);
    if (open == MAP_FAILED)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "the keys' memory: %s", strerror(errno));
    arena->open = open;
    arena->slot = (struct key_slot *)(open + layout->slots_at);
    arena->block = (struct key_block *)(open + layout->text_at);
    arena->slots_backed = layout->slots_at;
    arena->text_backed = layout->text_at;
    if (madvise(open, size, MADV_DONTDUMP) != 0 || madvise(open, size, MADV_DONTFORK) != 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "the keys' memory: %s", strerror(errno));
    return map_keys(arena, fault);
}

static uint64_t header_checksum(const struct key_header *header)
{
    return hash_keyed(&header->hash_key, bytes_of(header, offsetof(struct key_header, checksum)));
}

enum result key_arena_open(struct key_arena *arena, uint32_t slots, struct fault *fault)
{
    struct key_header header = {.layout = layout_of(slots)};
    *arena = (struct key_arena){.fd = -1, .layout = header.layout, .locked = true};
    if (hash_key_new(&header.hash_key) != RESULT_OK)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "no random octets");
    header.checksum = header_checksum(&header);
    arena->hash_key = header.hash_key;
    TRY(key_memory_new(arena->layout.size, &arena->fd, fault));
    TRY(map(arena, fault));
    memcpy(arena->open, &header, sizeof(header));
    return RESULT_OK;
}

/* Reads the header by pread(2), so that nothing is mapped before the header is known to be right.
 */
static enum result read_header(int fd, struct key_header *header, struct fault *fault)
{
    struct stat status;
    if (pread(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header) ||
        header->layout.magic != MAGIC || fstat(fd, &status) != 0)
        return fault_set(fault, RESULT_BAD_INPUT, "it holds no keys of ours");
    if (header->layout.version != VERSION)
        return fault_set(fault, RESULT_BAD_INPUT, "its layout is version %u, and this program's %u",
            header->layout.version, VERSION);
    struct key_layout expected = layout_of(header->layout.slots);
    if (header->checksum != header_checksum(header) || header->layout.slots == 0 ||
        header->layout.slots > KEY_SLOTS_MOST ||
        memcmp(&header->layout, &expected, sizeof(expected)) != 0 ||
        (uint64_t)status.st_size != expected.size)
        return fault_set(fault, RESULT_BAD_INPUT, "its header is damaged");
    return RESULT_OK;
}

enum result key_arena_adopt(struct key_arena *arena, int fd, uint32_t slots, struct fault *fault)
{
    struct key_header header;
    *arena = (struct key_arena){.fd = fd};
    TRY(key_memory_check(fd, fault));
    TRY(read_header(fd, &header, fault));
    arena->layout = header.layout;
    arena->hash_key = header.hash_key;
    arena->locked = header.layout.slots == slots;
    return map(arena, fault);
}

static void unmap_keys(struct key_arena *arena)
{
    if (!arena->octets)
        return;
    if (arena->locked)
        secret_leave(arena->octets, octets_size(arena));
    else
        munmap(arena->octets, octets_size(arena));
}

void key_arena_leave(struct key_arena *arena)
{
    unmap_keys(arena);
    if (arena->open)
        munmap(arena->open, (size_t)arena->layout.keys_at);
    if (arena->fd >= 0)
        close(arena->fd);
    *arena = (struct key_arena){.fd = -1};
}

void key_arena_close(struct key_arena *arena)
{
    if (arena->octets)
        secret_wipe(arena->octets, octets_size(arena));
    if (arena->fd >= 0)
        key_memory_wipe(arena->fd);
    key_arena_leave(arena);
}

/* --- text --- */

/* Returns the number of a block that is free no more; 0 when there is no memory. */
static uint32_t take_block(struct key_arena *arena)
{
    uint32_t block = arena->free_block;
    if (block) {
        arena->free_block = arena->block[block].next;
        return block;
    }
    block = arena->blocks_touched + 1;
    if (block > arena->layout.blocks ||
        !key_memory_back(arena->fd, &arena->text_backed,
            arena->layout.text_at + (block + 1ULL) * sizeof(struct key_block)))
        return 0;
    return arena->blocks_touched = block;
}

static void drop_text(struct key_arena *arena, uint32_t first, size_t size)
{
    for (size_t dropped = 0; dropped < size; dropped += BLOCK_OCTETS) {
        struct key_block *block = &arena->block[first];
        uint32_t next = block->next;
        *block = (struct key_block){.next = arena->free_block};
        arena->free_block = first;
        first = next;
    }
}

/* Writes the last block first, because each block holds the number of the next. */
static bool write_text(struct key_arena *arena, struct bytes text, uint32_t *first)
{
    size_t left = text.size;
    *first = 0;
    while (left > 0) {
        size_t part = (left - 1) % BLOCK_OCTETS + 1;
        uint32_t at = take_block(arena);
        if (!at) {
            drop_text(arena, *first, text.size - left);
            return false;
        }
        left -= part;
        arena->block[at].next = *first;
        memcpy(arena->block[at].text, text.data + left, part);
        *first = at;
    }
    return true;
}

bool key_arena_read(const struct key_arena *arena, uint32_t first, uint8_t *text, size_t size)
{
    for (size_t done = 0; done < size; done += BLOCK_OCTETS) {
        if (first == 0 || first > arena->blocks_touched)
            return false;
        memcpy(text + done, arena->block[first].text,
            size - done < BLOCK_OCTETS ? size - done : BLOCK_OCTETS);
        first = arena->block[first].next;
    }
    return true;
}

size_t key_slot_text_size(const struct key_slot *slot)
{
    return (size_t)slot->peer_size + slot->local_size + slot->evidence_size;
}

static size_t join_text(uint8_t text[KEY_TEXT_OCTETS], const struct key_slot *slot,
    const struct key_info *info, struct bytes evidence)
{
    memcpy(text, info->peer, slot->peer_size);
    memcpy(text + slot->peer_size, info->local, slot->local_size);
    if (evidence.size > 0)
        memcpy(text + slot->peer_size + slot->local_size, evidence.data, evidence.size);
    return key_slot_text_size(slot);
}

/* --- slots --- */

uint64_t key_slot_checksum(
    const struct key_arena *arena, uint32_t at, uint64_t sequence, struct bytes text)
{
    struct {
        struct key_slot slot;
        uint64_t index, octets, text;
    } all = {.slot = arena->slot[at], .index = at};
    all.slot.sequence = sequence;
    all.slot.checksum = 0;
    all.octets = hash_keyed(&arena->hash_key, bytes_of(arena->octets[at], KEY_OCTETS));
    all.text = hash_keyed(&arena->hash_key, text);
    return hash_keyed(&arena->hash_key, bytes_of(&all, sizeof(all)));
}

enum result key_arena_put(struct key_arena *arena, uint32_t at, uint64_t sequence,
    const struct key_info *info, uint32_t deadline_s, const uint8_t key[KEY_OCTETS],
    struct bytes evidence)
{
    uint8_t text[KEY_TEXT_OCTETS];
    struct key_slot slot = {.established_s = info->established_s,
        .expires_s = info->expires_s,
        .deadline_s = deadline_s,
        .cipher_suite = info->cipher_suite,
        .evidence_size = (uint16_t)evidence.size,
        .peer_size = (uint8_t)strlen(info->peer),
        .local_size = (uint8_t)strlen(info->local),
        .role = (uint8_t)info->role,
        .flavour = (uint8_t)info->flavour};
    struct bytes all = bytes_of(text, join_text(text, &slot, info, evidence));
    memcpy(slot.id, info->id, KEY_ID_OCTETS);
    if (!key_memory_back(
            arena->fd, &arena->slots_backed, arena->layout.slots_at + (at + 1ULL) * sizeof(slot)) ||
        !write_text(arena, all, &slot.text))
        return RESULT_NO_MEMORY;
    arena->slot[at] = slot;
    memcpy(arena->octets[at], key, KEY_OCTETS);
    arena->slot[at].checksum = key_slot_checksum(arena, at, sequence, all);
    atomic_store_explicit(&arena->slot[at].sequence, sequence, memory_order_release);
    return RESULT_OK;
}

void key_arena_remove(struct key_arena *arena, uint32_t at)
{
    struct key_slot *slot = &arena->slot[at];
    atomic_store_explicit(&slot->sequence, 0, memory_order_relaxed);
    /* The compiler must not move stores over this, as the process can die between any two
     * instructions: the fence that serves for signal handlers does that. */
    atomic_signal_fence(memory_order_seq_cst);
    secret_wipe(arena->octets[at], KEY_OCTETS);
    drop_text(arena, slot->text, key_slot_text_size(slot));
    memset(slot, 0, sizeof(*slot));
}

void key_arena_describe(const struct key_arena *arena, uint32_t at, struct key_info *info)
{
    const struct key_slot *slot = &arena->slot[at];
    uint8_t names[KEY_NAMES_OCTETS];
    if (!key_arena_read(arena, slot->text, names, (size_t)slot->peer_size + slot->local_size))
        abort(); /* the memory is corrupted: keys must not be handed out from it */
    memcpy(info->id, slot->id, KEY_ID_OCTETS);
    memcpy(info->peer, names, slot->peer_size);
    info->peer[slot->peer_size] = '\0';
    memcpy(info->local, names + slot->peer_size, slot->local_size);
    info->local[slot->local_size] = '\0';
    info->role = slot->role;
    info->flavour = slot->flavour;
    info->cipher_suite = slot->cipher_suite;
    info->established_s = slot->established_s;
    info->expires_s = slot->expires_s;
}

bool key_arena_is_of(
    const struct key_arena *arena, uint32_t at, const char *peer, const char *local)
{
    const struct key_slot *slot = &arena->slot[at];
    uint8_t names[KEY_NAMES_OCTETS];
    struct bytes ours = bytes_of(names, slot->peer_size);
    if (!key_arena_read(arena, slot->text, names, (size_t)slot->peer_size + slot->local_size))
        abort();
    return bytes_equal(ours, bytes_of_string(peer)) &&
           (!local || bytes_equal(bytes_of(names + slot->peer_size, slot->local_size),
                          bytes_of_string(local)));
}

struct bytes key_arena_evidence(
    const struct key_arena *arena, uint32_t at, uint8_t text[KEY_TEXT_OCTETS])
{
    const struct key_slot *slot = &arena->slot[at];
    if (!key_arena_read(arena, slot->text, text, key_slot_text_size(slot)))
        abort();
    return bytes_of(text + slot->peer_size + slot->local_size, slot->evidence_size);
}
