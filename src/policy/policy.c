/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy.h"

#include <string.h>

#include "policy/texts.h"

/* TS-0003 10.2.3 */
const struct policy_suite policy_suites[] = {
    {0xC023, "ECDHE-ECDSA-AES128-SHA256"},
    {0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {0xC0AE, "ECDHE-ECDSA-AES128-CCM-8"},
    {0xC0AC, "ECDHE-ECDSA-AES128-CCM"},
};
const size_t policy_suite_count = ARRAY_SIZE(policy_suites);

bool policy_rule_is_pattern(const struct policy_rule *rule)
{
    return rule->identity[strlen(rule->identity) - 1] == '*';
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    texts_free(policy->texts);
    free(policy);
}
