/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An exchange, the entry point or a refusal as a response primitive. */
#pragma once

#include "base/fault.h"
#include "esprim/rand_object.h"
#include "exchange/table.h"
#include "onem2m/primitive.h"

/* Which answer of an exchange. The same exchange gives the same octets for the same answer, so that
 * a retransmission is answered like the first request. */
enum answer {
    ANSWER_MESSAGE2, /* to Message 1 */
    ANSWER_MESSAGE4, /* to Message 3 */
    ANSWER_RETRIEVE,
    ANSWER_DELETE,
};

/* EXCHANGE locked. WITH_ADDRESS: rcn 3. The content is m2m:seci for Notify, else m2m:e2ek. */
enum result answer_exchange(const struct exchange *exchange, enum answer answer,
    enum operation operation, bool with_address, struct response *response, struct fault *fault)
    WARN_UNUSED;

/* The entry point (<e2EKeyCSE>), which shows the certificates of SNAPSHOT's end-points. */
enum result answer_entry_point(const struct snapshot *snapshot, int64_t created_s,
    struct response *response, struct fault *fault) WARN_UNUSED;

/* Our <CSEBase>. ATTRIBUTE_LIST: the attributes that are asked for, as in struct request; NULL:
 * all. RESULT_BAD_REQUEST for those that it does not have. */
enum result answer_cse_base(const struct snapshot *snapshot, int64_t created_s,
    const char *attribute_list, struct response *response, struct fault *fault) WARN_UNUSED;

/* A random object, in the answer to a Notify that asks for one. */
enum result answer_rand_object(
    const struct rand_object *object, struct response *response, struct fault *fault) WARN_UNUSED;

/* Writes FAULT's result and text and, where it has one, its alert. */
void answer_refusal(const struct fault *fault, enum operation operation, struct response *response);
