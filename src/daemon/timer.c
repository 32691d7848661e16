/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/timer.h"

int timer_repeat(sd_event *loop, clockid_t clock, uint64_t first_us,
    sd_event_time_handler_t handler, void *context, sd_event_source **out)
{
    sd_event_source *timer;
    int error = sd_event_add_time_relative(loop, &timer, clock, first_us, 0, handler, context);

    if (error < 0)
        return error;
    error = sd_event_source_set_enabled(timer, SD_EVENT_ON);
    if (error >= 0)
        error = sd_event_source_set_exit_on_failure(timer, 1);
    if (error >= 0 && !out)
        error = sd_event_source_set_floating(timer, 1);
    if (error >= 0 && out)
        *out = timer;
    else
        sd_event_source_unref(timer);
    return error;
}
