/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys to try with: all about one follows from its number, its octets too. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "keys/cache.h"

#define LOCAL "//m2m.example/in-cse"

static inline struct key_info sample_info(uint32_t number, const char *peer, int64_t lifetime_s)
{
    struct key_info info = {.role = KEY_ROLE_TERMINATING,
        .flavour = FLAVOUR_AE_ID,
        .cipher_suite = 0xc023,
        .established_s = clock_wall_s(),
        .expires_s = clock_wall_s() + lifetime_s,
        .local = LOCAL};
    memcpy(info.id, &number, sizeof(number));
    snprintf(info.peer, sizeof(info.peer), "%s", peer);
    return info;
}

static inline void sample_key(const uint8_t id[KEY_ID_OCTETS], uint8_t key[KEY_OCTETS])
{
    for (size_t i = 0; i < KEY_OCTETS; i++)
        key[i] = (uint8_t)(id[i % KEY_ID_OCTETS] * 7U + i);
}

static inline enum result put_sample(struct key_cache *cache, const struct key_info *info)
{
    uint8_t key[KEY_OCTETS];
    sample_key(info->id, key);
    return key_cache_put(cache, info, key, bytes_of_string(info->peer));
}

/* Whether the key under that id is there and is what was put. */
static inline bool has_sample(struct key_cache *cache, uint32_t number)
{
    uint8_t key[KEY_OCTETS], expected[KEY_OCTETS], id[KEY_ID_OCTETS] = {0};
    struct key_info info;
    memcpy(id, &number, sizeof(number));
    if (!key_cache_find_by_id(cache, id, &info, key))
        return false;
    sample_key(id, expected);
    return memcmp(info.id, id, KEY_ID_OCTETS) == 0 && memcmp(key, expected, KEY_OCTETS) == 0;
}
