/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is the Initiating End-Point, and may it? */
#pragma once

#include "exchange/table.h"
#include "policy/match.h"
#include "tls/evidence.h"

/* EXCHANGE locked, PRESENTED what has the key that signed its transcript. Validates a certificate's
 * path, matches its names, or the raw public key, to a rule, and holds From to the authenticated
 * identity (TS-0003 8.1.2.5).
 * CERTIFIED, set on refusal too: an authority of ours signed the certificate, or a rule names the
 * raw public key; so this is not anybody who makes keys for himself. EVIDENCE: of the path by which
 * the rule's trust domain trusts it; empty for a raw public key. RESULT_CERTIFICATE_REFUSED or
 * RESULT_NOT_AUTHORISED, with the alert. */
enum result authenticate_initiator(const struct exchange *exchange,
    const struct presented *presented, struct authorisation *out, struct evidence *evidence,
    bool *certified, struct fault *fault) WARN_UNUSED;
