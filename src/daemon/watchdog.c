/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/watchdog.h"

#include <systemd/sd-daemon.h>

#include "daemon/timer.h"
#include "http/server.h"
#include "observe/log.h"

#define FEEDS 4 /* times in one period that the watchdog is fed */

static void say_change(struct watchdog *watchdog, bool is_stalled)
{
    if (is_stalled == watchdog->is_stalled)
        return;
    watchdog->is_stalled = is_stalled;
    log_event(&(struct log_event){.level = is_stalled ? LOG_ERR : LOG_NOTICE,
                  .message_id = LOG_EVENT_STALLED},
        is_stalled ? "an HTTP thread makes no progress: the watchdog is not fed"
                   : "all HTTP threads make progress again");
}

static int on_turn(sd_event_source *source, uint64_t now_us, void *context)
{
    struct watchdog *watchdog = context;
    bool is_stalled = !http_server_answers(watchdog->http, (int64_t)watchdog->period_us / 2000);

    if (!is_stalled)
        (void)sd_notify(0, "WATCHDOG=1");
    say_change(watchdog, is_stalled);
    return sd_event_source_set_time(source, now_us + watchdog->period_us / FEEDS);
}

enum result watchdog_start(
    struct watchdog *watchdog, sd_event *loop, struct http_server *http, struct fault *fault)
{
    uint64_t period_us;
    int wanted = sd_watchdog_enabled(0, &period_us);

    if (wanted < 0)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "WATCHDOG_USEC is malformed");
    if (wanted == 0)
        return RESULT_OK;
    *watchdog = (struct watchdog){.http = http, .period_us = period_us};
    if (timer_repeat(loop, CLOCK_MONOTONIC, 0, on_turn, watchdog, NULL) < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "the watchdog does not start");
    return RESULT_OK;
}
