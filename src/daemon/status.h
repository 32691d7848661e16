/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says of itself: GetStatus, and the service manager's status line. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/procedure.h"

#define STATUS_LINE_OCTETS 128

struct http_server;

struct daemon_status {
    int64_t started_s;
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct procedure *procedure;
    struct http_server *http;
    char told[STATUS_LINE_OCTETS]; /* to the service manager, and when it may hear again */
    int64_t tell_again_ms;
};

/* For GetStatus; CONTEXT is a struct daemon_status. */
json_t *daemon_status_json(void *context);
/* Tell the service manager: that we are ready; where things stand, when that has changed, every ten
 * seconds at most. */
void daemon_status_ready(struct daemon_status *status);
void daemon_status_refresh(struct daemon_status *status);
