/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stopping: pending exchanges get time to finish, new ones are refused with 503. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "daemon/status_report.h"

struct stop {
    struct daemon_status *status; /* names the parts of the daemon that are stopped */
    bool is_under_way;
    bool forget;           /* wipe the keys: SIGINT was received */
    uint32_t pending;      /* exchanges, as last reported to the service manager */
    int64_t deregister_ms; /* from when on registrations are removed, with exchanges pending too */
    int64_t deadline_ms;   /* when the stop ends at the latest */
};

/* After SIGTERM or SIGINT the loop ends with 0 as soon as no exchange is pending, at the latest
 * after limits.stopTimeout or on a second signal. SIGINT also wipes the keys: no later start of
 * the daemon is to find them; and has the registrations at CSEs removed. */
enum result stop_prepare(struct stop *stop, sd_event *loop, struct daemon_status *status,
    struct fault *fault) WARN_UNUSED;
