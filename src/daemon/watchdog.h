/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds the service manager's watchdog while the event loop runs and every HTTP thread makes
 * progress. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"

struct http_server;

struct watchdog {
    struct http_server *http;
    uint64_t period_us; /* WatchdogSec=: how long the manager waits before it aborts the daemon */
    bool is_stalled;
};

/* Does nothing if the manager runs no watchdog. HTTP has to outlive LOOP. */
enum result watchdog_start(struct watchdog *watchdog, sd_event *loop, struct http_server *http,
    struct fault *fault) WARN_UNUSED;
