/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two clocks: the wall clock for what people and certificates date, the steady one for time-outs.
 */
#pragma once

#include <stdint.h>

int64_t clock_wall_s(void);   /* seconds since the epoch, UTC */
int64_t clock_wall_us(void);  /* microseconds since the epoch, UTC */
int64_t clock_steady_s(void); /* CLOCK_BOOTTIME: goes on through suspend, never steps back */
int64_t clock_steady_ms(void);
int64_t clock_steady_us(void);
