/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/index.h"

#include <stdio.h>
#include <string.h>

#include "identity/public_key_id.h"
#include "policy/texts.h"

/* 120 bits in base64url, with which the digests in all forms of identifier begin. */
#define RAW_KEY_CHARACTERS 20

struct index_entry {
    enum flavour flavour;
    const char *key; /* what the certificate must say; of a public key identifier, see raw_key */
    const struct policy_rule *rule;
};

struct rule_index {
    size_t count;
    struct index_entry *entries; /* sorted by flavour, then by key, then as in the policy */
    size_t identity_count;
    const char **identities; /* that the rules give, sorted; NULL in the index of a list */
};

static int compare_keys(const struct index_entry *a, const struct index_entry *b)
{
    if (a->flavour != b->flavour)
        return a->flavour < b->flavour ? -1 : 1;
    const size_t most = a->flavour == FLAVOUR_RAW_PUBLIC_KEY ? RAW_KEY_CHARACTERS : NAME_OCTETS;
    return strncmp(a->key, b->key, most);
}

static int compare_entries(const void *left, const void *right)
{
    const struct index_entry *a = left, *b = right;
    const int keys = compare_keys(a, b);
    return keys != 0 ? keys : (a->rule > b->rule) - (a->rule < b->rule);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The digest in a public key identifier ("ni:///sha-256;DIGEST"). */
static const char *raw_key(const char *public_key_id)
{
    return strchr(public_key_id, ';') + 1;
}

/* The index of COUNT rules in ENTRIES, which has room for as many. */
static struct rule_index index_of(
    const struct policy_rule *rules, size_t count, struct index_entry *entries)
{
    struct rule_index index = {.entries = entries};
    for (size_t i = 0; i < count; i++) {
        const struct policy_rule *rule = &rules[i];
        if (rule->flavour == FLAVOUR_COUNT || !rule->match || !*rule->match)
            continue; /* the reader has reported its fault */
        const bool raw = rule->flavour == FLAVOUR_RAW_PUBLIC_KEY;
        if (raw && !strchr(rule->match, ';'))
            continue; /* the text of another flavour, which was reported as well */
        entries[index.count++] = (struct index_entry){
            .flavour = rule->flavour,
            .key = raw ? raw_key(rule->match) : rule->match,
            .rule = rule,
        };
    }
    qsort(entries, index.count, sizeof(struct index_entry), compare_entries);
    return index;
}

bool rule_index_build(struct policy *policy)
{
    struct rule_index *index = texts_array(policy->texts, 1, sizeof(*index));
    struct index_entry *entries =
        texts_array(policy->texts, policy->rule_count, sizeof(struct index_entry));
    const char **identities = texts_array(policy->texts, policy->rule_count + 1, sizeof(char *));
    if (!index || !entries || !identities)
        return false;
    *index = index_of(policy->rules, policy->rule_count, entries);
    index->identities = identities;
    for (size_t i = 0; i < index->count; i++)
        if (entries[i].rule->identity) /* else the reader has reported it */
            identities[index->identity_count++] = entries[i].rule->identity;
    qsort(identities, index->identity_count, sizeof(char *), compare_texts);
    policy->index = index;
    return true;
}

/* A call of rule_index_visit or rule_list_visit. */
struct visitor {
    const struct rule_index *index;
    visit_rule *visit;
    void *context;
};

/* Visits the rules of FLAVOUR that KEY leads to, and tells the visitor that NAME is their name. */
static void visit_key(
    const struct visitor *visitor, enum flavour flavour, const char *key, const char *name)
{
    const struct index_entry sought = {.flavour = flavour, .key = key};
    const struct index_entry *entries = visitor->index->entries;
    size_t low = 0, high = visitor->index->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_keys(&entries[middle], &sought) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < visitor->index->count && compare_keys(&entries[low], &sought) == 0; low++)
        if (!visitor->visit(entries[low].rule, name, visitor->context))
            return;
}

/* Finds the absolute identifier in a URI of a certificate. Some authorities issue it with a scheme
 * before it: "coap://SP/CSE/Cxxx". Returns false if there is none. */
static bool identifier_in_uri(const char *uri, char absolute[IDENTIFIER_OCTETS])
{
    const char *start = identifier_of_uri(uri);
    return identifier_is_absolute(start) &&
           identifier_absolute("", "", start, absolute, NULL) == RESULT_OK;
}

/* The pattern that stands for ABSOLUTE: an asterisk takes the place of its last segment. */
static void make_pattern(const char *absolute, char pattern[IDENTIFIER_OCTETS])
{
    snprintf(pattern, IDENTIFIER_OCTETS, "%.*s*", (int)(strrchr(absolute, '/') + 1 - absolute),
        absolute);
}

static void visit_uri(const struct visitor *visitor, const char *uri)
{
    visit_key(visitor, FLAVOUR_NODE_ID, uri, uri);
    char absolute[IDENTIFIER_OCTETS], pattern[IDENTIFIER_OCTETS];
    if (!identifier_in_uri(uri, absolute))
        return;
    visit_key(visitor, FLAVOUR_AE_ID, absolute, absolute);
    if (!identifier_is_ae_id(absolute))
        return; /* a pattern stands for AEs alone */
    make_pattern(absolute, pattern);
    visit_key(visitor, FLAVOUR_AE_ID, pattern, absolute);
}

static void visit_names(
    const struct visitor *visitor, const struct names *names, bool raw_public_key)
{
    if (raw_public_key) {
        char id[PUBLIC_KEY_ID_OCTETS];
        public_key_id_format(PUBLIC_KEY_ID_SHA_256, names->spki_digest, id);
        visit_key(visitor, FLAVOUR_RAW_PUBLIC_KEY, raw_key(id), id);
        return;
    }
    for (size_t i = 0; i < names->dns.count; i++) {
        visit_key(visitor, FLAVOUR_CSE_ID, names->dns.name[i], names->dns.name[i]);
        visit_key(visitor, FLAVOUR_NODE_ID, names->dns.name[i], names->dns.name[i]);
    }
    for (size_t i = 0; i < names->uri.count; i++)
        visit_uri(visitor, names->uri.name[i]);
    for (size_t i = 0; i < names->device.count; i++)
        visit_key(visitor, FLAVOUR_DEVICE, names->device.name[i], names->device.name[i]);
}

void rule_index_visit(const struct policy *policy, const struct names *names, bool raw_public_key,
    visit_rule *visit, void *context)
{
    const struct visitor visitor = {policy->index, visit, context};
    visit_names(&visitor, names, raw_public_key);
}

void rule_list_visit(const struct policy_rule *rules, size_t count, const struct names *names,
    bool raw_public_key, visit_rule *visit, void *context)
{
    struct index_entry entries[RULE_LIST_MAX];
    const struct rule_index index =
        index_of(rules, count < RULE_LIST_MAX ? count : RULE_LIST_MAX, entries);
    const struct visitor visitor = {&index, visit, context};
    visit_names(&visitor, names, raw_public_key);
}

static bool has_identity(const struct rule_index *index, const char *identity)
{
    return bsearch(
        &identity, index->identities, index->identity_count, sizeof(char *), compare_texts);
}

bool rule_index_gives(const struct policy *policy, const char *identity)
{
    char pattern[IDENTIFIER_OCTETS];
    if (has_identity(policy->index, identity))
        return true;
    if (!identifier_is_ae_id(identity)) /* a pattern gives AE-IDs alone */
        return false;
    make_pattern(identity, pattern);
    return has_identity(policy->index, pattern);
}
