/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

/* Neither clock can fail with a valid id and address. */
static int64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_s(void)
{
    return clock_wall_us() / 1000000;
}

int64_t clock_wall_us(void)
{
    return microseconds(CLOCK_REALTIME);
}

int64_t clock_steady_s(void)
{
    return clock_steady_us() / 1000000;
}

int64_t clock_steady_ms(void)
{
    return clock_steady_us() / 1000;
}

int64_t clock_steady_us(void)
{
    return microseconds(CLOCK_BOOTTIME);
}

/* --- the calendar --- */

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

/* Days from the 1st of January of the year 0 to the 1st of January of YEAR. */
static int64_t days_before_year(int year)
{
    int before = year - 1;
    return year > 0 ? 366 + before * INT64_C(365) + before / 4 - before / 100 + before / 400 : 0;
}

/* From the epoch to the start of that day. timegm(3) counts in time_t, which has 32 bits on some
 * hosts. */
static int64_t seconds_before_day(int year, int month, int day)
{
    int64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
    for (int i = 1; i < month; i++)
        days += days_of_month(year, i);
    return days * 86400;
}

bool calendar_to_seconds(const struct calendar *date, int64_t *out_s)
{
    if (date->year < 0 || date->year > 9999 || date->month < 1 || date->month > 12 ||
        date->day < 1 || date->day > days_of_month(date->year, date->month) || date->hour < 0 ||
        date->hour > 23 || date->minute < 0 || date->minute > 59 || date->second < 0 ||
        date->second > 59)
        return false;
    *out_s = seconds_before_day(date->year, date->month, date->day) +
             (date->hour * 60 + date->minute) * INT64_C(60) + date->second;
    return true;
}
