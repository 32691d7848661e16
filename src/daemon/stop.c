/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is waited for is limits.stopTimeout at most, not a whole limits.exchangeTimeout: an exchange
 * that nobody goes on with would hold up each restart for that long. Requests that are on their way
 * then end by the same time, or within 0.4 seconds after it.
 *
 * While exchanges are pending the listeners go on accepting, for Message 3 may come on a new
 * connection. A new Message 1 is refused with 503 and Retry-After: 1, so that the initiator comes
 * back to the next process of the service. Once none is pending, nothing is accepted any more: with
 * sockets of the service manager the next process accepts the connections that wait in their
 * backlog.
 *
 * A registration is removed once no exchange is pending, since until then its CSE forwards Message
 * 3. But where exchanges take all the time, half of it has to do for them. */
#include "daemon/stop.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/systemd.h"
#include "daemon/timer.h"
#include "http/server.h"
#include "observe/log.h"
#include "outbound/registrar.h"

#define TICK_US  100000
#define DRAIN_US 10000000 /* more than the shutdown after the loop takes */

static uint32_t count_pending(const struct stop *stop)
{
    return procedure_count(stop->status->procedure).pending;
}

/* Returns whether nothing is left to wait for. A restart leaves the registrations as they are: the
 * next process takes them up. */
static bool is_done(const struct stop *stop)
{
    struct registrar *registrar = stop->status->registrar;
    const int64_t now_ms = clock_steady_ms();

    if (stop->forget && (stop->pending == 0 || now_ms >= stop->deregister_ms))
        registrar_end(registrar);
    return now_ms >= stop->deadline_ms ||
           (stop->pending == 0 && (!stop->forget || registrar_is_empty(registrar)));
}

static int on_tick(sd_event_source *source, uint64_t now_us, void *context)
{
    struct stop *stop = context;
    uint32_t before = stop->pending;

    stop->pending = count_pending(stop);
    if (is_done(stop))
        return sd_event_exit(sd_event_source_get_event(source), 0);
    if (stop->pending != before)
        systemd_notify_stopping(stop->pending, 0);
    return sd_event_source_set_time(source, now_us + TICK_US);
}

static int begin(struct stop *stop, sd_event *loop, const char *signal)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(stop->status->slot);
    uint32_t timeout_s = snapshot->policy->limits.stop_timeout_s;

    stop->is_under_way = true;
    procedure_close(stop->status->procedure);
    stop->deadline_ms = clock_steady_ms() + (int64_t)timeout_s * 1000;
    stop->deregister_ms = stop->deadline_ms - (int64_t)timeout_s * 500;
    http_server_wind_down(stop->status->http, stop->deadline_ms);
    stop->pending = count_pending(stop);
    log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_STOPPING},
        "stopping on %s: %u exchanges pending, %u keys live", signal, stop->pending,
        key_cache_count(stop->status->cache));
    systemd_notify_stopping(stop->pending, (uint64_t)timeout_s * 1000000 + DRAIN_US);
    /* Without a timer nobody would notice that none is pending any more. */
    if (is_done(stop) || timer_repeat(loop, CLOCK_BOOTTIME, TICK_US, on_tick, stop, NULL) < 0)
        return sd_event_exit(loop, 0);
    return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
    struct stop *stop = context;
    sd_event *loop = sd_event_source_get_event(source);
    const char *signal = info->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";

    stop->forget |= info->ssi_signo == SIGINT;
    if (!stop->is_under_way)
        return begin(stop, loop, signal);
    log_info("stopping at once on one more %s", signal);
    http_server_wind_down(stop->status->http, clock_steady_ms());
    return sd_event_exit(loop, 0);
}

enum result stop_prepare(
    struct stop *stop, sd_event *loop, struct daemon_status *status, struct fault *fault)
{
    *stop = (struct stop){.status = status};
    int error = sd_event_add_signal(loop, NULL, SIGTERM, on_signal, stop);
    if (error >= 0)
        error = sd_event_add_signal(loop, NULL, SIGINT, on_signal, stop);
    if (error < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "the event loop takes no signals: %s", strerror(-error));
    return RESULT_OK;
}
