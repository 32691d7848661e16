/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a match costs, in rules that are looked at: however many there are. */
#include "policy/index.h"

#include <string.h>

#include "identity/public_key_id.h"
#include "policy/texts.h"
#include "support/check_main.h"

static char ids[POLICY_RULES_MAX][PUBLIC_KEY_ID_OCTETS];
static struct policy_rule *rules;
static struct names names;

/* Distinct in their first octets, as digests are. */
static void number_key(uint32_t number)
{
    memset(names.spki_digest, 0, sizeof(names.spki_digest));
    memcpy(names.spki_digest, &number, sizeof(number));
}

/* COUNT rules for raw public keys, with each form of identifier in turn. */
static void make_rules(struct policy *policy, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        number_key(i);
        public_key_id_format(
            (enum public_key_id_kind)(i % PUBLIC_KEY_ID_KINDS), names.spki_digest, ids[i]);
        rules[i] = (struct policy_rule){
            .flavour = FLAVOUR_RAW_PUBLIC_KEY, .identity = ids[i], .match = ids[i], .trust = -1};
    }
    *policy = (struct policy){.rules = rules, .rule_count = count, .texts = texts_new()};
    ck_assert_ptr_nonnull(policy->texts);
    ck_assert(rule_index_build(policy));
}

struct visit {
    const struct policy_rule *last;
    size_t count;
};

static bool count_visit(const struct policy_rule *rule, const char *name, void *context)
{
    struct visit *visit = context;

    ck_assert_ptr_nonnull(name);
    visit->last = rule;
    visit->count++;
    return true;
}

static struct visit visit_key(const struct policy *policy, uint32_t number)
{
    struct visit visit = {0};

    number_key(number);
    rule_index_visit(policy, &names, true, count_visit, &visit);
    return visit;
}

START_TEST(one_rule_is_looked_at_for_a_raw_public_key)
{
    static const uint32_t counts[] = {1, 10, 1000, POLICY_RULES_MAX};

    rules = calloc(POLICY_RULES_MAX, sizeof(*rules));
    ck_assert_ptr_nonnull(rules);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct policy policy;

        make_rules(&policy, counts[i]);
        for (uint32_t j = 0; j < counts[i]; j += counts[i] / 10 + 1) {
            struct visit visit = visit_key(&policy, j);

            ck_assert_uint_eq(visit.count, 1);
            ck_assert_ptr_eq(visit.last, &rules[j]);
        }
        ck_assert_uint_eq(visit_key(&policy, counts[i]).count, 0); /* nobody's */
        texts_free(policy.texts);
    }
    free(rules);
}
END_TEST

CHECK_MAIN("policy/index", one_rule_is_looked_at_for_a_raw_public_key)
