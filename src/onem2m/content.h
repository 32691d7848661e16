/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents of primitives, read and written in whichever serialization the primitive has. Those that
 * there are stand in one table, and are found by media type. */
#pragma once

#include "onem2m/primitive.h"
#include "onem2m/serialization.h"

/* --- media types --- */

#define CONTENT_TYPES_MAX 16 /* of all serializations together */

/* One after the other, those that we prefer to answer in first; NULL past the last. */
const struct serialization_type *content_type(size_t number);

/* NAME without parameters, in any case; NULL: no serialization of ours. */
const struct serialization *content_serialization(struct bytes name);

/* --- requests --- */

/* The E2EKey message in m2m:e2ek of Create (RN_ALLOWED) and Update, or in m2m:seci of Notify.
 * MESSAGE, empty so far, receives its octets, at most MESSAGE->limit: RESULT_BAD_MESSAGE when
 * larger or empty; RESULT_BAD_REQUEST for everything else. MESSAGE stays empty then. */
enum result content_read_e2ek(const struct request *request, bool rn_allowed,
    struct buffer *message, struct fault *fault) WARN_UNUSED;
enum result content_read_seci(
    const struct request *request, struct buffer *message, struct fault *fault) WARN_UNUSED;

/* --- responses: each appends to RESPONSE->content, whose limit is the caller's --- */

/* URI not NULL: the address comes with it (rcn 3). */
enum result content_write_e2ek(const struct e2ek *e2ek, const char *uri, struct response *response)
    WARN_UNUSED;
enum result content_write_seci(struct bytes message, struct response *response) WARN_UNUSED;
enum result content_write_refusal(const struct refusal_content *refusal, struct response *response)
    WARN_UNUSED;

/* --- at the Initiating End-Point; SERIALIZATION NULL: the one we prefer --- */

/* Appends to OUT the content of a Create or Update (CONTENT_E2EK) or Notify (CONTENT_SECI). */
enum result content_write_message(const struct serialization *serialization, enum content_root root,
    struct bytes message, struct buffer *out) WARN_UNUSED;
/* OUT: zero-initialised but for message.limit. Fails as the readers of requests do; what could be
 * read is in OUT all the same, and the message empty. */
enum result content_read_answer(const struct serialization *serialization, struct bytes content,
    struct answer_content *out, struct fault *fault) WARN_UNUSED;
