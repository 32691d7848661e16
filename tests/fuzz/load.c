/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "fuzz/fuzz.h"
#include "policy_load/load.h"

struct policy *fuzz_policy(const char *name)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy = NULL;

    if (policy_load(fuzz_path(name), &policy, &report) != RESULT_OK) {
        fprintf(stderr, "%s\n", report.entries[0].text);
        exit(2);
    }
    return policy;
}
