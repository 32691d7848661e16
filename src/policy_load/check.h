/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what can only be seen in the whole policy: duplicates, conflicts between rules, sections
 * that need another one. Private to the room. */
#pragma once

#include "base/report.h"
#include "policy/policy.h"

/* Adds what it finds to REPORT. A missing member is reported as one of FILE. POLICY needs its
 * index. */
void policy_check(const struct policy *policy, const char *file, struct report *report);
