/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/recent.h"

#include <stddef.h>

/* Owners hash into chains by the low bits of a hash, too. */
static struct recent_entry *set_of(struct recent *recent, uint64_t hash)
{
    return recent->sets[(hash >> 32) % RECENT_SETS];
}

struct recent_entry *recent_find(struct recent *recent, uint64_t hash)
{
    struct recent_entry *set = set_of(recent, hash);

    for (size_t i = 0; i < RECENT_WAYS; i++)
        if (set[i].hash == hash && set[i].changed_us != 0)
            return &set[i];
    return NULL;
}

struct recent_entry *recent_take(struct recent *recent, uint64_t hash)
{
    struct recent_entry *found = recent_find(recent, hash);
    struct recent_entry *longest = set_of(recent, hash);

    if (found)
        return found;
    for (size_t i = 1; i < RECENT_WAYS; i++)
        if (set_of(recent, hash)[i].changed_us < longest->changed_us)
            longest = &set_of(recent, hash)[i];
    *longest = (struct recent_entry){.hash = hash};
    return longest;
}
