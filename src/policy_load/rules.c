/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section "initiators": who may establish a key (TS-0003 8.1.2.5). */
#include <string.h>

#include "policy_load/canonical.h"
#include "policy_load/sections.h"

#define FIELD(name) .offset = offsetof(struct policy_rule, name)

static const struct text_format domain_name = {identifier_is_sp_id,
    "a domain name such as mn-cse.m2m.example, whole: there are no wildcards",
    canonical_domain_name};
static const struct text_format node_id = {valid_node_id,
    "an M2M-Node-ID as in the certificate: there are no wildcards", canonical_node_id};
static const struct text_format device_id = {
    valid_device_id, "a dotted object identifier such as 0.2.481.1.100.3030.10011", NULL};
static const struct text_format public_key_id = {valid_public_key_id,
    "a public key identifier: ni:///sha-256;..., ni:///sha-256-128;... or ni:///sha-256-120;...",
    canonical_public_key_id};

static void read_flavour(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    if (!reader_expect(reader, position, value, JSON_STRING))
        return;
    const int flavour = flavour_from_name(json_string_value(value));
    if (flavour < 0)
        reader_fault(reader, position, "\"%.64s\" is not a flavour: %s", json_string_value(value),
            flavour_names());
    else
        *(enum flavour *)field = (enum flavour)flavour;
}

static void read_trust_name(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    (void)member;
    if (!reader_expect(reader, position, value, JSON_STRING))
        return;
    const char *name = json_string_value(value);
    for (size_t i = 0; i < reader->policy->trust_count; i++) {
        const char *known = reader->policy->trust[i].name;
        if (!known || strcmp(known, name) != 0)
            continue;
        *(int *)field = (int)i;
        return;
    }
    reader_fault(reader, position, "\"%.64s\": no entry of trust has this name", name);
}

/* Returns the bit of the end-point whose name is VALUE; 0 after a fault. */
static uint64_t endpoint_bit(
    struct reader *reader, const struct json_position *position, const json_t *value)
{
    if (!reader_expect(reader, position, value, JSON_STRING))
        return 0;
    const char *name = json_string_value(value);
    for (size_t i = 0; i < reader->policy->endpoint_count; i++) {
        const char *known = reader->policy->endpoints[i].name;
        if (known && strcmp(known, name) == 0)
            return UINT64_C(1) << i;
    }
    reader_fault(reader, position, "\"%.64s\": no entry of endpoints has this name", name);
    return 0;
}

static void read_endpoint_names(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    uint64_t *endpoints = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    *endpoints = 0;
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        const uint64_t bit = endpoint_bit(reader, &below, json_array_get(value, i));
        if (*endpoints & bit)
            reader_fault(reader, &below, "is listed twice");
        *endpoints |= bit;
    }
}

/* A rule must have the member by which its flavour is matched, and none of other flavours. */
static void check_match(struct reader *reader, const struct json_position *position,
    const json_t *value, enum flavour flavour)
{
    for (size_t i = 0; i < FLAVOUR_COUNT; i++) {
        const char *member = flavour_member((enum flavour)i);
        if (!member)
            continue;
        const struct json_position below = {.parent = position, .member = member};
        const bool stated = json_object_get(value, member);
        if (stated && i != flavour)
            reader_fault(reader, &below, "belongs to flavour %s, not %s",
                flavour_name((enum flavour)i), flavour_name(flavour));
        else if (!stated && i == flavour)
            reader_fault(
                reader, &below, "is missing: flavour %s is matched by it", flavour_name(flavour));
    }
}

static void check_trust(struct reader *reader, const struct json_position *position,
    const json_t *value, enum flavour flavour)
{
    const struct json_position below = {.parent = position, .member = "trust"};
    const bool raw = flavour == FLAVOUR_RAW_PUBLIC_KEY;
    const bool stated = json_object_get(value, "trust");
    if (raw && stated)
        reader_fault(reader, &below, "a raw public key has no issuer: leave trust out");
    else if (!raw && !stated)
        reader_fault(reader, &below, "is missing: name the trust domain of the certificate");
}

static void check_identity(
    struct reader *reader, const struct json_position *position, const struct policy_rule *rule)
{
    if (!rule->identity || !*rule->identity ||
        flavour_takes_identity(rule->flavour, rule->identity))
        return;
    reader_fault(reader, &(struct json_position){.parent = position, .member = "identity"},
        "\"%.128s\": flavour %s takes %s", rule->identity, flavour_name(rule->flavour),
        flavour_identity_form(rule->flavour));
}

static const struct text_format rule_identity = {identifier_is_pattern,
    "an absolute identifier (//SP/CSE, //SP/CSE/Cxxx or //SP/Sxxx) or a pattern (//SP/CSE/*)",
    canonical_identity};

static const struct member rule_members[] = {
    {"flavour", read_flavour, FIELD(flavour), true},
    {"identity", read_text, FIELD(identity), true, .format = &rule_identity},
    {"domainName", read_text, FIELD(match), .format = &domain_name},
    {"nodeId", read_text, FIELD(match), .format = &node_id},
    {"deviceId", read_text, FIELD(match), .format = &device_id},
    {"publicKeyId", read_text, FIELD(match), .format = &public_key_id},
    {"trust", read_trust_name, FIELD(trust)},
    {"endpoints", read_endpoint_names, FIELD(endpoints), .least = 1, .most = POLICY_ENDPOINTS_MAX},
    {"keyLifetime", read_number, FIELD(lifetime_s), .least = 1, .most = POLICY_LIFETIME_MAX_S},
};

static void read_rule(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry)
{
    struct policy_rule *rule = entry;
    rule->flavour = FLAVOUR_COUNT;
    rule->trust = -1;
    rule->endpoints = UINT64_MAX;
    rule->lifetime_s = reader->policy->keys.lifetime_s;
    read_members(reader, position, value, MEMBERS(rule_members), rule);
    if (rule->flavour == FLAVOUR_COUNT)
        return;
    check_match(reader, position, value, rule->flavour);
    check_trust(reader, position, value, rule->flavour);
    check_identity(reader, position, rule);
    if (!flavour_member(rule->flavour))
        rule->match = rule->identity;
}

const struct section initiators_section = {"initiators", MEMBERS(rule_members),
    offsetof(struct policy, rules), read_rule, sizeof(struct policy_rule), POLICY_RULES_MAX,
    offsetof(struct policy, rule_count)};
