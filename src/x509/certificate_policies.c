/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/certificate_policies.h"

#include "x509/der.h"

static const uint8_t any_policy_octets[] = {0x55, 0x1d, 0x20, 0x00};
static const uint8_t cps_octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01};
static const uint8_t notice_octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x02};

static bool is_any_policy(struct bytes policy)
{
    return bytes_equal(policy, bytes_of(any_policy_octets, sizeof(any_policy_octets)));
}

/* --- the extensions --- */

/* PolicyInformation ::= SEQUENCE { policyIdentifier, policyQualifiers SEQUENCE OF OPTIONAL } */
static bool take_policy(struct bytes *in, struct bytes *policy, struct bytes *qualifiers)
{
    struct bytes information;
    return der_take_tag(in, DER_SEQUENCE, &information) &&
           der_take_tag(&information, DER_OID, policy) &&
           der_take_optional(&information, DER_SEQUENCE, qualifiers) && information.size == 0;
}

/* PolicyQualifierInfo ::= SEQUENCE { policyQualifierId, qualifier ANY } */
static bool take_qualifier(struct bytes *in, bool critical)
{
    struct bytes information, id;
    struct der qualifier;
    if (!der_take_tag(in, DER_SEQUENCE, &information) ||
        !der_take_tag(&information, DER_OID, &id) || !der_oid_is_valid(id) ||
        !der_take(&information, &qualifier) || information.size != 0)
        return false;
    if (bytes_equal(id, bytes_of(cps_octets, sizeof(cps_octets))))
        return qualifier.tag == DER_IA5_STRING;
    if (bytes_equal(id, bytes_of(notice_octets, sizeof(notice_octets))))
        return qualifier.tag == DER_SEQUENCE;
    return !critical;
}

static bool qualifiers_are_valid(struct bytes qualifiers, bool critical)
{
    bool is_empty = qualifiers.data && qualifiers.size == 0;
    while (qualifiers.size > 0) {
        if (!take_qualifier(&qualifiers, critical))
            return false;
    }
    return !is_empty;
}

static bool lists_policy(struct bytes policies, struct bytes policy)
{
    struct bytes other, qualifiers;
    while (take_policy(&policies, &other, &qualifiers)) {
        if (bytes_equal(policy, other))
            return true;
    }
    return false;
}

bool certificate_policies_are_valid(struct bytes policies, bool critical)
{
    struct bytes rest = policies, policy, qualifiers;
    for (size_t count = 0; rest.size > 0; count++) {
        size_t before = policies.size - rest.size;
        if (count == CERTIFICATE_POLICIES_MAX || !take_policy(&rest, &policy, &qualifiers) ||
            !der_oid_is_valid(policy) || !qualifiers_are_valid(qualifiers, critical) ||
            lists_policy(bytes_of(policies.data, before), policy))
            return false;
    }
    return policies.size > 0;
}

/* SEQUENCE { issuerDomainPolicy, subjectDomainPolicy } */
static bool take_mapping(struct bytes *in, struct bytes *from, struct bytes *to)
{
    struct bytes mapping;
    return der_take_tag(in, DER_SEQUENCE, &mapping) && der_take_tag(&mapping, DER_OID, from) &&
           der_take_tag(&mapping, DER_OID, to) && mapping.size == 0;
}

bool policy_mappings_are_valid(struct bytes mappings)
{
    struct bytes rest = mappings, from, to;
    while (rest.size > 0) {
        if (!take_mapping(&rest, &from, &to) || !der_oid_is_valid(from) || !der_oid_is_valid(to) ||
            is_any_policy(from) || is_any_policy(to))
            return false;
    }
    return mappings.size > 0;
}

/* --- the path --- */

/* One depth of RFC 5280's valid_policy_tree. We only need to know whether the tree is empty, and a
 * depth of it is empty if and only if the whole tree is; so no more of it is kept than which
 * policies the next certificate may have. What does not fit is left out, which can only refuse. */
struct policy_set {
    bool has_any; /* anyPolicy: whatever the next certificate says */
    size_t count;
    struct bytes policies[CERTIFICATE_POLICIES_MAX];
};

static bool has(const struct policy_set *set, struct bytes policy)
{
    for (size_t i = 0; i < set->count; i++) {
        if (bytes_equal(set->policies[i], policy))
            return true;
    }
    return false;
}

static void add(struct policy_set *set, struct bytes policy)
{
    if (set->count < CERTIFICATE_POLICIES_MAX && !has(set, policy))
        set->policies[set->count++] = policy;
}

/* The state variables of RFC 5280 6.1.2 (d), (e), (f): each is how many certificates that are not
 * self-issued may still follow before it takes effect. */
struct policy_state {
    struct policy_set set;
    int explicit_policy, policy_mapping, inhibit_any;
};

/* 6.1.3 (d), (e): what of SET the certificate keeps. */
static void keep_policies(struct policy_set *set, struct bytes policies, bool takes_any)
{
    struct policy_set before = *set;
    struct bytes policy, qualifiers;
    bool lists_any = false;
    *set = (struct policy_set){0};
    while (take_policy(&policies, &policy, &qualifiers)) {
        if (is_any_policy(policy))
            lists_any = true;
        else if (before.has_any || has(&before, policy))
            add(set, policy);
    }
    if (!lists_any || !takes_any)
        return;
    set->has_any = before.has_any;
    for (size_t i = 0; i < before.count; i++)
        add(set, before.policies[i]);
}

static bool is_mapped(struct bytes mappings, struct bytes policy)
{
    struct bytes from, to;
    while (take_mapping(&mappings, &from, &to)) {
        if (bytes_equal(from, policy))
            return true;
    }
    return false;
}

/* 6.1.4 (b): a mapped policy makes way for what it is mapped to or, when mapping is inhibited, for
 * nothing. */
static void map_policies(struct policy_set *set, struct bytes mappings, bool is_inhibited)
{
    struct policy_set before = *set;
    struct bytes from, to;
    *set = (struct policy_set){.has_any = before.has_any};
    for (size_t i = 0; i < before.count; i++) {
        if (!is_mapped(mappings, before.policies[i]))
            add(set, before.policies[i]);
    }
    while (!is_inhibited && take_mapping(&mappings, &from, &to)) {
        if (before.has_any || has(&before, from))
            add(set, to);
    }
}

static void lower(int *value, int bound)
{
    if (bound >= 0 && bound < *value)
        *value = bound;
}

/* 6.1.4 (i), (j), 6.1.5 (b) */
static void apply_constraints(struct policy_state *state, const struct certificate *certificate)
{
    lower(&state->explicit_policy, certificate->require_explicit_policy);
    lower(&state->policy_mapping, certificate->inhibit_policy_mapping);
    lower(&state->inhibit_any, certificate->inhibit_any_policy);
}

/* 6.1.4 (h), 6.1.5 (a) */
static void count_down(int *value)
{
    *value -= *value > 0 ? 1 : 0;
}

static bool lacks_policy(const struct policy_state *state)
{
    return state->explicit_policy == 0 && !state->set.has_any && state->set.count == 0;
}

bool certificate_policies_hold(const struct certificate *const *path, size_t length)
{
    const int none = (int)length; /* is never counted down to 0 */
    struct policy_state state = {
        .set.has_any = true, .explicit_policy = none, .policy_mapping = none, .inhibit_any = none};
    apply_constraints(&state, path[0]);
    for (size_t i = 1; i < length; i++) {
        const struct certificate *certificate = path[i];
        bool is_leaf = i + 1 == length, is_self_issued = certificate_is_self_issued(certificate);
        keep_policies(&state.set, certificate->policies,
            state.inhibit_any > 0 || (!is_leaf && is_self_issued));
        if (lacks_policy(&state)) /* 6.1.3 (f) */
            return false;
        if (!is_leaf)
            map_policies(&state.set, certificate->policy_mappings, state.policy_mapping == 0);
        if (!is_self_issued || is_leaf) {
            count_down(&state.explicit_policy);
            count_down(&state.policy_mapping);
            count_down(&state.inhibit_any);
        }
        apply_constraints(&state, certificate);
    }
    return !lacks_policy(&state); /* 6.1.5 (g) */
}
