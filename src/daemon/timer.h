/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers for what the daemon does again and again, which must not end because memory was short. */
#pragma once

#include <systemd/sd-event.h>

/* Calls HANDLER first after FIRST_US; each time it has to say when it is called again, by
 * sd_event_source_set_time. The timer stays enabled, since to enable one can take memory. A handler
 * that fails all the same ends LOOP with its negative errno, which run_loop says: the service
 * manager then starts the daemon again. OUT may be NULL: the loop owns the timer. Returns 0, or a
 * negative errno as sd-event has it. */
int timer_repeat(sd_event *loop, clockid_t clock, uint64_t first_us,
    sd_event_time_handler_t handler, void *context, sd_event_source **out)
    __attribute__((warn_unused_result));
