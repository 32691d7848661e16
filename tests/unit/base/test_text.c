/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <string.h>

#include "support/check_main.h"

static bool is_dns_name(const char *text)
{
    return dns_name_is_valid(bytes_of_string(text));
}

START_TEST(dns_names_are_letters_digits_and_hyphens)
{
    static const char *const good[] = {"a", "0", "m2m.example", "M2M.Example", "a-b.c--d", "1.2"};
    static const char *const bad[] = {"", ".", ".a", "a.", "a..b", "-a", "a-", "a.-b", "a-.b",
        "*.a", "a_b", "a b", "a/b", "caf\xc3\xa9", "a@b", "[", "`", "{", ":"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(is_dns_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!is_dns_name(bad[i]), "%s", bad[i]);
    ck_assert(!dns_name_is_valid((struct bytes){0}));
    ck_assert(!dns_name_is_valid(bytes_of("a\0b", 3)));
}
END_TEST

START_TEST(labels_and_dns_names_have_a_longest)
{
    char label[64], name[254];

    memset(label, 'a', sizeof(label));
    ck_assert(dns_name_is_valid(bytes_of(label, 63)));
    ck_assert(!dns_name_is_valid(bytes_of(label, 64)));
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    ck_assert(dns_name_is_valid(bytes_of(name, 253)));
    name[252] = 'a';
    name[253] = 'a';
    ck_assert(!dns_name_is_valid(bytes_of(name, 254)));
}
END_TEST

START_TEST(case_is_that_of_ascii_letters)
{
    char text[] = "A[Zz@\xc4 Q";

    ck_assert(bytes_equal_caseless(bytes_of_string("M2M.example"), bytes_of_string("m2m.EXAMPLE")));
    ck_assert(bytes_equal_caseless((struct bytes){0}, bytes_of_string("")));
    ck_assert(!bytes_equal_caseless(bytes_of_string("@"), bytes_of_string("`")));
    ck_assert(!bytes_equal_caseless(bytes_of_string("["), bytes_of_string("{")));
    ck_assert(!bytes_equal_caseless(bytes_of_string("\xc4"), bytes_of_string("\xe4")));
    ck_assert(!bytes_equal_caseless(bytes_of_string("ab"), bytes_of_string("a")));
    ck_assert(text_equal_caseless("Chunked", "cHUNKED"));
    ck_assert(!text_equal_caseless("chunked", "chunke"));
    ck_assert(!text_equal_caseless("@", "`"));
    ck_assert_str_eq(text_after_caseless("HTTP://Host", "http://"), "Host");
    ck_assert_str_eq(text_after_caseless("a", "A"), "");
    ck_assert_ptr_null(text_after_caseless("htt", "http://"));
    ck_assert_ptr_null(text_after_caseless("", "n"));
    text_to_lower(text, strlen(text) - 1);
    ck_assert_str_eq(text, "a[zz@\xc4 Q");
}
END_TEST

START_TEST(escape_keeps_to_its_room)
{
    char text[6];
    bytes_escape(bytes_of("\0ab", 3), text, sizeof(text));
    ck_assert_str_eq(text, "\\x00a");
    bytes_escape(bytes_of("ab\0", 3), text, sizeof(text));
    ck_assert_str_eq(text, "ab");
    bytes_escape(bytes_of("a", 1), text, 1);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(json_escapes_what_a_string_cannot_hold)
{
    static const struct {
        char c;
        const char *escaped;
    } cases[] = {{'a', "a"}, {'"', "\\\""}, {'\\', "\\\\"}, {'\0', "\\u0000"}, {'\n', "\\u000a"},
        {'\x1f', "\\u001f"}, {' ', " "}, {'/', "/"}, {'\x7f', "\x7f"}, {'\xc3', "\xc3"}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[JSON_ESCAPE_OCTETS];
        size_t size = json_escape(cases[i].c, out);
        ck_assert(bytes_equal(bytes_of(out, size), bytes_of_string(cases[i].escaped)));
    }
}
END_TEST

CHECK_MAIN("base/text", dns_names_are_letters_digits_and_hyphens,
    labels_and_dns_names_have_a_longest, case_is_that_of_ascii_letters, escape_keeps_to_its_room,
    json_escapes_what_a_string_cannot_hold)
