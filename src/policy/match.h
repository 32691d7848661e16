/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule a certificate matches (TS-0003 8.1.2.5). */
#pragma once

#include "base/fault.h"
#include "policy/policy.h"

struct authorisation {
    const struct policy_rule *rule;
    char identity[IDENTIFIER_OCTETS]; /* what to record: the rule's, or the certificate's own name
                                         where the rule is a pattern */
};

/* Either type, or both (RFC 7250). */
struct certificate_types {
    bool x509, raw_public_key;
};
/* What end-point number ENDPOINT takes from initiators: that which its rules are for, and X.509 if
 * it has none. */
struct certificate_types policy_types_taken(const struct policy *policy, size_t endpoint);

/* Built once by policy_load; constant time or O(log n) in the number of rules. */
enum result rule_index_build(struct policy *policy) WARN_UNUSED;
void rule_index_free(struct rule_index *index);

/* TRUSTED: bit i set when the certificate's path is valid under policy.trust[i]; 0 for a raw public
 * key. Exact match on the flavour's name; where several rules match, an exact one before a pattern,
 * and FROM's identity (absolute) before others, else the first in policy order.
 * RESULT_CERTIFICATE_REFUSED when none matches (the handshake is to be aborted);
 * RESULT_NOT_AUTHORISED when rules match but none for end-point number ENDPOINT. */
enum result policy_match(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, const char *from, struct authorisation *out,
    struct fault *fault) WARN_UNUSED;
