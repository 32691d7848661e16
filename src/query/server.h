/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Unix socket: varlink (org.e2ekeyd.Keys) on sd-event. Everything here runs on the main loop,
 * but for query_server_notify. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/snapshot.h"

#define QUERY_CONNECTIONS_MAX 1024
#define QUERY_MESSAGE_MAX     65536   /* octets of one call */
#define QUERY_OUTPUT_MAX      1048576 /* octets waiting for one slow client; then it is dropped */

struct query_server;

/* What GetStatus and GetMetrics answer: new references, NULL when out of memory. */
struct query_reports {
    json_t *(*status)(void *context);
    json_t *(*metrics)(void *context); /* a string */
    void *context;
};

/* Listens on INHERITED when >= 0 (taken over), else at the policy's socket.path: mode 0660, a stale
 * socket of ours is replaced, anything else there is a fault. Keeps REPORTS. */
enum result query_server_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    int inherited, const struct query_reports *reports, struct query_server **out,
    struct fault *fault) WARN_UNUSED;
void query_server_free(struct query_server *server);

/* A key_listener: hands the event to the main loop (a bounded queue, an eventfd). When the queue is
 * full, subscribers are told by ending their stream rather than by silence. */
void query_server_notify(enum key_event event, const struct key_info *info, void *server);
