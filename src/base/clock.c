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
