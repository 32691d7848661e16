/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/names.h"

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

CHECK_MAIN("identity/names", names_each_flavour_both_ways, knows_no_other)
