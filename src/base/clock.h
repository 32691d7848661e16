/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall clock, for the dates of certificates and of the log; the steady clock, for time-outs;
 * and the calendar. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_s(void);   /* seconds since the epoch, UTC */
int64_t clock_wall_us(void);  /* microseconds since the epoch, UTC */
int64_t clock_steady_s(void); /* CLOCK_BOOTTIME: counts time in suspend too, and never steps back */
int64_t clock_steady_ms(void);
int64_t clock_steady_us(void);

/* A date and time of day in UTC, in the Gregorian calendar. */
struct calendar {
    int year;       /* 0 to 9999 */
    int month, day; /* from 1 */
    int hour, minute, second;
};

/* Sets *OUT_S to the seconds from the epoch to DATE. Returns false when there is no such day, or no
 * such time in a day. */
bool calendar_to_seconds(const struct calendar *date, int64_t *out_s);
