/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/identifier.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define SP  "m2m.example"
#define CSE "/in-cse"

/* "//m2m.example/in-cse/Cxxx…" of SIZE octets. */
static const char *of_size(size_t size)
{
    static char text[2 * IDENTIFIER_OCTETS];
    const int start = snprintf(text, sizeof(text), "//%s%s/C", SP, CSE);
    memset(text + start, 'x', size - (size_t)start);
    text[size] = '\0';
    return text;
}

START_TEST(knows_absolute_identifiers)
{
    static const char *const good[] = {"//m2m.example/in-cse", "//m2m.example/in-cse/Cmeter",
        "//m2m.example/Smeter", "//M2M.Example/in-cse", "//sp/a~b._-1/C~", "//a-b.c/..x"};
    static const char *const bad[] = {"", "/", "//", "//m2m.example", "//m2m.example/", "/in-cse",
        "in-cse", "///in-cse", "//m2m.example//Cx", "//m2m.example/in-cse/",
        "//m2m.example/in-cse/C", "//m2m.example/in-cse/Sx", "//m2m.example/in-cse/Cx/y",
        "//m2m.example/in-cse/C%41", "//m2m.example/.", "//m2m.example/..", "//m2m.example/in cse",
        "//m2m.example/in-cse/C*", "//m2m.example/in-cse/C\xc3\xa9", "//m2m.example:80/in-cse",
        "//-a.example/in-cse", "//a-.example/in-cse", "//a..b/in-cse", "//.a/in-cse", "//a./in-cse",
        "//a_b/in-cse", "//m2m.example/in-cse?x", "//m2m.example/in-cse/Cx\n"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(identifier_is_absolute(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!identifier_is_absolute(bad[i]), "%s", bad[i]);
    ck_assert(identifier_is_absolute(of_size(IDENTIFIER_OCTETS - 1)));
    ck_assert(!identifier_is_absolute(of_size(IDENTIFIER_OCTETS)));
}
END_TEST

START_TEST(tells_aes_from_cses)
{
    ck_assert(identifier_is_ae_id("//m2m.example/in-cse/Cmeter"));
    ck_assert(identifier_is_ae_id("//m2m.example/Smeter"));
    ck_assert(!identifier_is_ae_id("//m2m.example/in-cse"));
    ck_assert(!identifier_is_ae_id("//m2m.example/S"));
    ck_assert(!identifier_is_ae_id("/in-cse/Cmeter"));
    ck_assert(identifier_is_cse_id("/in-cse"));
    ck_assert(!identifier_is_cse_id("in-cse"));
    ck_assert(!identifier_is_cse_id("/in-cse/Cx"));
    ck_assert(!identifier_is_cse_id("//in-cse"));
}
END_TEST

START_TEST(knows_domain_names)
{
    char label[66], domain[300] = "";
    memset(label, 'a', sizeof(label));
    label[63] = '\0';
    ck_assert(identifier_is_sp_id(label));
    label[63] = 'a';
    label[64] = '\0';
    ck_assert(!identifier_is_sp_id(label));
    for (size_t i = 0; i < 253; i++)
        domain[i] = i % 2 == 0 ? 'a' : '.';
    ck_assert(identifier_is_sp_id(domain));
    domain[253] = 'a';
    ck_assert(!identifier_is_sp_id(domain));
    ck_assert(!identifier_is_sp_id("*.example"));
    ck_assert(!identifier_is_sp_id("//m2m.example"));
    ck_assert(!identifier_is_sp_id(""));
}
END_TEST

START_TEST(lengthens_every_form)
{
    static const struct {
        const char *from, *absolute;
    } cases[] = {
        {"Cmeter", "//m2m.example/in-cse/Cmeter"},
        {"Smeter", "//m2m.example/Smeter"},
        {"/in-cse", "//m2m.example/in-cse"},
        {"/in-cse/Cmeter", "//m2m.example/in-cse/Cmeter"},
        {"/mn-cse/Cmeter", "//m2m.example/mn-cse/Cmeter"},
        {"/Smeter", "//m2m.example/Smeter"},
        {"//m2m.example/in-cse/Cmeter", "//m2m.example/in-cse/Cmeter"},
        {"//Other.EXAMPLE/In-CSE/CMeter", "//other.example/In-CSE/CMeter"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[IDENTIFIER_OCTETS];
        ck_assert_int_eq(identifier_absolute(SP, CSE, cases[i].from, out, NULL), RESULT_OK);
        ck_assert_str_eq(out, cases[i].absolute);
    }
}
END_TEST

START_TEST(refuses_what_is_no_originator)
{
    static const char *const cases[] = {"", "meter", "C", "S", "/", "//", "C/x", "Cmeter/x",
        "/in-cse/Smeter", "/in-cse/", "C%41", "C\xff", "../x", "/../Cx", "in-cse/Cx", "C x"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[IDENTIFIER_OCTETS];
        struct fault fault = FAULT_INIT;
        ck_assert_int_eq(identifier_absolute(SP, CSE, cases[i], out, &fault), RESULT_BAD_INPUT);
        ck_assert_str_eq(out, "");
        ck_assert_str_ne(fault.text, "");
    }
}
END_TEST

START_TEST(bounds_what_lengthening_makes)
{
    char out[IDENTIFIER_OCTETS];
    const char *longest = of_size(IDENTIFIER_OCTETS - 1) + strlen("//" SP CSE "/");
    ck_assert_int_eq(identifier_absolute(SP, CSE, longest, out, NULL), RESULT_OK);
    ck_assert_uint_eq(strlen(out), IDENTIFIER_OCTETS - 1);
    longest = of_size(IDENTIFIER_OCTETS) + strlen("//" SP CSE "/");
    ck_assert_int_eq(identifier_absolute(SP, CSE, longest, out, NULL), RESULT_BAD_INPUT);
    ck_assert_int_eq(identifier_absolute(SP, CSE, of_size(400), out, NULL), RESULT_BAD_INPUT);
}
END_TEST

START_TEST(finds_identifiers_in_uris)
{
    static const struct {
        const char *uri, *identifier;
    } cases[] = {
        {"//m2m.example/in-cse", "//m2m.example/in-cse"},
        {"coap://m2m.example/in-cse", "//m2m.example/in-cse"},
        {"urn:x//m2m.example/in-cse", "x//m2m.example/in-cse"},
        {"urn:x://m2m.example/in-cse", "x://m2m.example/in-cse"},
        {"a/b://m2m.example/in-cse", "a/b://m2m.example/in-cse"},
        {"://m2m.example/in-cse", "://m2m.example/in-cse"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_str_eq(identifier_of_uri(cases[i].uri), cases[i].identifier);
}
END_TEST

START_TEST(matches_patterns)
{
    static const struct {
        const char *pattern, *absolute;
        bool matches;
    } cases[] = {
        {"//m2m.example/in-cse/*", "//m2m.example/in-cse/Cmeter", true},
        {"//m2m.example/in-cse/*", "//M2M.example/in-cse/Cmeter", true},
        {"//m2m.example/in-cse/*", "//m2m.example/in-cse", false},
        {"//m2m.example/in-cse/*", "//m2m.example/in-cse/", false},
        {"//m2m.example/in-cse/*", "//m2m.example/IN-cse/Cmeter", false},
        {"//m2m.example/in-cse/*", "//m2m.example/in-cse2/Cmeter", false},
        {"//m2m.example/in-cse/*", "//m2m.example/Smeter", false},
        {"//m2m.example/*", "//m2m.example/Smeter", true},
        {"//m2m.example/*", "//m2m.example/in-cse/Cmeter", false},
        {"//m2m.example/*", "//m2m.example2/Smeter", false},
        {"//m2m.example/in-cse/Cmeter", "//m2m.EXAMPLE/in-cse/Cmeter", true},
        {"//m2m.example/in-cse/Cmeter", "//m2m.example/in-cse/cmeter", false},
        {"//m2m.example/in-cse/Cmeter", "//m2m.example/in-cse/Cmeter2", false},
        {"//m2m.example/in-cse/Cmeter2", "//m2m.example/in-cse/Cmeter", false},
        {"//m2m.example/in-cse", "//m2m.example", false},
        {"//m2m.example/**", "//m2m.example/in-cse", true},
        {"//m2m.example/**", "//m2m.example/in-cse/Cmeter", true},
        {"//m2m.example/**", "//M2M.example/Smeter", true},
        {"//m2m.example/**", "//m2m.example/", false},
        {"//m2m.example/**", "//m2m.example2/Smeter", false},
        {"//m2m.example/in-cse/**", "//m2m.example/in-cse/Cmeter", true},
        {"//m2m.example/in-cse/**", "//m2m.example/in-cse", false},
        {"//m2m.example/in-cse/**", "//m2m.example/in-cse2/Cmeter", false},
        {"//m2m.example/in-cse/**", "//m2m.example/IN-cse/Cmeter", false},
        {"", "", false},
        {"*", "//m2m.example/in-cse", false},
        {"**", "//m2m.example/in-cse", false},
        {"//*", "//*", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(identifier_matches(cases[i].pattern, cases[i].absolute) == cases[i].matches,
            "%s: %s", cases[i].pattern, cases[i].absolute);
}
END_TEST

START_TEST(knows_patterns)
{
    static const char *const good[] = {
        "//m2m.example/*", "//m2m.example/in-cse/*", "//m2m.example/in-cse/Cmeter"};
    static const char *const bad[] = {"", "*", "/*", "//*", "//*/in-cse", "//m2m.example/in-cse/C*",
        "//m2m.example/*/Cx", "//m2m.example/in-cse/Cx/*", "//m2m.example/in-cse/**", "/in-cse/*"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(identifier_is_pattern(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!identifier_is_pattern(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(knows_deep_patterns)
{
    static const char *const good[] = {"//m2m.example/**", "//m2m.example/in-cse/**",
        "//m2m.example/*", "//m2m.example/in-cse/*", "//m2m.example/in-cse/Cmeter"};
    static const char *const bad[] = {"", "**", "/**", "//**", "//**/in-cse", "//m2m.example/***",
        "//m2m.example/in-cse/C**", "//m2m.example/**/Cx", "//m2m.example/in-cse/Cx/**",
        "/in-cse/**"};
    char longest[IDENTIFIER_OCTETS + 1];
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_msg(identifier_is_deep_pattern(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!identifier_is_deep_pattern(bad[i]), "%s", bad[i]);
    snprintf(longest, sizeof(longest), "//sp/%0*d/**", IDENTIFIER_OCTETS - 9, 0);
    ck_assert(identifier_is_deep_pattern(longest));
    snprintf(longest, sizeof(longest), "//sp/%0*d/**", IDENTIFIER_OCTETS - 8, 0);
    ck_assert(!identifier_is_deep_pattern(longest));
}
END_TEST

CHECK_MAIN("identity/identifier", knows_absolute_identifiers, tells_aes_from_cses,
    knows_domain_names, lengthens_every_form, refuses_what_is_no_originator,
    bounds_what_lengthening_makes, finds_identifiers_in_uris, matches_patterns, knows_patterns,
    knows_deep_patterns)
