/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/match.h"

#include <stdio.h>
#include <string.h>

#include "base/alert.h"
#include "identity/public_key_id.h"
#include "policy/index.h"

/* A call of policy_match. */
struct rule_search {
    const struct names *names;
    size_t endpoint;
    uint64_t trusted;
    const char *from;
    bool named;   /* some rule has a name of the certificate */
    bool matched; /* some such rule has a trust domain under which the certificate is valid */
    int rank;     /* of best, as rank_of gives it; 0 while there is none */
    struct authorisation best;
};

/* TS-0003 8.1.2.5: a certificate needs a valid path, and a raw public key has to have the digest in
 * the rule's public key identifier. */
static bool is_valid_for(const struct policy_rule *rule, const struct rule_search *search)
{
    if (rule->flavour != FLAVOUR_RAW_PUBLIC_KEY)
        return search->trusted >> rule->trust & 1;
    struct public_key_id id;
    return public_key_id_parse(rule->match, &id) &&
           public_key_id_matches(&id, search->names->spki_digest);
}

/* Ranks RULE, which gives IDENTITY to this initiator: of several rules, that of the highest rank is
 * applied. */
static int rank_of(const struct policy_rule *rule, const char *identity, const char *from)
{
    return 1 + (strcmp(identity, from) == 0 ? 2 : 0) + (policy_rule_is_pattern(rule) ? 0 : 1);
}

/* Keeps RULE in the search (CONTEXT) if it is better than the best one so far. */
static bool consider(const struct policy_rule *rule, const char *name, void *context)
{
    struct rule_search *search = context;
    search->named = true;
    if (!is_valid_for(rule, search))
        return true;
    search->matched = true;
    if (!(rule->endpoints >> search->endpoint & 1))
        return true;
    const char *identity = policy_rule_is_pattern(rule) ? name : rule->identity;
    const int rank = rank_of(rule, identity, search->from);
    if (rank < search->rank || (rank == search->rank && rule > search->best.rule))
        return true;
    search->rank = rank;
    search->best.rule = rule;
    snprintf(search->best.identity, sizeof(search->best.identity), "%s", identity);
    return true;
}

struct certificate_types policy_types_taken(const struct policy *policy, size_t endpoint)
{
    struct certificate_types types = {0};
    for (size_t i = 0; i < policy->rule_count; i++) {
        const bool raw = policy->rules[i].flavour == FLAVOUR_RAW_PUBLIC_KEY;
        if (policy->rules[i].endpoints >> endpoint & 1)
            *(raw ? &types.raw_public_key : &types.x509) = true;
    }
    types.x509 |= !types.raw_public_key;
    return types;
}

enum result policy_check_from(const struct policy *policy, const char *from, struct fault *fault)
{
    return rule_index_gives(policy, from) ? RESULT_OK
                                          : fault_set_alert(fault, RESULT_NOT_AUTHORISED,
                                                TLS_ALERT_ACCESS_DENIED, "no rule is for %s", from);
}

/* A name of the certificate for messages to people. ID has PUBLIC_KEY_ID_OCTETS for its text. */
static const char *first_name(const struct names *names, bool raw_public_key, char *id)
{
    if (raw_public_key) {
        public_key_id_format(PUBLIC_KEY_ID_SHA_256, names->spki_digest, id);
        return id;
    }
    const struct name_list *const lists[] = {&names->uri, &names->dns, &names->device};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (lists[i]->count > 0)
            return lists[i]->name[0];
    return "no name that we know";
}

/* There is no best rule. EXPECTED: who it should have been, if it is known. */
static enum result refuse(const struct rule_search *search, bool raw_public_key,
    const char *expected, struct fault *fault)
{
    char id[PUBLIC_KEY_ID_OCTETS];
    const char *name = first_name(search->names, raw_public_key, id);
    if (search->matched)
        return fault_set_alert(fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
            "\"%.128s\" may not establish keys with this end-point", name);
    if (search->named && !raw_public_key)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "\"%.128s\" is certified, but not by an authority trusted for it", name);
    if (expected && raw_public_key)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "the terminating end-point has another raw public key: %s", name);
    if (expected)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "the terminating end-point's certificate does not stand for %s", expected);
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "no rule matches this %s (%.128s)", raw_public_key ? "public key" : "certificate", name);
}

enum result policy_match(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, const char *from, struct authorisation *out,
    struct fault *fault)
{
    struct rule_search search = {
        .names = names, .endpoint = endpoint, .trusted = trusted, .from = from};
    rule_index_visit(policy, names, raw_public_key, consider, &search);
    if (!search.best.rule)
        return refuse(&search, raw_public_key, NULL, fault);
    *out = search.best;
    return RESULT_OK;
}

enum result policy_match_expected(const struct policy_rule *expected, size_t count, size_t endpoint,
    const struct names *names, bool raw_public_key, uint64_t trusted, struct authorisation *out,
    struct fault *fault)
{
    const char *identity = expected[0].identity;
    struct rule_search search = {
        .names = names, .endpoint = endpoint, .trusted = trusted, .from = identity};
    rule_list_visit(expected, count, names, raw_public_key, consider, &search);
    if (!search.best.rule || strcmp(search.best.identity, identity) != 0)
        return refuse(&search, raw_public_key, identity, fault);
    *out = search.best;
    return RESULT_OK;
}
