/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds rules that nobody can meet, because no certificate can have their name. */
#pragma once

#include "base/report.h"
#include "policy/policy.h"
#include "trust/store.h"

/* A fault for each rule whose name is outside the name constraints of every anchor of its trust
 * domain; a warning for a device id outside the OID arc of device ids. DOMAINS, with their anchors,
 * are in the order of the policy. */
void reach_check(
    const struct policy *policy, const struct trust_domain *domains, struct report *report);
