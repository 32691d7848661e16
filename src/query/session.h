/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What methods know of one client's connection: who calls, and which answer is not complete yet. */
#pragma once

#include <stdatomic.h>

#include "keys/cache.h"
#include "policy/snapshot.h"
#include "query/caller.h"
#include "query/event_queue.h"
#include "query/reports.h"

/* What the sessions of one server share. */
struct sessions {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    const struct query_reports *reports;
    struct event_queue *events;
    atomic_uint *subscribers; /* how many sessions have a STREAM_SUBSCRIPTION */
};

/* A call that is answered by more than one reply. */
struct stream {
    enum { STREAM_NONE, STREAM_LIST, STREAM_SUBSCRIPTION } kind;
    char peer[IDENTIFIER_OCTETS], local[IDENTIFIER_OCTETS]; /* what to list; "" = any */
    uint64_t cursor; /* of key_cache_next, or of event_queue_take */
    bool has_held;
    struct key_info held; /* a key that is sent when it is known whether another one follows */
};

struct session {
    const struct sessions *shared;
    const struct policy *policy; /* in force during the call in hand */
    struct caller caller;
    struct stream stream;
    struct buffer *out; /* the connection's output, to which replies are appended */
};

/* Makes STREAM, which is copied, the answer in progress. */
void session_begin_stream(struct session *session, const struct stream *stream);
/* Does nothing without a stream. To be called before a session is freed, too. */
void session_end_stream(struct session *session);
