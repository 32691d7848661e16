/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stopping: exchanges under way get their time to finish, new ones are sent away. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "daemon/status.h"

struct stop {
    struct daemon_status *status; /* of what is to stop */
    bool is_under_way;
    bool forget;      /* what was told with SIGINT */
    uint32_t pending; /* as last told */
    int64_t deadline_ms;
};

/* On SIGTERM or SIGINT the loop ends, with 0: as soon as no exchange is pending, at the end of
 * limits.exchangeTimeout, or on a second signal. SIGINT means that nobody comes after us. */
enum result stop_prepare(struct stop *stop, sd_event *loop, struct daemon_status *status,
    struct fault *fault) WARN_UNUSED;
