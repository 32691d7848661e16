/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "initiators": who may establish a key (TS-0003 8.1.2.5). */
#include <string.h>

#include "policy_load/canonical.h"
#include "policy_load/sections.h"

#define FIELD(name) .offset = offsetof(struct policy_rule, name)

static const struct form domain_name = {identifier_is_sp_id,
    "a domain name such as mn-cse.m2m.example, whole: there are no wildcards", settle_lower};
static const struct form node_id = {
    form_node_id, "an M2M-Node-ID as in the certificate: there are no wildcards", settle_node_id};
static const struct form device_id = {
    form_device_id, "a dotted object identifier such as 0.2.481.1.100.3030.10011", NULL};
static const struct form public_key_id = {form_public_key_id,
    "a public key identifier: ni:///sha-256;..., ni:///sha-256-128;... or ni:///sha-256-120;...",
    settle_public_key_id};

static void read_flavour(struct reader *reader, const struct spot *spot, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    if (!reader_expect(reader, spot, value, JSON_STRING))
        return;
    const int flavour = flavour_from_name(json_string_value(value));
    if (flavour < 0)
        reader_fault(reader, spot, "\"%.64s\" is not a flavour: %s", json_string_value(value),
            flavour_names());
    else
        *(enum flavour *)field = (enum flavour)flavour;
}

static void read_trust_name(struct reader *reader, const struct spot *spot, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    if (!reader_expect(reader, spot, value, JSON_STRING))
        return;
    const char *name = json_string_value(value);
    for (size_t i = 0; i < reader->policy->trust_count; i++) {
        const char *known = reader->policy->trust[i].name;
        if (!known || strcmp(known, name) != 0)
            continue;
        *(int *)field = (int)i;
        return;
    }
    reader_fault(reader, spot, "\"%.64s\": no entry of trust has this name", name);
}

/* The bit of the end-point that VALUE names; 0 after a fault. */
static uint64_t endpoint_bit(struct reader *reader, const struct spot *spot, const json_t *value)
{
    if (!reader_expect(reader, spot, value, JSON_STRING))
        return 0;
    const char *name = json_string_value(value);
    for (size_t i = 0; i < reader->policy->endpoint_count; i++) {
        const char *known = reader->policy->endpoints[i].name;
        if (known && strcmp(known, name) == 0)
            return UINT64_C(1) << i;
    }
    reader_fault(reader, spot, "\"%.64s\": no entry of endpoints has this name", name);
    return 0;
}

static void read_endpoint_names(struct reader *reader, const struct spot *spot, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    uint64_t *endpoints = field;
    const size_t count = reader_array(reader, spot, value, 1, POLICY_ENDPOINTS_MAX);
    *endpoints = 0;
    for (size_t i = 0; i < count; i++) {
        const struct spot below = {.above = spot, .index = i};
        const uint64_t bit = endpoint_bit(reader, &below, json_array_get(value, i));
        if (*endpoints & bit)
            reader_fault(reader, &below, "is listed twice");
        *endpoints |= bit;
    }
}

/* A rule must say what its flavour is matched by, and nothing that another's is. */
static void check_match(
    struct reader *reader, const struct spot *spot, const json_t *value, enum flavour flavour)
{
    for (size_t i = 0; i < FLAVOUR_COUNT; i++) {
        const char *member = flavour_member((enum flavour)i);
        if (!member)
            continue;
        const struct spot below = {.above = spot, .member = member};
        const bool stated = json_object_get(value, member);
        if (stated && i != flavour)
            reader_fault(reader, &below, "belongs to flavour %s, not %s",
                flavour_name((enum flavour)i), flavour_name(flavour));
        else if (!stated && i == flavour)
            reader_fault(
                reader, &below, "is missing: flavour %s is matched by it", flavour_name(flavour));
    }
}

static void check_trust(
    struct reader *reader, const struct spot *spot, const json_t *value, enum flavour flavour)
{
    const struct spot below = {.above = spot, .member = "trust"};
    const bool raw = flavour == FLAVOUR_RAW_PUBLIC_KEY;
    const bool stated = json_object_get(value, "trust");
    if (raw && stated)
        reader_fault(reader, &below, "a raw public key has no issuer: leave trust out");
    else if (!raw && !stated)
        reader_fault(reader, &below, "is missing: name the trust domain of the certificate");
}

static void check_identity(
    struct reader *reader, const struct spot *spot, const struct policy_rule *rule)
{
    if (!rule->identity || !*rule->identity ||
        flavour_takes_identity(rule->flavour, rule->identity))
        return;
    reader_fault(reader, &(struct spot){.above = spot, .member = "identity"},
        "\"%.128s\": flavour %s takes %s", rule->identity, flavour_name(rule->flavour),
        flavour_identity_form(rule->flavour));
}

void read_rule(struct reader *reader, const struct spot *spot, json_t *value,
    const struct member *member, void *entry)
{
    static const struct form identity = {identifier_is_pattern,
        "an absolute identifier (//SP/CSE, //SP/CSE/Cxxx or //SP/Sxxx) or a pattern (//SP/CSE/*)",
        settle_identity};
    static const struct member members[] = {
        {"flavour", read_flavour, FIELD(flavour), true},
        {"identity", read_text, FIELD(identity), true, .form = &identity},
        {"domainName", read_text, FIELD(match), .form = &domain_name},
        {"nodeId", read_text, FIELD(match), .form = &node_id},
        {"deviceId", read_text, FIELD(match), .form = &device_id},
        {"publicKeyId", read_text, FIELD(match), .form = &public_key_id},
        {"trust", read_trust_name, FIELD(trust)},
        {"endpoints", read_endpoint_names, FIELD(endpoints)},
        {"keyLifetime", read_number, FIELD(lifetime_s), .least = 1, .most = POLICY_LIFETIME_MAX_S},
    };
    (void)member;
    struct policy_rule *rule = entry;
    rule->flavour = FLAVOUR_COUNT;
    rule->trust = -1;
    rule->endpoints = UINT64_MAX;
    rule->lifetime_s = reader->policy->keys.lifetime_s;
    read_members(reader, spot, value, members, rule);
    if (rule->flavour == FLAVOUR_COUNT)
        return;
    check_match(reader, spot, value, rule->flavour);
    check_trust(reader, spot, value, rule->flavour);
    check_identity(reader, spot, rule);
    if (!flavour_member(rule->flavour))
        rule->match = rule->identity;
}
