/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said back: an exchange or a refusal as a response primitive. */
#pragma once

#include "base/fault.h"
#include "exchange/table.h"
#include "onem2m/primitive.h"

/* Which of the exchange's answers. The same exchange gives the same octets for the same answer. */
enum answer {
    ANSWER_MESSAGE2, /* to Message 1 */
    ANSWER_MESSAGE4, /* to Message 3 */
    ANSWER_RETRIEVE,
    ANSWER_DELETE,
};

/* EXCHANGE locked. WITH_ADDRESS: rcn 3. Notify gives m2m:seci, all others m2m:e2ek. */
enum result answer_exchange(const struct exchange *exchange, enum answer answer,
    enum operation operation, bool with_address, struct response *response) WARN_UNUSED;

enum result answer_entry_point(
    const struct snapshot *snapshot, int64_t created_s, struct response *response) WARN_UNUSED;

/* FAULT's text and, where it names one, its alert. */
void answer_refusal(const struct fault *fault, enum operation operation, struct response *response);
