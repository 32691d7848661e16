/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a policy from policy files. */
#pragma once

#include "base/report.h"
#include "policy/policy.h"

/* Loads PATH, then the files of the folder policy.d beside it whose names end in .json, in the
 * order of their names. Objects merge and arrays append; of other values, the last one counts.
 * Members that no file has get their defaults. The policy is the caller's, to release with
 * policy_free. All faults and warnings go to REPORT. If there is a fault, *OUT is NULL and the
 * result is RESULT_BAD_CONFIGURATION or RESULT_NO_MEMORY. Files that the policy names are not
 * opened here: tls/context and http/server read them and add to the same report. */
enum result policy_load(const char *path, struct policy **out, struct report *report) WARN_UNUSED;
