/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/sections.h"

#include <string.h>

#include "policy/texts.h"
#include "policy_load/canonical.h"

/* http.listen and tls.cipherSuites, being arrays, would append: load.c gives them theirs. */
const char policy_defaults[] =
    "{\"cse\": {\"cseBase\": \"cse-in\", \"resourceName\": \"e2EKeyCSE\", \"resourceType\": 30001},"
    " \"http\": {\"threads\": 0, \"notifyPath\": \"/notify\"},"
    " \"socket\": {\"path\": \"/run/e2ekeyd/keys.sock\"},"
    " \"tls\": {\"requireExtendedMasterSecret\": true},"
    " \"keys\": {\"capacity\": 100000, \"lifetime\": 86400, \"perPeer\": 2},"
    " \"limits\": {\"pendingExchanges\": 20000, \"pendingPerOriginator\": 4,"
    " \"exchangeTimeout\": 30, \"messageBytes\": 16384,"
    " \"createsPerSecond\": 2000, \"createBurst\": 4000}}";

#define FIELD(type, name) .offset = offsetof(struct type, name)

/* --- cse, http, socket --- */

static void read_cse(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format sp_id = {identifier_is_sp_id,
        "a domain name such as m2m.example, without slashes", canonical_domain_name};
    static const struct text_format cse_id = {
        identifier_is_cse_id, "a CSE-ID such as /in-cse, with one slash", NULL};
    static const struct text_format resource = {valid_resource,
        "a resource name of up to 63 letters, digits and any of - . _ ~ (none of these alone)",
        NULL};
    static const struct member members[] = {
        {"spId", read_text, FIELD(policy_cse, sp_id), .format = &sp_id},
        {"cseId", read_text, FIELD(policy_cse, cse_id), .format = &cse_id},
        {"cseBase", read_text, FIELD(policy_cse, cse_base), .format = &resource},
        {"resourceName", read_text, FIELD(policy_cse, resource_name), .format = &resource},
        {"resourceType", read_number, FIELD(policy_cse, resource_type), .least = 1, .most = 65535},
    };
    (void)member;
    read_members(reader, position, value, members, field);
}

static void read_listen(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format format = {valid_listen,
        "an address to listen on, such as 127.0.0.1:8383 or [::1]:8383 (no host names)", NULL};
    (void)member;
    struct policy_http *http = field;
    const size_t count = reader_array(reader, position, value, 1, POLICY_LISTEN_MAX);
    if (count > POLICY_LISTEN_MAX - http->listen_count) {
        reader_fault(
            reader, position, "all files together name more than %d addresses", POLICY_LISTEN_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        char *text = reader_text(reader, &below, json_array_get(value, i), &format);
        if (!text || !http->listen)
            continue;
        for (size_t j = 0; *text && j < http->listen_count; j++)
            if (strcmp(text, http->listen[j]) == 0)
                reader_fault(reader, &below, "\"%s\" is listed twice", text);
        http->listen[http->listen_count++] = text;
    }
}

static void read_http_tls(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    static const struct member members[] = {
        {"certificate", read_file, FIELD(policy_http, certificate)},
        {"privateKey", read_file, FIELD(policy_http, private_key)},
        {"clientAnchors", read_file, FIELD(policy_http, client_anchors)},
    };
    (void)member;
    struct policy_http *http = field;
    http->tls = json_is_object(value);
    read_members(reader, position, value, members, http);
}

/* Not an address of the CSEBase, which is known by now (TS-0009 6.2.2). */
static void read_notify_path(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    const char *base = reader->policy->cse.cse_base;
    char *path = reader_text(reader, position, value, member->format);
    const size_t size = path && *path ? strcspn(path + 1, "/") : 0;
    if (base && size > 0 && size == strlen(base) && strncmp(path + 1, base, size) == 0)
        reader_fault(reader, position, "\"%s\" is an address of the CSEBase: choose another", path);
    *(char **)field = path;
}

static void read_http(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format notify_path = {valid_notify_path,
        "a path such as /notify, of letters, digits and any of - . _ ~ (not first one of - _ ~"
        " alone)",
        NULL};
    static const struct member members[] = {
        {"listen", read_listen, .offset = 0},
        {"threads", read_number, FIELD(policy_http, threads), .least = 0, .most = 256},
        {"notifyPath", read_notify_path, FIELD(policy_http, notify_path), .format = &notify_path},
        {"tls", read_http_tls, .offset = 0},
    };
    (void)member;
    read_members(reader, position, value, members, field);
}

static void read_socket_path(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    static const struct text_format format = {
        valid_socket_path, "the path of a socket (at most 107 octets, no spaces)", NULL};
    (void)member;
    const char *text = reader_text(reader, position, value, &format);
    char *path = text && *text ? reader_path(reader, position, text) : NULL;
    if (path && !valid_socket_path(path))
        reader_fault(reader, position, "\"%.128s\" is not %s", path, format.what);
    *(char **)field = path;
}

static void read_socket(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct member members[] = {{"path", read_socket_path, .offset = 0}};
    (void)member;
    read_members(reader, position, value, members, field);
}

static void read_metrics(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format format = {valid_listen,
        "an address to listen on, such as 127.0.0.1:9464 or [::1]:9464 (no host names)", NULL};
    static const struct member members[] = {{"listen", read_text, .offset = 0, .format = &format}};
    (void)member;
    read_members(reader, position, value, members, field);
}

/* --- tls, keys, limits --- */

static const struct policy_suite *find_suite(const json_t *value)
{
    for (size_t i = 0; i < policy_suite_count; i++)
        if (json_is_string(value) && strcmp(policy_suites[i].name, json_string_value(value)) == 0)
            return &policy_suites[i];
    return NULL;
}

static bool suite_listed(const struct policy_tls *tls, const struct policy_suite *suite)
{
    for (size_t i = 0; i < tls->suite_count; i++)
        if (tls->suites[i] == suite)
            return true;
    return false;
}

static void read_suites(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    struct policy_tls *tls = field;
    const size_t count = reader_array(reader, position, value, 1, policy_suite_count);
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        const struct policy_suite *suite = find_suite(json_array_get(value, i));
        if (!suite)
            reader_fault(reader, &below,
                "not a suite that may be used here; these are: %s, %s, %s, %s",
                policy_suites[0].name, policy_suites[1].name, policy_suites[2].name,
                policy_suites[3].name);
        else if (suite_listed(tls, suite))
            reader_fault(reader, &below, "\"%s\" is listed twice", suite->name);
        else if (tls->suites)
            tls->suites[tls->suite_count++] = suite;
    }
}

static void read_tls(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct member members[] = {
        {"cipherSuites", read_suites, .offset = 0},
        {"requireExtendedMasterSecret", read_bool,
            FIELD(policy_tls, require_extended_master_secret)},
    };
    (void)member;
    read_members(reader, position, value, members, field);
}

static void read_keys(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct member members[] = {
        {"capacity", read_number, FIELD(policy_keys, capacity), .least = 1, .most = 10000000},
        {"lifetime", read_number, FIELD(policy_keys, lifetime_s), .least = 1,
            .most = POLICY_LIFETIME_MAX_S},
        {"perPeer", read_number, FIELD(policy_keys, per_peer), .least = 1, .most = 64},
    };
    (void)member;
    read_members(reader, position, value, members, field);
}

static void read_limits(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct member members[] = {
        {"pendingExchanges", read_number, FIELD(policy_limits, pending_exchanges), .least = 1,
            .most = 1000000},
        {"pendingPerOriginator", read_number, FIELD(policy_limits, pending_per_originator),
            .least = 1, .most = 64},
        {"exchangeTimeout", read_number, FIELD(policy_limits, exchange_timeout_s), .least = 1,
            .most = 600},
        {"messageBytes", read_number, FIELD(policy_limits, message_octets), .least = 1024,
            .most = 65536},
        {"createsPerSecond", read_number, FIELD(policy_limits, creates_per_s), .least = 1,
            .most = 1000000},
        {"createBurst", read_number, FIELD(policy_limits, create_burst), .least = 1,
            .most = 1000000},
    };
    (void)member;
    read_members(reader, position, value, members, field);
}

/* --- endpoints, trust --- */

static const struct text_format name_format = {
    valid_name, "a name of up to 63 letters, digits and any of - . _ ~", NULL};

static void read_endpoint(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *entry)
{
    static const struct text_format identity = {identifier_is_absolute,
        "an absolute identifier: //SP/CSE, //SP/CSE/Cxxx or //SP/Sxxx", canonical_identity};
    static const struct text_format server_name = {identifier_is_sp_id,
        "a domain name such as in-cse.m2m.example, without wildcard", canonical_domain_name};
    static const struct member members[] = {
        {"name", read_text, FIELD(policy_endpoint, name), true, .format = &name_format},
        {"identity", read_text, FIELD(policy_endpoint, identity), true, .format = &identity},
        {"serverName", read_text, FIELD(policy_endpoint, server_name), .format = &server_name},
        {"certificate", read_file, FIELD(policy_endpoint, certificate)},
        {"privateKey", read_private_key, FIELD(policy_endpoint, private_key), true},
        {"rawPublicKey", read_bool, FIELD(policy_endpoint, raw_public_key)},
    };
    (void)member;
    read_members(reader, position, value, members, entry);
    if (json_is_object(value) && !((struct policy_endpoint *)entry)->raw_public_key &&
        !json_object_get(value, "certificate"))
        reader_fault(reader, &(struct json_position){.parent = position, .member = "certificate"},
            "is missing: only an end-point whose rawPublicKey is true does without");
}

static void read_crls(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    struct policy_trust *trust = field;
    const size_t count = reader_array(reader, position, value, 0, POLICY_CRLS_MAX);
    trust->crls = texts_array(reader->policy->texts, count, sizeof(*trust->crls));
    for (size_t i = 0; trust->crls && i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        read_file(
            reader, &below, json_array_get(value, i), member, &trust->crls[trust->crl_count++]);
    }
}

static void read_trust(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *entry)
{
    static const struct member members[] = {
        {"name", read_text, FIELD(policy_trust, name), true, .format = &name_format},
        {"anchors", read_file, FIELD(policy_trust, anchors), true},
        {"crls", read_crls, .offset = 0},
        {"requireCrl", read_bool, FIELD(policy_trust, require_crl)},
    };
    (void)member;
    read_members(reader, position, value, members, entry);
    if (((struct policy_trust *)entry)->require_crl &&
        json_array_size(json_object_get(value, "crls")) == 0)
        reader_fault(reader, &(struct json_position){.parent = position, .member = "crls"},
            "is missing or empty, but requireCrl asks for one");
}

/* --- all --- */

const struct section policy_sections[] = {
    {"cse", read_cse, FIELD(policy, cse)},
    {"http", read_http, FIELD(policy, http)},
    {"socket", read_socket, FIELD(policy, socket_path)},
    {"metrics", read_metrics, FIELD(policy, metrics_listen)},
    {"tls", read_tls, FIELD(policy, tls)},
    {"keys", read_keys, FIELD(policy, keys)},
    {"limits", read_limits, FIELD(policy, limits)},
    {"endpoints", read_endpoint, FIELD(policy, endpoints), sizeof(struct policy_endpoint), 0,
        POLICY_ENDPOINTS_MAX, offsetof(struct policy, endpoint_count)},
    {"trust", read_trust, FIELD(policy, trust), sizeof(struct policy_trust), 0, POLICY_TRUST_MAX,
        offsetof(struct policy, trust_count)},
    {"initiators", read_rule, FIELD(policy, rules), sizeof(struct policy_rule), 0, POLICY_RULES_MAX,
        offsetof(struct policy, rule_count)},
    {"clients", read_client, FIELD(policy, clients), sizeof(struct policy_client), 0,
        POLICY_CLIENTS_MAX, offsetof(struct policy, client_count)},
};
const size_t policy_section_count = ARRAY_SIZE(policy_sections);
