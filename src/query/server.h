/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Unix socket: varlink (org.e2ekeyd.Keys) on sd-event. Everything here runs on the main loop
 * except query_server_notify. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/snapshot.h"
#include "query/reports.h"

/* Connections at a time; fewer where there are not eight descriptors for each. At the bound the
 * user with the most connections gives up the idlest of them for a newcomer. */
#define QUERY_CONNECTIONS_MAX 1024

struct query_server;

/* Listens on INHERITED when it is not negative, and takes it over then; otherwise at socket.path of
 * the policy, with mode 0660. A socket there on which nobody answers is replaced; anything else
 * there is a fault. Takes a reference to LOOP. SLOT, CACHE and REPORTS must outlive the server. */
enum result query_server_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    int inherited, const struct query_reports *reports, struct query_server **out,
    struct fault *fault) WARN_UNUSED;
void query_server_free(struct query_server *server);

/* A key_listener, on any thread: hands the event to the main loop through a bounded queue. Where it
 * has lost events that a subscriber has not taken yet, that one's stream ends with an error. */
void query_server_notify(enum key_event event, const struct key_info *info, void *server);
