/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <string.h>

#include "support/check_main.h"

START_TEST(fault_set_records_and_returns)
{
    struct fault fault = FAULT_INIT;
    ck_assert_int_eq(fault.result, RESULT_INTERNAL);
    ck_assert_int_eq(
        fault_set_alert(&fault, RESULT_TLS_REFUSED, 40, "no suite of %d", 3), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.result, RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, 40);
    ck_assert_str_eq(fault.text, "no suite of 3");
    ck_assert_int_eq(fault_set(&fault, RESULT_BUSY, "full"), RESULT_BUSY);
    ck_assert_int_eq(fault.alert, FAULT_NO_ALERT);
}
END_TEST

START_TEST(fault_may_be_null)
{
    ck_assert_int_eq(fault_set(NULL, RESULT_BUSY, "full"), RESULT_BUSY);
    ck_assert_int_eq(fault_set_alert(NULL, RESULT_TLS_REFUSED, 40, "no"), RESULT_TLS_REFUSED);
}
END_TEST

START_TEST(text_is_one_printable_line)
{
    struct fault fault;
    fault_set(&fault, RESULT_BAD_INPUT, "a\nb\x1b[1m\x7f\xc3\xa9 %s", "\r");
    ck_assert_str_eq(fault.text, "a\\x0ab\\x1b[1m\\x7f\\xc3\\xa9 \\x0d");
}
END_TEST

START_TEST(text_may_hold_its_former_self)
{
    struct fault fault;
    fault_set(&fault, RESULT_BAD_INPUT, "new\nline");
    fault_set(&fault, RESULT_BAD_INPUT, "file: %s", fault.text);
    ck_assert_str_eq(fault.text, "file: new\\x0aline");
}
END_TEST

/* Whatever the offset, the cut falls before an escape or after it; also one escaped earlier. */
START_TEST(a_cut_never_splits_an_escape)
{
    static const char *const escapes[] = {"\n", "\\x0a"};
    for (size_t i = 0; i < 2; i++)
        for (int length = 240; length < 300; length++) {
            struct fault fault;
            fault_set(&fault, RESULT_BAD_INPUT, "%.*s%s%s", length,
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                escapes[i], escapes[i]);
            const char *escape = strchr(fault.text, '\\');
            ck_assert_uint_lt(strlen(fault.text), FAULT_TEXT_OCTETS);
            ck_assert(!escape || strcmp(escape, "\\x0a") == 0 || strcmp(escape, "\\x0a\\x0a") == 0);
            ck_assert_uint_ge(strlen(fault.text), length < 252 ? (size_t)length : 252);
        }
}
END_TEST

CHECK_MAIN("base/fault", fault_set_records_and_returns, fault_may_be_null,
    text_is_one_printable_line, text_may_hold_its_former_self, a_cut_never_splits_an_escape)
