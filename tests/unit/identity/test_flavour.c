/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/flavour.h"

#include "base/cleanup.h"
#include "support/check_main.h"

START_TEST(names_each_flavour_both_ways)
{
    static const char *const names[FLAVOUR_COUNT] = {
        "rawPublicKey", "device", "cseId", "aeId", "nodeId"};
    for (int i = 0; i < FLAVOUR_COUNT; i++) {
        ck_assert_str_eq(flavour_name((enum flavour)i), names[i]);
        ck_assert_int_eq(flavour_from_name(names[i]), i);
    }
}
END_TEST

START_TEST(knows_no_other)
{
    ck_assert_int_eq(flavour_from_name("aeid"), -1);
    ck_assert_int_eq(flavour_from_name(""), -1);
    ck_assert_int_eq(flavour_from_name("aeId "), -1);
}
END_TEST

/* Keys in the arena of a daemon that was updated bear these numbers. */
START_TEST(numbers_never_change)
{
    ck_assert_int_eq(FLAVOUR_RAW_PUBLIC_KEY, 0);
    ck_assert_int_eq(FLAVOUR_DEVICE, 1);
    ck_assert_int_eq(FLAVOUR_CSE_ID, 2);
    ck_assert_int_eq(FLAVOUR_AE_ID, 3);
    ck_assert_int_eq(FLAVOUR_NODE_ID, 4);
}
END_TEST

START_TEST(lists_all_names)
{
    ck_assert_str_eq(flavour_names(), "rawPublicKey, device, cseId, aeId or nodeId");
}
END_TEST

START_TEST(only_ae_ids_may_be_patterns)
{
    static const struct {
        const char *identity;
        enum flavour flavour;
        bool is_taken;
    } cases[] = {{"//m2m.example/mn-cse", FLAVOUR_CSE_ID, true},
        {"//m2m.example/mn-cse/Cae", FLAVOUR_CSE_ID, false},
        {"//m2m.example/*", FLAVOUR_CSE_ID, false}, {"//m2m.example/mn-cse/*", FLAVOUR_AE_ID, true},
        {"//m2m.example/Sae", FLAVOUR_AE_ID, true}, {"//m2m.example/mn-cse", FLAVOUR_AE_ID, false},
        {"//m2m.example/mn-cse/*", FLAVOUR_NODE_ID, false},
        {"//m2m.example/mn-cse/Cae", FLAVOUR_DEVICE, true},
        {"/mn-cse", FLAVOUR_RAW_PUBLIC_KEY, false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(
            flavour_takes_identity(cases[i].flavour, cases[i].identity) == cases[i].is_taken,
            "%s for %s", cases[i].identity, flavour_name(cases[i].flavour));
}
END_TEST

CHECK_MAIN("identity/flavour", names_each_flavour_both_ways, knows_no_other, numbers_never_change,
    lists_all_names, only_ae_ids_may_be_patterns)
