/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/primitive.h"

#include <string.h>

#include "support/check_main.h"

#define NOW_US 1794528000123456 /* 2026-11-13T00:00:00.123456 UTC */

static enum result check(const char *expiration)
{
    struct fault fault = FAULT_INIT;
    enum result result = primitive_check_expiration(expiration, NOW_US, &fault);
    ck_assert(result == RESULT_OK || (fault.result == result && fault.text[0]));
    return result;
}

START_TEST(expiration_to_come)
{
    static const char *const later[] = {"20261113T000001", "20261113T000000,123457",
        "20261113T000000,2", "99991231T235959", "20280229T120000", "1", "5000", "86400000",
        "99999999999999"};

    ck_assert_int_eq(check(NULL), RESULT_OK);
    for (size_t i = 0; i < ARRAY_SIZE(later); i++)
        ck_assert_msg(check(later[i]) == RESULT_OK, "%s", later[i]);
}
END_TEST

START_TEST(expiration_past)
{
    static const char *const past[] = {"20261113T000000", "20261113T000000,123456",
        "20261113T000000,1", "19700101T000000", "00010101T000000", "0", "-1", "-99999999999999"};

    for (size_t i = 0; i < ARRAY_SIZE(past); i++)
        ck_assert_msg(check(past[i]) == RESULT_REQUEST_EXPIRED, "%s", past[i]);
}
END_TEST

START_TEST(expiration_malformed)
{
    static const char *const bad[] = {"", " ", "-", "+5", "5 ", " 5", "5.0", "1e3", "soon",
        "999999999999999", "20261113T", "20261113T0000", "20261113T000001Z", "20261113T000001,",
        "20261113T000001,1234567", "20261113T000001.5", "20261113T000001,-1", "2026-11-13T00:00:01",
        "20261313T000000", "20270229T000000", "20261131T000000", "20271100T000000",
        "20261113T240000", "20261113T006000", "20261113T000060", "20261113 000001", "\xff",
        "20261113t000001"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(check(bad[i]) == RESULT_BAD_REQUEST, "%s", bad[i]);
}
END_TEST

START_TEST(releases)
{
    static const char *const good[] = {"1", "2", "2a", "3", "4", "5", NULL};
    static const char *const bad[] = {"", "0", "6", "2A", "3.0", " 3", "03", "2b", "\x80"};
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        ck_assert_int_eq(primitive_check_release(good[i], &fault), RESULT_OK);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_int_eq(primitive_check_release(bad[i], &fault), RESULT_UNSUPPORTED_RELEASE);
}
END_TEST

START_TEST(timestamps)
{
    static const struct {
        int64_t s;
        const char *text;
    } known[] = {
        {0, "19700101T000000"},
        {951782399, "20000228T235959"},
        {951782400, "20000229T000000"},
        {1794528000, "20261113T000000"},
        {4102444800, "21000101T000000"},
        {253402300799, "99991231T235959"},
        {INT64_MAX, "99991231T235959"},
        {-1, "19700101T000000"},
    };
    char text[TIMESTAMP_OCTETS];

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        timestamp_format(known[i].s, text);
        ck_assert_str_eq(text, known[i].text);
    }
}
END_TEST

CHECK_MAIN("onem2m/primitive", expiration_to_come, expiration_past, expiration_malformed, releases,
    timestamps)
