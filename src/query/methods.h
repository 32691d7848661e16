/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.e2ekeyd.Keys and org.varlink.service. */
#pragma once

#include <stdatomic.h>

#include "query/call.h"
#include "query/caller.h"
#include "query/reply.h"
#include "query/server.h"

/* What methods draw on; one for all connections. */
struct methods {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    const struct query_reports *reports;
    atomic_uint *subscribers; /* how many sessions have a STREAM_SUBSCRIPTION */
};

/* A call that is answered by more than one reply. */
struct stream {
    enum { STREAM_NONE, STREAM_LIST, STREAM_SUBSCRIPTION } kind;
    char peer[IDENTIFIER_OCTETS], local[IDENTIFIER_OCTETS]; /* what to list; "" = any */
    uint64_t cursor;
    bool has_held;
    struct key_info held; /* found, but not sent until it is known whether another one follows */
};

/* One connection, as methods see it. */
struct session {
    const struct methods *methods;
    const struct policy *policy; /* in force during the call in hand */
    struct caller caller;
    struct stream stream;
    struct buffer *out;
};

/* Answers CALL into session->out, or begins session->stream. Fails with buffer's errors: then the
 * connection is of no more use. */
enum result methods_call(struct session *session, const struct call *call) WARN_UNUSED;

/* Before a session is forgotten. */
void methods_end_stream(struct session *session);

/* Goes on with STREAM_LIST by a bounded piece of work; the stream becomes STREAM_NONE at its end.
 */
enum result methods_list_more(struct session *session) WARN_UNUSED;

/* Tells a STREAM_SUBSCRIPTION of an event, if the policy of now shows it to this caller; the stream
 * ends when that allows no subscription at all any more. */
enum result methods_event(
    struct session *session, enum key_event event, const struct key_info *info) WARN_UNUSED;
/* Ends a STREAM_SUBSCRIPTION that missed events. */
enum result methods_events_lost(struct session *session) WARN_UNUSED;
