/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's status: the reply to GetStatus, and the status line for the service manager. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/procedure.h"

#define STATUS_LINE_OCTETS 128

struct http_server;
struct registrar;

struct daemon_status {
    int64_t started_s;
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct procedure *procedure;
    struct http_server *http;
    struct registrar *registrar;
    char line[STATUS_LINE_OCTETS]; /* as the service manager was last told */
    int64_t next_line_ms;          /* when it may be told again; on the steady clock */
    bool is_ready_due;             /* it has not been told yet that the daemon is ready */
};

/* Returns the reply to GetStatus, for the caller to release; NULL when memory is short. CONTEXT is
 * a struct daemon_status. */
json_t *daemon_status_json(void *context);
/* daemon_status_ready tells the service manager that the daemon is ready, with a status line;
 * daemon_status_refresh tells it a new status line if that has changed, every ten seconds at most;
 * or that the daemon is ready, where that could not be told. */
void daemon_status_ready(struct daemon_status *status);
void daemon_status_refresh(struct daemon_status *status);
