/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index: rules sorted by flavour and by what the certificate must say. */
#include "policy/index.h"

#include <stdio.h>
#include <string.h>

#include "identity/public_key_id.h"
#include "policy/match.h"

#define RAW_KEY_CHARACTERS 20 /* 120 bits in base64url: the common start of all three forms */

struct entry {
    enum flavour flavour;
    const char *key;
    const struct policy_rule *rule; /* NULL in what is searched for: comes before all rules */
};

struct rule_index {
    size_t count;
    struct entry entries[];
};

static int compare_keys(const struct entry *a, const struct entry *b)
{
    if (a->flavour != b->flavour)
        return a->flavour < b->flavour ? -1 : 1;
    const size_t most = a->flavour == FLAVOUR_RAW_PUBLIC_KEY ? RAW_KEY_CHARACTERS : NAME_OCTETS;
    return strncmp(a->key, b->key, most);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const int keys = compare_keys(a, b);
    return keys != 0 ? keys : (a->rule > b->rule) - (a->rule < b->rule);
}

/* What stands after the algorithm's name in a public key identifier. */
static const char *raw_key(const char *public_key_id)
{
    return strchr(public_key_id, ';') + 1;
}

enum result rule_index_build(struct policy *policy)
{
    struct rule_index *index =
        calloc(1, sizeof(*index) + policy->rule_count * sizeof(struct entry));
    if (!index)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct policy_rule *rule = &policy->rules[i];
        if (rule->flavour == FLAVOUR_COUNT || !rule->match || !*rule->match)
            continue; /* faulty, and reported */
        const bool raw = rule->flavour == FLAVOUR_RAW_PUBLIC_KEY;
        if (raw && !strchr(rule->match, ';'))
            continue;
        index->entries[index->count++] = (struct entry){
            .flavour = rule->flavour,
            .key = raw ? raw_key(rule->match) : rule->match,
            .rule = rule,
        };
    }
    qsort(index->entries, index->count, sizeof(struct entry), compare_entries);
    rule_index_free(policy->index);
    policy->index = index;
    return RESULT_OK;
}

void rule_index_free(struct rule_index *index)
{
    free(index);
}

struct visitor {
    const struct rule_index *index;
    visit_rule *visit;
    void *context;
};

static void visit_key(
    const struct visitor *visitor, enum flavour flavour, const char *key, const char *name)
{
    const struct entry sought = {.flavour = flavour, .key = key};
    const struct entry *entries = visitor->index->entries;
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

/* An Absolute-AE-ID, which some authorities issue with a scheme before it: "coap://SP/CSE/Cxxx". */
static bool ae_id_of_uri(const char *uri, char absolute[IDENTIFIER_OCTETS])
{
    const char *start = identifier_of_uri(uri);
    return identifier_is_ae_id(start) &&
           identifier_absolute("", "", start, absolute, NULL) == RESULT_OK;
}

static void visit_uri(const struct visitor *visitor, const char *uri)
{
    visit_key(visitor, FLAVOUR_NODE_ID, uri, uri);
    char absolute[IDENTIFIER_OCTETS], pattern[IDENTIFIER_OCTETS];
    if (!ae_id_of_uri(uri, absolute))
        return;
    visit_key(visitor, FLAVOUR_AE_ID, absolute, absolute);
    snprintf(
        pattern, sizeof(pattern), "%.*s*", (int)(strrchr(absolute, '/') + 1 - absolute), absolute);
    visit_key(visitor, FLAVOUR_AE_ID, pattern, absolute);
}

void candidates_visit(const struct policy *policy, const struct names *names, bool raw_public_key,
    visit_rule *visit, void *context)
{
    const struct visitor visitor = {policy->index, visit, context};
    if (raw_public_key) {
        char id[PUBLIC_KEY_ID_OCTETS];
        public_key_id_format(PUBLIC_KEY_ID_SHA_256, names->spki_digest, id);
        visit_key(&visitor, FLAVOUR_RAW_PUBLIC_KEY, raw_key(id), id);
        return;
    }
    for (size_t i = 0; i < names->dns.count; i++) {
        visit_key(&visitor, FLAVOUR_CSE_ID, names->dns.name[i], names->dns.name[i]);
        visit_key(&visitor, FLAVOUR_NODE_ID, names->dns.name[i], names->dns.name[i]);
    }
    for (size_t i = 0; i < names->uri.count; i++)
        visit_uri(&visitor, names->uri.name[i]);
    for (size_t i = 0; i < names->device.count; i++)
        visit_key(&visitor, FLAVOUR_DEVICE, names->device.name[i], names->device.name[i]);
}
