/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/session.h"

void session_begin_stream(struct session *session, const struct stream *stream)
{
    session->stream = *stream;
    if (stream->kind == STREAM_SUBSCRIPTION) {
        atomic_fetch_add_explicit(session->shared->subscribers, 1, memory_order_relaxed);
        session->stream.cursor = event_queue_end(session->shared->events);
    }
}

void session_end_stream(struct session *session)
{
    if (session->stream.kind == STREAM_SUBSCRIPTION)
        atomic_fetch_sub_explicit(session->shared->subscribers, 1, memory_order_relaxed);
    session->stream.kind = STREAM_NONE;
}
