/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of memory to be damaged, and what has to hold of a cache out of it: each key that it gives
 * out is one that was put, with its own peer, times, octets and evidence, and it works on. */
#pragma once

#include "keys/cache.h"
#include "unit/keys/copy.h"
#include "unit/keys/sample.h"

#ifndef DAMAGE_KEYS
#define DAMAGE_KEYS     60U
#define DAMAGE_CAPACITY 64U
#endif

static inline struct key_info damage_info(uint32_t number)
{
    struct key_info info = sample_info(number, "", 0);
    snprintf(info.peer, sizeof(info.peer), "//m2m.example/in-cse/C%0*u", (int)(number * 3), number);
    info.established_s = number;
    info.expires_s = INT64_MAX - number;
    return info;
}

static inline struct bytes damage_evidence(uint32_t number)
{
    static uint8_t octets[KEY_EVIDENCE_OCTETS];
    memset(octets, (int)number, sizeof(octets));
    return bytes_of(octets, number * 17);
}

static inline enum result damage_put(struct key_cache *cache, uint32_t number)
{
    uint8_t key[KEY_OCTETS];
    struct key_info info = damage_info(number);
    sample_key(info.id, key);
    return key_cache_put(cache, &info, key, damage_evidence(number));
}

/* A descriptor of the memory; some keys have come and gone before. */
static inline int damage_memory(void)
{
    struct key_cache *cache = NULL;
    if (key_cache_new(DAMAGE_CAPACITY, DAMAGE_CAPACITY, &cache, NULL) != RESULT_OK)
        return -1;
    for (uint32_t number = 1; number <= DAMAGE_KEYS; number++)
        if (damage_put(cache, number) != RESULT_OK)
            return -1;
    for (uint32_t number = 7; number <= DAMAGE_KEYS; number += 7) {
        struct key_info info = damage_info(number);
        if (key_cache_revoke(cache, info.id) != RESULT_OK)
            return -1;
    }
    int fd = dup(key_cache_memory(cache));
    key_cache_leave(cache);
    return fd;
}

static inline bool damage_is_right(const struct key_info *info, struct bytes evidence)
{
    uint32_t number;
    memcpy(&number, info->id, sizeof(number));
    if (number == 0 || number > DAMAGE_KEYS)
        return false;
    struct key_info expected = damage_info(number);
    return memcmp(info->id, expected.id, KEY_ID_OCTETS) == 0 &&
           strcmp(info->peer, expected.peer) == 0 && strcmp(info->local, expected.local) == 0 &&
           info->role == expected.role && info->flavour == expected.flavour &&
           info->cipher_suite == expected.cipher_suite &&
           info->established_s == expected.established_s && info->expires_s == expected.expires_s &&
           bytes_equal(evidence, damage_evidence(number));
}

static inline bool damage_judge(const struct key_info *info, struct bytes evidence, void *context)
{
    *(unsigned *)context += !damage_is_right(info, evidence);
    return false;
}

/* Whether all that CACHE holds is right, and it can be filled again. */
static inline bool damage_holds(struct key_cache *cache)
{
    unsigned wrong = 0, there = 0;
    uint64_t cursor = 0;
    while (key_cache_review(cache, &cursor, 1000, damage_judge, &wrong))
        ;
    for (uint32_t number = 1; number <= DAMAGE_KEYS; number++)
        there += has_sample(cache, number);
    if (wrong > 0 || there != key_cache_count(cache))
        return false;
    for (uint32_t number = 1; number <= DAMAGE_KEYS; number++) {
        struct key_info info = damage_info(number);
        enum result result = damage_put(cache, number);
        if (result != RESULT_OK && result != RESULT_CONFLICT)
            return false;
        if (number % 3 == 0 && key_cache_revoke(cache, info.id) != RESULT_OK)
            return false;
    }
    return key_cache_count(cache) == DAMAGE_KEYS - DAMAGE_KEYS / 3;
}
