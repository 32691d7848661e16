/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

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

CHECK_MAIN("base/clock", wall_clock_is_the_system_s, steady_clock_never_steps_back)
