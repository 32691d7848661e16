/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes the contents of primitives, in the serialization that the primitive has. All
 * serializations are in one table, and are found by media type. */
#pragma once

#include "onem2m/primitive.h"
#include "onem2m/serialization.h"

/* --- media types --- */

#define CONTENT_TYPES_MAX 16 /* the most of all serializations together */

/* Returns media type number NUMBER of all, from 0, in the order in which we prefer to answer; NULL
 * after the last. */
const struct serialization_type *content_type(size_t number);

/* Returns the serialization of the media type NAME, which is without parameters and in any case;
 * NULL when we have none. */
const struct serialization *content_serialization(struct bytes name);

/* --- requests --- */

/* Read the E2EKey message of REQUEST into MESSAGE, which is empty and has its limit set: from
 * m2m:e2ek of a Create or Update, or from m2m:seci of a Notify. Only a Create may give the resource
 * attributes, which go into GIVEN; it is NULL for an Update. A Create may also ask for a name, rn,
 * but does not get it: we name exchanges so that nobody can guess their names. TYPE is set to what
 * the Notify is: SECURITY_INFO_ESCERTKE, or SECURITY_INFO_RAND_OBJECT_REQUEST, which has no
 * message. RESULT_BAD_MESSAGE when the message is empty or larger than the limit,
 * RESULT_BAD_REQUEST for any other fault; MESSAGE stays empty then. */
enum result content_read_e2ek(const struct request *request, struct given_attributes *given,
    struct buffer *message, struct fault *fault) WARN_UNUSED;
enum result content_read_seci(const struct request *request, enum security_info *type,
    struct buffer *message, struct fault *fault) WARN_UNUSED;

/* --- responses: each appends to RESPONSE->content, whose limit is the caller's --- */

/* With a URI that is not NULL, the address is written too (rcn 3). */
enum result content_write_e2ek(const struct e2ek *e2ek, const char *uri, struct response *response)
    WARN_UNUSED;
/* Sets csz to the serializations that we have. RESULT_BAD_REQUEST when CSE_BASE->only names none of
 * its attributes, or another one too. */
enum result content_write_cse_base(
    struct cse_base *cse_base, struct response *response, struct fault *fault) WARN_UNUSED;
enum result content_write_seci(struct bytes message, struct response *response) WARN_UNUSED;
enum result content_write_rand_object(
    const struct rand_object_content *object, struct response *response) WARN_UNUSED;
enum result content_write_refusal(const struct refusal_content *refusal, struct response *response)
    WARN_UNUSED;

/* --- at the Initiating End-Point; a SERIALIZATION of NULL is the one we prefer --- */

/* Appends to OUT the content of a Create or Update (CONTENT_E2EK) or Notify (CONTENT_SECI). */
enum result content_write_message(const struct serialization *serialization, enum content_root root,
    struct bytes message, struct buffer *out) WARN_UNUSED;
/* Reads the content of a response into OUT, which is zero-initialised except for message.limit.
 * Fails as the readers of requests do; then OUT holds what could be read, without a message. */
enum result content_read_answer(const struct serialization *serialization, struct bytes content,
    struct answer_content *out, struct fault *fault) WARN_UNUSED;
