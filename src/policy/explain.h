/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How policy_match judges each name of a certificate, for people who ask why one is refused. */
#pragma once

#include "policy/policy.h"

struct explanation {
    const char *kind; /* "dNSName", "URI", "device id" or "public key" */
    const char *name;
    const struct policy_rule *rule; /* a rule that has this name; NULL: no rule has it */
    bool trusted;                   /* the path is valid under the rule's trust domain */
    bool for_endpoint;              /* the rule is for this end-point */
};
typedef void explain_name(const struct explanation *explanation, void *context);

/* For each name, calls EXPLAIN for each rule that has it, exact rules before patterns; if no rule
 * has the name, calls EXPLAIN once for the name alone. The other parameters are those of
 * policy_match. Returns RESULT_OK or RESULT_NO_MEMORY. */
enum result policy_explain(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, explain_name *explain, void *context) WARN_UNUSED;
