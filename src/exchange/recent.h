/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded memory of numbers that change with time, one for each of many that are known by a keyed
 * hash. Each hash can be in a few places only. When these are taken, the entry in them that has not
 * changed for longest makes room. As the hash is keyed, nobody outside can choose whose entry that
 * is. The owner protects it with its lock. */
#pragma once

#include <stdint.h>

#define RECENT_SETS 2048
#define RECENT_WAYS 8

struct recent_entry {
    uint64_t hash;
    int64_t changed_us; /* by the steady clock; 0: not in use */
    double number;
};

/* Zero-initialise. */
struct recent {
    struct recent_entry sets[RECENT_SETS][RECENT_WAYS];
};

/* The entry of HASH; NULL when there is none. */
struct recent_entry *recent_find(struct recent *recent, uint64_t hash);
/* The same, or a new one with the number 0, never changed yet. It stays where it is until the next
 * call. */
struct recent_entry *recent_take(struct recent *recent, uint64_t hash);
