/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/base64.h"

#include <string.h>

#include "base/secret.h"
#include "support/check_main.h"

static const struct {
    const char *plain, *text, *url;
} vectors[] = {
    /* RFC 4648 section 10 */
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xef\xff", "++//", "--__"},
};

START_TEST(known_answers)
{
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct buffer text AUTO_BUFFER = {.limit = 100};
        struct buffer plain AUTO_BUFFER = {.limit = 100};
        struct bytes in = bytes_of_string(vectors[i].plain);
        ck_assert_int_eq(base64_encode(in, &text), RESULT_OK);
        ck_assert(bytes_equal(buffer_bytes(&text), bytes_of_string(vectors[i].text)));
        ck_assert_uint_eq(text.size, BASE64_OCTETS(in.size));
        ck_assert_int_eq(base64_decode(buffer_bytes(&text), &plain), RESULT_OK);
        ck_assert(bytes_equal(buffer_bytes(&plain), in));

        char direct[16];
        uint8_t octets[8] = {0};
        base64_encode_text(in, direct);
        ck_assert_str_eq(direct, vectors[i].text);
        base64url_encode_text(in, direct);
        ck_assert_str_eq(direct, vectors[i].url);
        ck_assert_int_eq(
            base64url_decode_exact(bytes_of_string(vectors[i].url), octets, in.size), RESULT_OK);
        ck_assert_mem_eq(octets, in.data, in.size);
    }
}
END_TEST

START_TEST(every_octet_and_length_comes_back)
{
    uint8_t octets[300];
    ck_assert_int_eq(secret_random(octets, sizeof(octets)), RESULT_OK);
    for (size_t size = 0; size <= sizeof(octets); size++) {
        struct buffer text AUTO_BUFFER = {.limit = 1000};
        struct buffer plain AUTO_BUFFER = {.limit = 1000};
        ck_assert_int_eq(base64_encode(bytes_of(octets, size), &text), RESULT_OK);
        ck_assert_int_eq(base64_decode(buffer_bytes(&text), &plain), RESULT_OK);
        ck_assert(bytes_equal(buffer_bytes(&plain), bytes_of(octets, size)));
    }
}
END_TEST

START_TEST(only_strict_text_is_taken)
{
    static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=",
        "==", "===", "====", "Z===", "Zh==", "Zm9=", "Zm8=Zm8=", "Zg==\n", "Zm9v\n\n\n\n", " Zm9",
        "Zm9-", "Zm9_", "Zm9\xff", "Zm=v", "Zm9vZg=x", "Z===Zg=="};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct buffer out AUTO_BUFFER = {.limit = 100};
        ck_assert_msg(base64_decode(bytes_of_string(bad[i]), &out) == RESULT_BAD_INPUT,
            "\"%s\" was taken", bad[i]);
        ck_assert_uint_eq(out.size, 0);
    }
    struct buffer out AUTO_BUFFER = {.limit = 100};
    ck_assert_int_eq(base64_decode(bytes_of("Zm\0v", 4), &out), RESULT_BAD_INPUT);
}
END_TEST

START_TEST(white_space_is_taken_where_it_may_stand)
{
    static const char *const good[] = {
        "Zm9vYg==", " Zm9vYg==", "Zm9v\r\nYg==\r\n", "Z\tm 9vYg= =\n"};
    static const char *const bad[] = {
        "Zm9v\fYg==", "Zm9v\vYg==", "Zm9v\xc2\xa0Yg==", "Zm9vYg =", "Zm 9"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct buffer out AUTO_BUFFER = {.limit = 4};
        ck_assert_int_eq(base64_decode_spaced(bytes_of_string(good[i]), &out), RESULT_OK);
        ck_assert(bytes_equal(buffer_bytes(&out), bytes_of_string("foob")));
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct buffer out AUTO_BUFFER = {.limit = 100};
        ck_assert_int_eq(base64_decode_spaced(bytes_of_string(bad[i]), &out), RESULT_BAD_INPUT);
    }
    struct buffer out AUTO_BUFFER = {.limit = 4};
    ck_assert_int_eq(base64_decode_spaced(bytes_of_string(" AAAA AAAA "), &out), RESULT_BUSY);
    ck_assert_int_eq(base64_decode_spaced(bytes_of_string(" \n"), &out), RESULT_OK);
    ck_assert_int_eq(base64_decode_spaced(bytes_of(NULL, 0), &out), RESULT_OK);
    ck_assert_uint_eq(out.size, 0);
}
END_TEST

/* Every octet outside the alphabet, in every place of a group. */
START_TEST(no_other_character_is_taken)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 0; c < 256; c++)
        for (int place = 0; place < 7; place++) {
            struct buffer out AUTO_BUFFER = {.limit = 100};
            char text[] = "AAAAAAA=";
            text[place] = (char)c;
            bool is_bad = c == 0 || !strchr(alphabet, c);
            bool is_taken = base64_decode(bytes_of(text, 8), &out) == RESULT_OK;
            ck_assert(!is_bad || !is_taken || (c == '=' && place == 6));
            ck_assert(is_bad || is_taken || place == 6); /* there stray bits decide */
        }
}
END_TEST

START_TEST(limits_hold)
{
    struct buffer out AUTO_BUFFER = {.limit = 5};
    ck_assert_int_eq(base64_encode(bytes_of_string("abcd"), &out), RESULT_BUSY);
    ck_assert_int_eq(base64_encode(bytes_of("", SIZE_MAX), &out), RESULT_BUSY);
    ck_assert_int_eq(base64_decode(bytes_of_string("AAAAAAAA"), &out), RESULT_BUSY);
    ck_assert_int_eq(base64_encode(bytes_of_string("abc"), &out), RESULT_OK);
    ck_assert_uint_eq(out.size, 4);
}
END_TEST

START_TEST(url_form_is_exact)
{
    uint8_t out[4];
    static const char *const bad[] = {
        "", "Zm9v", "Zm9vYg=", "Zm9vYg==", "Zm9vYh", "Zm9vY", "Zm9vY+", "Zm9vYgA", "Zm9v Y"};
    ck_assert_int_eq(base64url_decode_exact(bytes_of_string("Zm9vYg"), out, 4), RESULT_OK);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(base64url_decode_exact(bytes_of_string(bad[i]), out, 4) == RESULT_BAD_INPUT,
            "\"%s\" was taken", bad[i]);
}
END_TEST

CHECK_MAIN("base/base64", known_answers, every_octet_and_length_comes_back,
    only_strict_text_is_taken, white_space_is_taken_where_it_may_stand, no_other_character_is_taken,
    limits_hold, url_form_is_exact)
