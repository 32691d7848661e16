/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/public_key_id.h"

#include <string.h>

#include "base/cleanup.h"
#include "support/check_main.h"

/* SHA-256 of "Hello World!": RFC 6920 section 8.1 gives its names. */
static const uint8_t hello[SPKI_DIGEST_SIZE] = {0x7f, 0x83, 0xb1, 0x65, 0x7f, 0xf1, 0xfc, 0x53,
    0xb9, 0x2d, 0xc1, 0x81, 0x48, 0xa1, 0xd6, 0x5d, 0xfc, 0x2d, 0x4b, 0x1f, 0xa3, 0xd6, 0x77, 0x28,
    0x4a, 0xdd, 0xd2, 0x00, 0x12, 0x6d, 0x90, 0x69};
#define HELLO     "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
#define HELLO_128 "ni:///sha-256-128;f4OxZX_x_FO5LcGBSKHWXQ"
#define HELLO_120 "ni:///sha-256-120;f4OxZX_x_FO5LcGBSKHW"

static const char *const forms[PUBLIC_KEY_ID_KINDS] = {HELLO, HELLO_128, HELLO_120};

START_TEST(reads_and_writes_each_kind)
{
    for (int i = 0; i < PUBLIC_KEY_ID_KINDS; i++) {
        struct public_key_id id;
        char text[PUBLIC_KEY_ID_OCTETS];
        ck_assert(public_key_id_parse(forms[i], &id));
        ck_assert_int_eq(id.kind, i);
        ck_assert(public_key_id_matches(&id, hello));
        public_key_id_format(id.kind, hello, text);
        ck_assert_str_eq(text, forms[i]);
    }
}
END_TEST

START_TEST(compares_what_the_kind_holds)
{
    static const size_t held[PUBLIC_KEY_ID_KINDS] = {32, 16, 15};
    for (int i = 0; i < PUBLIC_KEY_ID_KINDS; i++) {
        struct public_key_id id;
        ck_assert(public_key_id_parse(forms[i], &id));
        for (size_t octet = 0; octet < sizeof(hello); octet++) {
            uint8_t other[SPKI_DIGEST_SIZE];
            memcpy(other, hello, sizeof(other));
            other[octet] ^= 1;
            ck_assert(public_key_id_matches(&id, other) == (octet >= held[i]));
        }
    }
}
END_TEST

START_TEST(compares_two_as_far_as_both_go)
{
    for (int i = 0; i < PUBLIC_KEY_ID_KINDS; i++) {
        struct public_key_id id, other;
        ck_assert(public_key_id_parse(forms[i], &id));
        for (int j = 0; j < PUBLIC_KEY_ID_KINDS; j++) {
            ck_assert(public_key_id_parse(forms[j], &other));
            ck_assert(public_key_ids_agree(&id, &other));
            other.digest[15] ^= 1; /* the last octet of 128 bits, past those of 120 */
            ck_assert(public_key_ids_agree(&id, &other) ==
                      (i == PUBLIC_KEY_ID_SHA_256_120 || j == PUBLIC_KEY_ID_SHA_256_120));
        }
    }
}
END_TEST

START_TEST(forgets_an_authority)
{
    struct public_key_id id;
    ck_assert(public_key_id_parse("NI://keys.example/sha-256-120;f4OxZX_x_FO5LcGBSKHW", &id));
    ck_assert(public_key_id_matches(&id, hello));
}
END_TEST

START_TEST(refuses_anything_else)
{
    static const char *const cases[] = {"", "ni:", "ni:///", "ni:///sha-256", "ni:///sha-256;",
        HELLO "=", HELLO "?ct=text/plain", HELLO "A", "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXQ",
        "ni:///sha-256-128;f4OxZX_x_FO5LcGBSKHWXR", "ni:///sha-256-120;f4OxZX/x+FO5LcGBSKHW",
        "ni:///sha-256-32;f4OxZQ", "ni:///SHA-256-120;f4OxZX_x_FO5LcGBSKHW",
        "ni:sha-256-120;f4OxZX_x_FO5LcGBSKHW", "ni://a b/sha-256-120;f4OxZX_x_FO5LcGBSKHW",
        "nih:sha-256-120;5326-9057-e12f-e2b7-4ba0-7c89-2560-a2;f", " " HELLO, HELLO "\n"};
    struct public_key_id id;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(!public_key_id_parse(cases[i], &id), "%s", cases[i]);
}
END_TEST

CHECK_MAIN("identity/public_key_id", reads_and_writes_each_kind, compares_what_the_kind_holds,
    compares_two_as_far_as_both_go, forgets_an_authority, refuses_anything_else)
