/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"

#include "base/secret.h"

enum result hash_key_new(struct hash_key *key)
{
    return secret_random(key, sizeof(*key));
}

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

/* Reads the first eight octets of IN, or fewer, as a little-endian number. */
static uint64_t word_of(struct bytes in)
{
    uint64_t word = 0;
    for (size_t i = 0; i < in.size && i < 8; i++)
        word |= (uint64_t)in.data[i] << (8 * i);
    return word;
}

uint64_t hash_keyed(const struct hash_key *key, struct bytes in)
{
    uint64_t v[4] = {key->word[0] ^ 0x736f6d6570736575, key->word[1] ^ 0x646f72616e646f6d,
        key->word[0] ^ 0x6c7967656e657261, key->word[1] ^ 0x7465646279746573};
    uint64_t size = in.size;
    for (struct bytes word; bytes_take(&in, 8, &word);)
        sip_word(v, word_of(word));
    sip_word(v, size << 56 | word_of(in));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
