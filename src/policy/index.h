/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that a certificate's names lead to. Private to the room. */
#pragma once

#include "policy/policy.h"

/* RULE has the name NAME (for an AE-ID: absolute, whatever URI scheme it came with). False: no more
 * rules of this flavour and name are wanted. */
typedef bool visit_rule(const struct policy_rule *rule, const char *name, void *context);

/* Visits, for each name, the rules that are matched by it, in policy order. Raw public keys: those
 * whose identifier agrees in the first 120 bits, which all forms of it hold. */
void candidates_visit(const struct policy *policy, const struct names *names, bool raw_public_key,
    visit_rule *visit, void *context);
