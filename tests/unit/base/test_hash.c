/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"

#include "support/check_main.h"

/* SipHash-2-4 of 0, 1, 2, … under the key 00 01 … 0f, from the authors' paper and vectors. */
START_TEST(known_answers)
{
    const struct hash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
    uint8_t in[15];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)i;
    ck_assert(hash_keyed(&key, bytes_of(in, 0)) == 0x726fdb47dd0e0e31);
    ck_assert(hash_keyed(&key, bytes_of(in, 1)) == 0x74f839c593dc67fd);
    ck_assert(hash_keyed(&key, bytes_of(in, 8)) == 0x93f5f5799a932462);
    ck_assert(hash_keyed(&key, bytes_of(in, 15)) == 0xa129ca6149be45e5);
}
END_TEST

START_TEST(keys_differ)
{
    struct hash_key one, other;
    ck_assert_int_eq(hash_key_new(&one), RESULT_OK);
    ck_assert_int_eq(hash_key_new(&other), RESULT_OK);
    ck_assert(
        hash_keyed(&one, bytes_of_string("peer")) != hash_keyed(&other, bytes_of_string("peer")));
}
END_TEST

CHECK_MAIN("base/hash", known_answers, keys_differ)
