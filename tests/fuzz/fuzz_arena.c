/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of keys with any octets changed: each key that is still given out is right. With the
 * first octet odd all is signed anew, as no accident would: then the cache has to work on. */
#include "keys/arena.h"
#include "unit/keys/damage.h"

#define PAGE      4096
#define PAGES_MAX 64

static int memory = -1;
static off_t pages[PAGES_MAX]; /* those that were written */
static unsigned page_count;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepare(void)
{
    memory = damage_memory();
    for (off_t at = 0; (at = lseek(memory, at, SEEK_DATA)) >= 0 && page_count < PAGES_MAX;
         at += PAGE)
        pages[page_count++] = at;
    if (page_count == 0)
        abort();
}

/* Four octets a change: where, and what. */
static void change(int fd, struct bytes in)
{
    for (struct bytes each; bytes_take(&in, 4, &each);) {
        unsigned page = each.data[0] % page_count;
        unsigned offset = ((unsigned)each.data[1] << 8 | each.data[2]) % PAGE;
        if (pwrite(fd, &each.data[3], 1, pages[page] + offset) != 1)
            abort();
    }
}

static void sign(struct key_arena *arena, uint32_t at)
{
    uint8_t text[KEY_TEXT_OCTETS];
    struct key_slot *slot = &arena->slot[at];
    size_t size = key_slot_text_size(slot);
    if (slot->evidence_size <= KEY_EVIDENCE_OCTETS && key_arena_read(arena, slot->text, text, size))
        slot->checksum = key_slot_checksum(arena, at, slot->sequence, bytes_of(text, size));
}

static void sign_all(int fd)
{
    struct key_arena arena;
    if (key_arena_adopt(&arena, dup(fd), 0, NULL) == RESULT_OK) {
        arena.blocks_touched = arena.layout.blocks;
        for (uint32_t at = 1; at <= arena.layout.slots; at++)
            sign(&arena, at);
    }
    key_arena_leave(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key_cache *cache = NULL;
    struct key_restored counts;
    if (memory < 0)
        prepare();
    bool sign_anew = size > 0 && data[0] % 2;
    int fd = copy_of(memory);
    change(fd, size > 0 ? bytes_of(data + 1, size - 1) : (struct bytes){0});
    if (sign_anew)
        sign_all(fd);
    enum result result =
        key_cache_restore(fd, DAMAGE_CAPACITY, DAMAGE_CAPACITY, &cache, &counts, NULL);
    if (result != RESULT_OK)
        return result == RESULT_BAD_INPUT ? 0 : -1;
    if (!damage_holds(cache) && !sign_anew)
        abort();
    key_cache_free(cache);
    return 0;
}
