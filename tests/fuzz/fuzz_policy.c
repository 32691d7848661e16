/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as policy files: up to the first NUL the policy, then drop-ins. What is loaded is
 * asked about names of its own rules. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "policy/explain.h"
#include "policy/match.h"
#include "policy_load/load.h"

#define DROP_INS_MAX 3

static unsigned write_files(struct bytes in)
{
    unsigned count = 0;

    mkdir(fuzz_path("policies"), 0700);
    mkdir(fuzz_path("policies/policy.d"), 0700);
    while (count <= DROP_INS_MAX) {
        const uint8_t *end = in.size > 0 ? memchr(in.data, 0, in.size) : NULL;
        size_t size = end ? (size_t)(end - in.data) : in.size;
        char name[64] = "policies/policy.json";
        if (count > 0)
            snprintf(name, sizeof(name), "policies/policy.d/%u.json", count);
        fuzz_write(name, bytes_of(in.data, size));
        count++;
        if (!end)
            break;
        in = bytes_of(end + 1, in.size - size - 1);
    }
    return count;
}

static void remove_drop_ins(unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "policies/policy.d/%u.json", i);
        must(unlink(fuzz_path(name)) == 0);
    }
}

static void count_one(const struct explanation *explanation, void *context)
{
    *(unsigned *)context += explanation->rule != NULL;
}

/* A certificate with RULE's own name is matched by a rule, be it this one. */
static void match(const struct policy *policy, const struct policy_rule *rule)
{
    static struct names names;
    struct authorisation authorised;
    struct fault fault = FAULT_INIT;
    unsigned explained = 0;
    bool raw = rule->trust < 0;
    uint64_t trusted = raw ? 0 : UINT64_C(1) << rule->trust;
    char *name = rule->flavour == FLAVOUR_DEVICE   ? names.device.name[0]
                 : rule->flavour == FLAVOUR_CSE_ID ? names.dns.name[0]
                                                   : names.uri.name[0];

    if (strlen(rule->match) >= NAME_OCTETS)
        return;
    memset(&names, 0, sizeof(names));
    snprintf(name, NAME_OCTETS, "%s", rule->match);
    if (rule->flavour == FLAVOUR_NODE_ID)
        snprintf(names.dns.name[0], NAME_OCTETS, "%s", rule->match);
    names.device.count = rule->flavour == FLAVOUR_DEVICE;
    names.dns.count = rule->flavour == FLAVOUR_CSE_ID || rule->flavour == FLAVOUR_NODE_ID;
    names.uri.count = rule->flavour == FLAVOUR_AE_ID || rule->flavour == FLAVOUR_NODE_ID;
    must(policy_explain(policy, 0, &names, raw, trusted, count_one, &explained) == RESULT_OK);
    enum result result =
        policy_match(policy, 0, &names, raw, trusted, rule->identity, &authorised, &fault);
    if (result == RESULT_OK)
        must(authorised.identity[0] != '\0' && explained > 0);
    else
        must(fault.alert != FAULT_NO_ALERT);
    if (!raw && rule->flavour != FLAVOUR_AE_ID)
        must(explained > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy CLEANUP(auto_policy_free) = NULL;

    fuzz_begin();
    unsigned count = write_files(bytes_of(data, size));
    enum result result = policy_load(fuzz_path("policies/policy.json"), &policy, &report);
    remove_drop_ins(count);
    must((result == RESULT_OK) == (policy != NULL) && (policy != NULL) == (report.faults == 0));
    for (size_t i = 0; policy && i < policy->rule_count && i < 16; i++)
        match(policy, &policy->rules[i]);
    return 0;
}
