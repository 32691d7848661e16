/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service manager's watchdog: fed while the loop turns and every HTTP thread does its part. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"

struct http_server;

struct watchdog {
    struct http_server *http;
    uint64_t period_us; /* the manager's patience */
    bool is_stalled;
};

/* Does nothing when the manager wants no feeding. Keeps HTTP. */
enum result watchdog_start(struct watchdog *watchdog, sd_event *loop, struct http_server *http,
    struct fault *fault) WARN_UNUSED;
