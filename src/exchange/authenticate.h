/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the Initiating End-Point is, and whether the policy authorises it. */
#pragma once

#include "base/fault.h"
#include "exchange/table.h"
#include "policy/match.h"
#include "trust/evidence.h"

/* EXCHANGE locked, PRESENTED what has the key that signed its transcript. Validates a certificate's
 * path, matches its names, or the raw public key, to a rule, and holds From to the authenticated
 * identity (TS-0003 8.1.2.5).
 * EVIDENCE: of the path by which the rule's trust domain trusts it; empty for a raw public key.
 * RESULT_CERTIFICATE_REFUSED or RESULT_NOT_AUTHORISED, with the alert. */
enum result authenticate_initiator(const struct exchange *exchange,
    const struct presented *presented, struct authorisation *out, struct evidence *evidence,
    struct fault *fault) WARN_UNUSED;
