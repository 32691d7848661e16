/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What policy_match saw of each name, for people who ask why. */
#pragma once

#include "policy/policy.h"

struct explanation {
    const char *kind; /* "dNSName", "URI", "device id" or "public key" */
    const char *name;
    const struct policy_rule *rule; /* that has this name; NULL: none has it */
    bool trusted;                   /* the path is valid under the rule's trust domain */
    bool for_endpoint;              /* and the rule is for this end-point */
};
typedef void explain_name(const struct explanation *explanation, void *context);

/* Calls EXPLAIN for each name and each rule that has it, exact ones before patterns, or once for a
 * name that none has. Parameters as of policy_match. RESULT_NO_MEMORY. */
enum result policy_explain(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, explain_name *explain, void *context) WARN_UNUSED;
