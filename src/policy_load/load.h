/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy files to a policy. */
#pragma once

#include "base/report.h"
#include "policy/policy.h"

/* Loads PATH, then the files of policy.d beside it (those named .json) in name order: objects
 * merge, arrays append, of anything else the last one stands. Then resolves names between sections
 * and applies defaults. Every fault goes to REPORT; RESULT_BAD_CONFIGURATION and *OUT NULL when
 * there is one. Files that the policy names are not opened here: tls/context and http/server read
 * them and add to the same report. */
enum result policy_load(const char *path, struct policy **out, struct report *report) WARN_UNUSED;
