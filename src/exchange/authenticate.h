/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is the Initiating End-Point, and may it? */
#pragma once

#include "exchange/table.h"
#include "policy/match.h"
#include "tls/evidence.h"

/* EXCHANGE locked, LEAF the certificate whose key signed its transcript. Validates the path,
 * matches the names to a rule, and holds From to the authenticated identity (TS-0003 8.1.2.5).
 * EVIDENCE: of the path by which the rule's trust domain trusts it.
 * RESULT_CERTIFICATE_REFUSED or RESULT_NOT_AUTHORISED, with the alert. */
enum result authenticate_initiator(const struct exchange *exchange, const struct message3 *message3,
    struct authorisation *out, struct evidence *evidence, struct fault *fault) WARN_UNUSED;
