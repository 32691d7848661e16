/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/path_policies.h"

#include "x509/certificate_policies.h"

/* One depth of RFC 5280's valid_policy_tree. We only need to know whether the tree is empty, and it
 * is empty if and only if its lowest depth is. So only that is kept: the policies that the next
 * certificate may have. Policies for which there is no room are left out; that can lead to a
 * refusal, but never to an acceptance. */
struct policy_set {
    bool has_any; /* anyPolicy: the next certificate may have any */
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

/* 6.1.3 (d), (e): keeps of SET only what the certificate's POLICIES allow. */
static void keep_policies(struct policy_set *set, struct bytes policies, bool takes_any)
{
    struct policy_set before = *set;
    struct bytes policy, qualifiers;
    bool lists_any = false;
    *set = (struct policy_set){0};
    while (certificate_policy_take(&policies, &policy, &qualifiers)) {
        if (certificate_policy_is_any(policy))
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
    while (policy_mapping_take(&mappings, &from, &to)) {
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
    while (!is_inhibited && policy_mapping_take(&mappings, &from, &to)) {
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

bool path_policies_hold(const struct certificate *const *path, size_t length)
{
    const int none = (int)length; /* too much to be counted down to 0 */
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
