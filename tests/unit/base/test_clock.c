/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

#include "base/cleanup.h"
#include "support/check_main.h"

START_TEST(wall_clock_is_the_system_s)
{
    int64_t before_us = clock_wall_us();
    int64_t now_s = clock_wall_s();
    ck_assert_int_ge(now_s, before_us / 1000000);
    ck_assert_int_le(now_s - (int64_t)time(NULL), 1);
    ck_assert_int_ge(now_s - (int64_t)time(NULL), -1);
}
END_TEST

START_TEST(steady_clock_never_steps_back)
{
    int64_t last = clock_steady_us();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_steady_us();
        ck_assert_int_ge(now, last);
        last = now;
    }
    ck_assert_int_ge(clock_steady_ms(), last / 1000);
}
END_TEST

/* timegm(3) counts alike, but takes any number. */
START_TEST(dates_count_from_the_epoch)
{
    for (int year = 0; year <= 9999; year++)
        for (int month = 1; month <= 12; month++) {
            struct calendar date = {year, month, 28, 23, 59, 58};
            struct tm same = {.tm_year = year - 1900,
                .tm_mon = month - 1,
                .tm_mday = 28,
                .tm_hour = 23,
                .tm_min = 59,
                .tm_sec = 58};
            int64_t s;
            ck_assert(calendar_to_seconds(&date, &s));
            ck_assert_int_eq(s, timegm(&same));
        }
}
END_TEST

START_TEST(only_dates_that_exist_are_taken)
{
    static const struct {
        struct calendar date;
        bool exists;
    } cases[] = {{{2028, 2, 29, 0, 0, 0}, true}, {{2027, 2, 29, 0, 0, 0}, false},
        {{2100, 2, 29, 0, 0, 0}, false}, {{2000, 2, 29, 0, 0, 0}, true},
        {{2027, 6, 31, 0, 0, 0}, false}, {{2027, 12, 31, 23, 59, 59}, true},
        {{2027, 0, 1, 0, 0, 0}, false}, {{2027, 13, 1, 0, 0, 0}, false},
        {{2027, 1, 0, 0, 0, 0}, false}, {{2027, 1, 1, 24, 0, 0}, false},
        {{2027, 1, 1, 0, 60, 0}, false}, {{2027, 1, 1, 0, 0, 60}, false},
        {{2027, 1, 1, -1, 0, 0}, false}, {{-1, 1, 1, 0, 0, 0}, false},
        {{10000, 1, 1, 0, 0, 0}, false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t s;
        ck_assert_int_eq(calendar_to_seconds(&cases[i].date, &s), cases[i].exists);
    }
}
END_TEST

CHECK_MAIN("base/clock", wall_clock_is_the_system_s, steady_clock_never_steps_back,
    dates_count_from_the_epoch, only_dates_that_exist_are_taken)
