/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.e2ekeyd.Keys, and the table of all methods. */
#pragma once

#include "query/call.h"
#include "query/session.h"

/* All of them append replies to session->out and fail with buffer's errors; after a failure the
 * connection has to be closed. */

/* Answers CALL, or begins session->stream. */
enum result methods_call(struct session *session, const struct call *call) WARN_UNUSED;

/* Continues a STREAM_LIST by a bounded number of keys; after the last the stream is STREAM_NONE. */
enum result methods_list_more(struct session *session) WARN_UNUSED;

/* Reports an event to a STREAM_SUBSCRIPTION, if the policy now in force shows the key to this
 * caller. Ends the stream when that policy does not let the caller subscribe any more. */
enum result methods_event(
    struct session *session, enum key_event event, const struct key_info *info) WARN_UNUSED;
/* Ends a STREAM_SUBSCRIPTION that missed events. */
enum result methods_events_lost(struct session *session) WARN_UNUSED;
