/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/check.h"

#include <stdio.h>
#include <string.h>

#include "base/listen_address.h"
#include "identity/public_key_id.h"
#include "policy/index.h"

#define POINTER_OCTETS 256

static void add_at(struct report *report, bool warning, const struct source_position *position,
    const char *member, const char *format, va_list arguments)
{
    char pointer[POINTER_OCTETS];
    snprintf(pointer, sizeof(pointer), "%s/%s", position->pointer, member);
    const struct source_position below = {.file = position->file, .pointer = pointer};
    report_add(report, warning, &below, format, arguments);
}

/* Both report at MEMBER of the object at POSITION. */
static void fault_at(struct report *report, const struct source_position *position,
    const char *member, const char *format, ...) PRINTF(4, 5);
static void fault_at(struct report *report, const struct source_position *position,
    const char *member, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_at(report, false, position, member, format, arguments);
    va_end(arguments);
}

static void warning_at(struct report *report, const struct source_position *position,
    const char *member, const char *format, ...) PRINTF(4, 5);
static void warning_at(struct report *report, const struct source_position *position,
    const char *member, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_at(report, true, position, member, format, arguments);
    va_end(arguments);
}

/* A text that is absent (NULL) or has a fault ("") differs from every other. */
static bool same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

static void check_endpoints(const struct policy *policy, struct report *report)
{
    for (size_t i = 0; i < policy->endpoint_count; i++) {
        const struct policy_endpoint *later = &policy->endpoints[i];
        for (size_t j = 0; j < i; j++) {
            const struct policy_endpoint *first = &policy->endpoints[j];
            if (same(first->name, later->name))
                fault_at(report, &later->place, "name", "\"%s\" is taken by %s: %s", later->name,
                    first->place.file, first->place.pointer);
            if (same(first->server_name, later->server_name))
                fault_at(report, &later->place, "serverName", "\"%s\" is taken by %s: %s",
                    later->server_name, first->place.file, first->place.pointer);
        }
    }
}

/* TEXT may be absent (NULL) or have a fault (""). */
static const char *after_slash(const char *text)
{
    return text && *text ? text + 1 : NULL;
}

/* What TEXT, an address of an end-point, means already; NULL when it is free. */
static const char *taken_for(const struct policy *policy, const char *text)
{
    const struct policy_cse *cse = &policy->cse;
    const size_t size = strcspn(text, "/");
    const size_t second = text[size] ? strcspn(text + size + 1, "/") : 0;
    const struct {
        const char *name, *what;
    } ours[] = {
        {cse->cse_base, "the CSEBase"},
        {after_slash(cse->cse_id), "the CSE-ID"},
        {cse->resource_name, "the entry point"},
        {after_slash(policy->http.notify_path), "http.notifyPath"},
    };

    for (size_t i = 0; text[size] == '\0' && i < ARRAY_SIZE(ours); i++)
        if (ours[i].name && strcspn(ours[i].name, "/") == size &&
            strncmp(ours[i].name, text, size) == 0)
            return ours[i].what;
    if (second > 0 && cse->resource_name && second == strlen(cse->resource_name) &&
        strncmp(text + size + 1, cse->resource_name, second) == 0)
        return "the entry point";
    return NULL;
}

/* Whether TEXT is structured, but does not begin with the name of the CSEBase (TS-0001 7.2). */
static bool is_of_no_base(const struct policy_cse *cse, const char *text)
{
    const size_t size = strcspn(text, "/");

    return text[size] && cse->cse_base && *cse->cse_base &&
           (size != strlen(cse->cse_base) || strncmp(text, cse->cse_base, size) != 0);
}

/* The end-point that has TEXT as its name, or as an address before number NUMBER of LATER. */
static const struct policy_endpoint *find_owner(const struct policy *policy, const char *text,
    const struct policy_endpoint *later, size_t number)
{
    for (size_t i = 0; i < policy->endpoint_count; i++) {
        const struct policy_endpoint *other = &policy->endpoints[i];
        const size_t count = other < later ? other->address_count : other == later ? number : 0;
        if (other != later && same(other->name, text))
            return other;
        for (size_t j = 0; j < count; j++)
            if (same(other->addresses[j], text))
                return other;
    }
    return NULL;
}

static void check_addresses(const struct policy *policy, struct report *report)
{
    for (size_t i = 0; i < policy->endpoint_count; i++) {
        const struct policy_endpoint *endpoint = &policy->endpoints[i];
        for (size_t j = 0; j < endpoint->address_count; j++) {
            const char *text = endpoint->addresses[j];
            char member[32];
            if (!text || !*text)
                continue;
            snprintf(member, sizeof(member), "resource/%zu", j);
            const char *meaning = taken_for(policy, text);
            const struct policy_endpoint *owner = find_owner(policy, text, endpoint, j);
            if (is_of_no_base(&policy->cse, text))
                fault_at(report, &endpoint->place, member,
                    "\"%s\" is structured, so it has to begin with %s/", text,
                    policy->cse.cse_base);
            else if (meaning)
                fault_at(
                    report, &endpoint->place, member, "\"%s\" means %s already", text, meaning);
            else if (owner)
                fault_at(report, &endpoint->place, member, "\"%s\" is taken by %s: %s", text,
                    owner->place.file, owner->place.pointer);
        }
    }
}

/* A policy without end-points and without initiators is allowed: it denies everything. */
static void check_served(const struct policy *policy, const char *file, struct report *report)
{
    const struct source_position position = {file, "/endpoints"};
    if (policy->endpoint_count == 0 && policy->rule_count > 0)
        report_fault(report, &position,
            "is missing or empty: initiators need an end-point to establish keys with");
}

static void check_trust(const struct policy *policy, struct report *report)
{
    for (size_t i = 0; i < policy->trust_count; i++) {
        const struct policy_trust *later = &policy->trust[i];
        for (size_t j = 0; j < i; j++) {
            const struct policy_trust *first = &policy->trust[j];
            if (same(first->name, later->name))
                fault_at(report, &later->place, "name", "\"%s\" is taken by %s: %s", later->name,
                    first->place.file, first->place.pointer);
        }
    }
}

/* Returns whether TEXT is a valid address to listen on that other hosts can reach. */
static bool is_reached_from_afar(const char *text)
{
    struct listen_address address;
    return listen_address_parse(text, &address) && !listen_address_is_local(&address);
}

static void check_http(const struct policy *policy, const char *file, struct report *report)
{
    const struct policy_http *http = &policy->http;
    const struct source_position position = {file, "/http/tls"};
    if (http->tls && !http->certificate.place.file)
        fault_at(report, &position, "certificate", "is missing");
    if (http->tls && !http->private_key.place.file)
        fault_at(report, &position, "privateKey", "is missing");
    for (size_t i = 0; !http->tls && i < http->listen_count; i++)
        if (is_reached_from_afar(http->listen[i]))
            report_warning(report, &(struct source_position){file, "/http/listen"},
                "%s is reached from other hosts, and without http.tls all goes in clear",
                http->listen[i]);
    if (policy->metrics_listen && is_reached_from_afar(policy->metrics_listen))
        report_warning(report, &(struct source_position){file, "/metrics/listen"},
            "%s is reached from other hosts, which then see what is measured",
            policy->metrics_listen);
}

/* --- rules --- */

static void add_name(struct name_list *list, const char *name)
{
    list->count = 1;
    snprintf(list->name[0], sizeof(list->name[0]), "%s", name);
}

/* Sets NAMES to those of a certificate that RULE matches, and no others. */
static void names_of(const struct policy_rule *rule, struct names *names)
{
    names->dns.count = names->uri.count = names->device.count = 0;
    struct public_key_id id = {0};
    switch (rule->flavour) {
    case FLAVOUR_RAW_PUBLIC_KEY:
        if (public_key_id_parse(rule->match, &id))
            memcpy(names->spki_digest, id.digest, sizeof(id.digest));
        break;
    case FLAVOUR_DEVICE:
        add_name(&names->device, rule->match);
        break;
    case FLAVOUR_NODE_ID: /* which authorities issue as a dNSName or as a URI */
        add_name(identifier_is_sp_id(rule->match) ? &names->dns : &names->uri, rule->match);
        break;
    case FLAVOUR_CSE_ID:
        add_name(&names->dns, rule->match);
        break;
    case FLAVOUR_AE_ID:
        add_name(&names->uri, rule->match);
        break;
    case FLAVOUR_COUNT:
        break;
    }
}

struct rule_comparison {
    const struct policy_rule *rule; /* that is compared with others */
    struct report *report;
};

/* Whether two rules for raw public keys can match one key. The index compares only 120 bits. */
static bool same_raw_key(const struct policy_rule *a, const struct policy_rule *b)
{
    struct public_key_id id_a, id_b;
    return public_key_id_parse(a->match, &id_a) && public_key_id_parse(b->match, &id_b) &&
           public_key_ids_agree(&id_a, &id_b);
}

/* Both rules match the same certificate and give it the same identity. */
static void report_twice(
    const struct policy_rule *first, const struct policy_rule *later, struct report *report)
{
    if (first->flavour != later->flavour || first->trust != later->trust)
        return;
    if (later->flavour == FLAVOUR_RAW_PUBLIC_KEY && (later->endpoints & first->endpoints) != 0)
        fault_at(report, &later->place, "publicKeyId", "is the key of %s: %s too: one rule will do",
            first->place.file, first->place.pointer);
    else if ((later->endpoints & ~first->endpoints) == 0)
        report_warning(report, &later->place, "is never used: %s: %s comes first",
            first->place.file, first->place.pointer);
}

/* Both rules match the same certificate. An exact rule and a pattern may give it different
 * identities, since policy_match prefers the exact one. */
static void compare_rules(
    const struct policy_rule *first, const struct policy_rule *later, struct report *report)
{
    if (!first->identity || !*first->identity || !later->identity || !*later->identity ||
        policy_rule_is_pattern(first) != policy_rule_is_pattern(later))
        return;
    if (strcmp(first->identity, later->identity) == 0)
        report_twice(first, later, report);
    else
        fault_at(report, &later->place, "identity",
            "%s: %s gives the same certificate another identity, %s", first->place.file,
            first->place.pointer, first->identity);
}

/* A Node-ID may be an AE-ID with a URI scheme before it. The names of its rule lead to the rule of
 * the AE-ID, but not the other way round, where the scheme is not known. So the two are compared on
 * the turn of RULE, even if OTHER comes later in the policy. */
static bool is_only_seen_from(const struct policy_rule *rule, const struct policy_rule *other)
{
    return rule->flavour == FLAVOUR_NODE_ID && other->flavour == FLAVOUR_AE_ID &&
           rule->match[0] != '/';
}

/* A visit_rule: compares OTHER with comparison->rule, as both match the same certificate. The first
 * rule of each flavour is enough: each later one is compared with it in turn. */
static bool compare(const struct policy_rule *other, const char *name, void *context)
{
    (void)name;
    const struct rule_comparison *comparison = context;
    const struct policy_rule *rule = comparison->rule;
    if (rule->flavour == FLAVOUR_RAW_PUBLIC_KEY && other < rule && !same_raw_key(other, rule))
        return true;
    if (other < rule)
        compare_rules(other, rule, comparison->report);
    else if (other > rule && is_only_seen_from(rule, other))
        compare_rules(rule, other, comparison->report);
    return false;
}

static void check_rules(const struct policy *policy, struct report *report)
{
    struct names *names AUTO_FREE = calloc(1, sizeof(*names));
    if (!names) {
        report_fault(report, NULL, "out of memory");
        return;
    }
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct rule_comparison comparison = {&policy->rules[i], report};
        if (!comparison.rule->match || !*comparison.rule->match)
            continue;
        names_of(comparison.rule, names);
        rule_index_visit(policy, names, comparison.rule->flavour == FLAVOUR_RAW_PUBLIC_KEY, compare,
            &comparison);
    }
}

/* --- clients: warns of a pattern of "peers" that covers nobody, since it is likely a slip --- */

/* The identities that rules give, sorted by all segments but the last and then by the last one, so
 * that those that a pattern covers are neighbours. */
struct identities {
    const char **text;
    size_t count;
};

/* The size of all segments but the last, with the slash after them. */
static size_t size_before_last(const char *identity)
{
    return (size_t)(strrchr(identity, '/') + 1 - identity);
}

static int compare_identities(const char *a, const char *b)
{
    const size_t size_a = size_before_last(a), size_b = size_before_last(b);
    const int order = memcmp(a, b, size_a < size_b ? size_a : size_b);
    if (order != 0)
        return order;
    return size_a != size_b ? (size_a > size_b) - (size_a < size_b)
                            : strcmp(a + size_a, b + size_b);
}

static int compare_entries(const void *a, const void *b)
{
    return compare_identities(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the first identity that does not sort before TEXT; "" when there is none. */
static const char *first_from(const struct identities *identities, const char *text)
{
    size_t low = 0, high = identities->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_identities(identities->text[middle], text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < identities->count ? identities->text[low] : "";
}

/* Whether a rule gives the identity PEER, or has a pattern that covers it. Only AEs can be admitted
 * by a pattern. */
static bool is_admitted(const struct identities *identities, const char *peer)
{
    char pattern[IDENTIFIER_OCTETS + 1];
    if (strcmp(first_from(identities, peer), peer) == 0)
        return true;
    snprintf(pattern, sizeof(pattern), "%.*s*", (int)size_before_last(peer), peer);
    return identifier_is_ae_id(peer) && strcmp(first_from(identities, pattern), pattern) == 0;
}

/* Whether a rule gives an identity that begins with START and has one more segment or, if DEEP, any
 * number of them. */
static bool is_begun(const struct identities *identities, const char *start, bool deep)
{
    const size_t size = strlen(start);
    const char *first = first_from(identities, start);
    return strncmp(first, start, size) == 0 && (deep || size_before_last(first) == size);
}

static void check_pattern(const struct identities *identities, const struct policy_client *client,
    size_t number, struct report *report)
{
    const char *pattern = client->peers[number];
    const size_t size = strcspn(pattern, "*");
    const bool deep = pattern[size] == '*' && pattern[size + 1] == '*';
    char start[IDENTIFIER_OCTETS], member[32];
    snprintf(start, sizeof(start), "%.*s", (int)size, pattern);
    snprintf(member, sizeof(member), "peers/%zu", number);
    if (pattern[size] == '\0' ? is_admitted(identities, pattern)
                              : is_begun(identities, start, deep))
        return;
    if (pattern[size] == '*' && is_begun(identities, start, true))
        warning_at(report, &client->place, member,
            "\"%s\" covers nobody whom initiators admits, as /* is one segment: write \"%s**\"",
            pattern, start);
    else
        warning_at(report, &client->place, member,
            "\"%s\" covers nobody whom initiators admits: correct it, or add an initiator",
            pattern);
}

static void check_clients(const struct policy *policy, struct report *report)
{
    const char **text AUTO_FREE = calloc(policy->rule_count + 1, sizeof(*text));
    struct identities identities = {.text = text};
    if (!text) {
        report_fault(report, NULL, "out of memory");
        return;
    }
    for (size_t i = 0; i < policy->rule_count; i++)
        text[identities.count++] = policy->rules[i].identity;
    qsort(text, identities.count, sizeof(*text), compare_entries);
    for (size_t i = 0; i < policy->client_count; i++)
        for (size_t j = 0; j < policy->clients[i].peer_count; j++)
            check_pattern(&identities, &policy->clients[i], j, report);
}

static void check_registrations(const struct policy *policy, struct report *report)
{
    for (size_t i = 0; i < policy->registration_count; i++) {
        const struct policy_registration *later = &policy->registrations[i];
        if (!later->is_ae && later->originator && *later->originator == '/' && policy->cse.cse_id &&
            *policy->cse.cse_id && !same(later->originator, policy->cse.cse_id))
            fault_at(report, &later->place, "originator",
                "a remoteCse registers as cse.cseId, which is %s", policy->cse.cse_id);
        for (size_t j = 0; j < i; j++) {
            const struct policy_registration *first = &policy->registrations[j];
            if (same(first->url, later->url) && same(first->name, later->name))
                fault_at(report, &later->place, "url", "\"%s\" is where %s: %s registers too",
                    later->url, first->place.file, first->place.pointer);
        }
    }
}

void policy_check(const struct policy *policy, const char *file, struct report *report)
{
    check_endpoints(policy, report);
    check_addresses(policy, report);
    check_served(policy, file, report);
    check_trust(policy, report);
    check_http(policy, file, report);
    check_rules(policy, report);
    check_registrations(policy, report);
    if (report->faults == 0) /* with faults, the identity of a rule may be missing */
        check_clients(policy, report);
}
