/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says of itself: GetStatus, and the service manager's status line. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/procedure.h"

struct http_server;

struct daemon_status {
    int64_t started_s;
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct procedure *procedure;
    struct http_server *http;
};

/* For GetStatus; CONTEXT is a struct daemon_status. */
json_t *daemon_status_json(void *context);
void daemon_status_line(struct daemon_status *status, char *line, size_t size);
