/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/keyring.h"

#include "base/clock.h"
#include "keys/inventory.h"

/* --- the whole --- */

static enum result check_bounds(uint32_t capacity, uint32_t per_peer, struct fault *fault)
{
    if (capacity == 0 || capacity >= KEY_SLOTS_MOST)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "the key cache can hold from 1 to %u keys, not %u", KEY_SLOTS_MOST - 1, capacity);
    if (per_peer == 0)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "a peer needs room for 1 key or more");
    return RESULT_OK;
}

enum result keyring_open(
    struct keyring *keyring, uint32_t capacity, uint32_t per_peer, struct fault *fault)
{
    *keyring = (struct keyring){.arena.fd = -1, .per_peer = per_peer};
    TRY(check_bounds(capacity, per_peer, fault));
    TRY(key_arena_open(&keyring->arena, capacity + 1, fault));
    return key_table_open(&keyring->table, &keyring->arena, fault);
}

void keyring_close(struct keyring *keyring)
{
    key_arena_close(&keyring->arena);
    key_table_close(&keyring->table);
}

void keyring_leave(struct keyring *keyring)
{
    key_arena_leave(&keyring->arena);
    key_table_close(&keyring->table);
}

uint32_t keyring_count(const struct keyring *keyring)
{
    return atomic_load_explicit(&keyring->count, memory_order_relaxed);
}

uint32_t keyring_capacity(const struct keyring *keyring)
{
    return keyring->arena.layout.slots - 1;
}

/* --- deadlines --- */

static int64_t between(int64_t least, int64_t value, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

uint32_t key_deadline_at(int64_t expires_s, int64_t now_s)
{
    int64_t left_s;
    if (__builtin_sub_overflow(expires_s, now_s, &left_s))
        left_s = expires_s < now_s ? -(int64_t)UINT32_MAX : UINT32_MAX;
    left_s = between(-(int64_t)UINT32_MAX, left_s, UINT32_MAX);
    return (uint32_t)between(1, clock_steady_s() + left_s, UINT32_MAX);
}

bool keyring_is_live(const struct keyring *keyring, uint32_t at)
{
    return key_table_is_live(&keyring->table, at, clock_steady_s());
}

/* --- inserting and removing --- */

static void note(
    const struct keyring *keyring, uint32_t at, enum key_event event, struct key_changes *changes)
{
    changes->item[changes->count].event = event;
    key_arena_describe(&keyring->arena, at, &changes->item[changes->count].info);
    changes->count++;
}

void keyring_discard(
    struct keyring *keyring, uint32_t at, enum key_event event, struct key_changes *changes)
{
    note(keyring, at, keyring_is_live(keyring, at) ? event : KEY_EXPIRED, changes);
    key_table_remove(&keyring->table, at);
    key_arena_remove(&keyring->arena, at);
    atomic_fetch_sub_explicit(&keyring->count, 1, memory_order_relaxed);
}

/* Evicts a key if a key of PAIR has just been inserted beyond a bound: the oldest of the pair, or
 * of all. */
static void make_room(
    struct keyring *keyring, const struct key_pair *pair, struct key_changes *changes)
{
    if (pair->keys > keyring->per_peer)
        keyring_discard(keyring, key_table_oldest_of(&keyring->table, pair), KEY_EVICTED, changes);
    else if (keyring_count(keyring) > keyring_capacity(keyring))
        keyring_discard(keyring, key_table_oldest(&keyring->table), KEY_EVICTED, changes);
}

/* The new key is stored before an old one goes, for which the arena has one slot more than the
 * cache has capacity: if the process dies between the two, no key is lost. */
enum result keyring_put(struct keyring *keyring, const struct key_info *info, uint32_t deadline_s,
    const uint8_t key[KEY_OCTETS], struct bytes evidence, struct key_changes *changes)
{
    struct key_table *table = &keyring->table;
    uint32_t same_id = key_table_find(table, info->id);
    if (keyring_is_live(keyring, same_id))
        return RESULT_CONFLICT;
    if (same_id)
        keyring_discard(keyring, same_id, KEY_EXPIRED, changes);
    struct key_pair *pair = key_table_hold(table, info->peer, info->local);
    if (!pair)
        return RESULT_NO_MEMORY;
    uint32_t at = key_table_take(table);
    enum result result =
        key_arena_put(&keyring->arena, at, keyring->sequence + 1, info, deadline_s, key, evidence);
    if (result != RESULT_OK) {
        key_table_give(table, at);
        key_table_release(table, pair);
        return result;
    }
    key_table_insert(table, at, pair, deadline_s);
    keyring->sequence++;
    atomic_fetch_add_explicit(&keyring->count, 1, memory_order_relaxed);
    make_room(keyring, pair, changes);
    note(keyring, at, KEY_ESTABLISHED, changes);
    return RESULT_OK;
}

/* --- keys of another arena --- */

/* An older version knew the wall clock only and left no deadline: then the wall clock says how long
 * the key still lives. The slot stays as it is, because a new deadline and the checksum that goes
 * with it cannot be stored in one step. */
static uint32_t deadline_of(const struct key_slot *slot)
{
    return slot->deadline_s ? slot->deadline_s : key_deadline_at(slot->expires_s, clock_wall_s());
}

/* Inserts the key in the slot AT into the table. It is newer than those inserted before. */
static enum result take_up(struct keyring *keyring, uint32_t at, struct key_restored *restored)
{
    struct key_table *table = &keyring->table;
    struct key_changes evicted;
    struct key_info info;
    evicted.count = 0;
    key_arena_describe(&keyring->arena, at, &info);
    uint32_t deadline_s = deadline_of(&keyring->arena.slot[at]);
    bool is_twice = key_table_find(table, info.id) != 0;
    if (is_twice || deadline_s <= clock_steady_s()) {
        restored->damaged += is_twice;
        restored->expired += !is_twice;
        key_arena_remove(&keyring->arena, at);
        key_table_give(table, at);
        return RESULT_OK;
    }
    struct key_pair *pair = key_table_hold(table, info.peer, info.local);
    if (!pair)
        return RESULT_NO_MEMORY;
    key_table_insert(table, at, pair, deadline_s);
    keyring->sequence = keyring->arena.slot[at].sequence;
    atomic_fetch_add_explicit(&keyring->count, 1, memory_order_relaxed);
    make_room(keyring, pair, &evicted);
    restored->evicted += evicted.count;
    return RESULT_OK;
}

enum result keyring_restore(struct keyring *keyring, int fd, uint32_t capacity, uint32_t per_peer,
    struct key_restored *restored, struct fault *fault)
{
    struct key_inventory found = {0};
    *keyring = (struct keyring){.arena.fd = fd, .per_peer = per_peer};
    TRY(check_bounds(capacity, per_peer, fault));
    TRY(key_arena_adopt(&keyring->arena, fd, capacity + 1, fault));
    TRY(key_table_open(&keyring->table, &keyring->arena, fault));
    TRY(key_inventory_take(&keyring->arena, &found, fault));

    uint32_t *at CLEANUP(auto_free) = found.at;
    *restored = (struct key_restored){.damaged = found.damaged};
    key_table_begin(&keyring->table, found.touched);
    for (uint32_t i = 0; i < found.count; i++)
        if (take_up(keyring, at[i], restored) != RESULT_OK)
            return fault_set(fault, RESULT_NO_MEMORY, "no memory for %u keys", found.count);
    restored->kept = keyring_count(keyring);
    return RESULT_OK;
}

enum result keyring_copy(struct keyring *to, const struct keyring *from)
{
    const struct key_table *table = &from->table;
    for (uint32_t at = key_table_oldest(table); at; at = key_table_newer(table, at)) {
        struct key_changes changes;
        struct key_info info;
        uint8_t text[KEY_TEXT_OCTETS];
        changes.count = 0;
        key_arena_describe(&from->arena, at, &info);
        TRY(keyring_put(to, &info, table->records[at].deadline_s, from->arena.octets[at],
            key_arena_evidence(&from->arena, at, text), &changes));
    }
    return RESULT_OK;
}
