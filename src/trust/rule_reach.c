/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/rule_reach.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "x509/constraints.h"
#include "x509/der.h"
#include "x509/general_name.h"

#define POINTER_OCTETS 256

static struct source_position place_of(const struct policy_rule *rule, char pointer[POINTER_OCTETS])
{
    const char *member = flavour_member(rule->flavour);
    snprintf(pointer, POINTER_OCTETS, "%s/%s", rule->place.pointer, member ? member : "identity");
    return (struct source_position){.file = rule->place.file, .pointer = pointer};
}

/* Writes RULE's name as a certificate has it, a device id into STORAGE. Returns false for a device
 * id whose OID lies outside DEVICE_ARC_TEXT, which no certificate can have. */
static bool name_of(
    const struct policy_rule *rule, uint8_t storage[DEVICE_NAME_OCTETS], struct general_name *out)
{
    out->form = GENERAL_NAME_URI; /* also for a pattern: constraints only compare its host */
    out->value = bytes_of_string(rule->match);
    if (rule->flavour == FLAVOUR_DEVICE) {
        out->form = GENERAL_NAME_OTHER;
        return device_name_write(rule->match, storage, &out->value);
    }
    if (rule->flavour == FLAVOUR_CSE_ID || dns_name_is_valid(out->value))
        out->form = GENERAL_NAME_DNS;
    return true;
}

static bool some_anchor_permits(const struct trust_domain *domain, const struct general_name *name)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        struct bytes constraints = domain->anchors[i].certificate.name_constraints;
        if (constraints.size == 0 || constraints_permit(constraints, name))
            return true;
    }
    return false;
}

static void check_rule(
    const struct policy_rule *rule, const struct trust_domain *domain, struct report *report)
{
    uint8_t storage[DEVICE_NAME_OCTETS];
    char pointer[POINTER_OCTETS];
    const struct source_position place = place_of(rule, pointer);
    struct general_name name;
    if (!name_of(rule, storage, &name))
        report_warning(report, &place,
            "%s is not below " DEVICE_ARC_TEXT ", where device ids are: this rule admits nobody",
            rule->match);
    else if (!some_anchor_permits(domain, &name))
        report_fault(report, &place,
            "%s is outside the name constraints of every anchor of trust domain %s", rule->match,
            domain->name);
}

void reach_check(
    const struct policy *policy, const struct trust_domain *domains, struct report *report)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].trust >= 0)
            check_rule(&policy->rules[i], &domains[policy->rules[i].trust], report);
}
