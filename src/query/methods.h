/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.e2ekeyd.Keys, and the table of all methods. */
#pragma once

#include "query/call.h"
#include "query/session.h"

/* The functions here append replies to session->out. They fail with buffer's errors; after a
 * failure the connection has to be closed. */

/* Answers CALL, or begins session->stream. */
enum result methods_call(struct session *session, const struct call *call) WARN_UNUSED;

/* Continues a STREAM_LIST by a bounded number of keys. After the last key the stream is
 * STREAM_NONE.
 */
enum result methods_list_more(struct session *session) WARN_UNUSED;

/* Continues a STREAM_SUBSCRIPTION by a bounded number of events, as far as the policy now in force
 * shows their keys to this caller. *MORE: there is more to be done at once, else it has all of
 * them. Ends the stream when events were lost, and when that policy does not let the caller
 * subscribe. */
enum result methods_events_more(struct session *session, bool *more) WARN_UNUSED;
