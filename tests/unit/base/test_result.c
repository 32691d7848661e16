/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/result.h"

#include <string.h>

#include "support/check_main.h"

START_TEST(every_result_has_name_and_text)
{
    for (int i = 0; i < RESULT_COUNT; i++) {
        ck_assert_uint_gt(strlen(result_name((enum result)i)), 0);
        ck_assert_uint_gt(strlen(result_text((enum result)i)), 0);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(result_name((enum result)i), result_name((enum result)j));
    }
}
END_TEST

START_TEST(names_are_lower_case_with_hyphens)
{
    ck_assert_str_eq(result_name(RESULT_OK), "ok");
    ck_assert_str_eq(result_name(RESULT_UNSUPPORTED_RESPONSE_TYPE), "unsupported-response-type");
    ck_assert_str_eq(result_name(RESULT_UNSUPPORTED_RESULT_CONTENT), "unsupported-result-content");
}
END_TEST

START_TEST(categories)
{
    ck_assert_int_eq(result_category(RESULT_OK), CATEGORY_DONE);
    ck_assert_int_eq(result_category(RESULT_BAD_MESSAGE), CATEGORY_PEER_FAULT);
    ck_assert_int_eq(result_category(RESULT_NOT_AUTHORISED), CATEGORY_NOT_AUTHORISED);
    ck_assert_int_eq(result_category(RESULT_BUSY), CATEGORY_BUSY);
    ck_assert_int_eq(result_category(RESULT_NO_MEMORY), CATEGORY_OURS);
}
END_TEST

START_TEST(a_value_out_of_range_is_an_internal_error)
{
    ck_assert_str_eq(result_name((enum result)9999), "internal");
    ck_assert_int_eq(result_category((enum result) - 1), CATEGORY_OURS);
}
END_TEST

CHECK_MAIN("base/result", every_result_has_name_and_text, names_are_lower_case_with_hyphens,
    categories, a_value_out_of_range_is_an_internal_error)
