/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of a policy's rules: from the names of a certificate to the rules for them, and from an
 * identity to whether a rule gives it, in O(log n) of the number of rules. For the rooms policy and
 * policy_load. */
#pragma once

#include "policy/policy.h"

/* Sets policy->index, which policy->texts owns. policy_load calls it once, when it has read all
 * rules; rules with faults are left out. Returns false when memory is short. */
bool rule_index_build(struct policy *policy) WARN_UNUSED;

/* Called for RULE, which has the name NAME. For an AE-ID, NAME is the absolute identifier, whatever
 * URI scheme stood before it in the certificate. Returns false to skip the other rules of the same
 * flavour and name. */
typedef bool visit_rule(const struct policy_rule *rule, const char *name, void *context);

/* Calls VISIT for each rule that one of NAMES leads to: name by name, and for each name in the
 * order of the policy. With RAW_PUBLIC_KEY, only the digest of the key counts, and the rules are
 * those whose public key identifier agrees with it in the first 120 bits, which are all that the
 * shortest form of identifier has. The caller has to compare the others in full. */
void rule_index_visit(const struct policy *policy, const struct names *names, bool raw_public_key,
    visit_rule *visit, void *context);

#define RULE_LIST_MAX 8
/* The same for COUNT rules, at most RULE_LIST_MAX, that are no policy's and so have no index. */
void rule_list_visit(const struct policy_rule *rules, size_t count, const struct names *names,
    bool raw_public_key, visit_rule *visit, void *context);

/* Whether some rule gives IDENTITY, which is absolute, at whichever end-point. */
bool rule_index_gives(const struct policy *policy, const char *identity);
