/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only the whole policy shows: duplicates, conflicts, things left out. Private to the room. */
#pragma once

#include "base/report.h"
#include "policy/policy.h"

/* FILE is where a missing member is reported. Needs policy->index. */
void policy_check(const struct policy *policy, const char *file, struct report *report);
