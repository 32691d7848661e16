/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/sections.h"

#include <string.h>

#include "policy/texts.h"
#include "policy_load/canonical.h"

#define FIELD(type, name) .offset = offsetof(struct type, name)

/* A row of a list such as POLICY_LIMITS. */
#define NUMBER(type, field, name, least, most, by_default)                                         \
    {name, read_number, FIELD(type, field), false, least, most, NULL, #by_default},

/* --- cse, http, socket, metrics --- */

static const struct text_format sp_id = {identifier_is_sp_id,
    "a domain name such as m2m.example, without slashes", canonical_domain_name};
static const struct text_format cse_id = {
    identifier_is_cse_id, "a CSE-ID such as /in-cse, with one slash", NULL};
static const struct text_format resource = {valid_resource,
    "a resource name of up to 63 letters, digits and any of - . _ ~ (none of these alone)", NULL};

static const struct member cse_members[] = {
    {"spId", read_text, FIELD(policy_cse, sp_id), .format = &sp_id},
    {"cseId", read_text, FIELD(policy_cse, cse_id), .format = &cse_id},
    {"cseBase", read_text, FIELD(policy_cse, cse_base), .format = &resource,
        .default_json = "\"cse-in\""},
    {"resourceName", read_text, FIELD(policy_cse, resource_name), .format = &resource,
        .default_json = "\"e2EKeyCSE\""},
    {"resourceType", read_number, FIELD(policy_cse, resource_type), .least = 1, .most = 65535,
        .default_json = "30001"},
    {"esprim", read_bool, FIELD(policy_cse, esprim), .default_json = "false"},
};

static const struct section cse_section = {"cse", MEMBERS(cse_members), FIELD(policy, cse)};

static void read_listen(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    struct policy_http *http = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    if (count > member->most - http->listen_count) {
        reader_fault(
            reader, position, "all files together name more than %u addresses", member->most);
        return;
    }
    if (!http->listen)
        http->listen = texts_array(reader->policy->texts, member->most, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        char *text = reader_text(reader, &below, json_array_get(value, i), member->format);
        if (!text || !http->listen)
            continue;
        for (size_t j = 0; *text && j < http->listen_count; j++)
            if (strcmp(text, http->listen[j]) == 0)
                reader_fault(reader, &below, "\"%s\" is listed twice", text);
        http->listen[http->listen_count++] = text;
    }
}

static void read_proxies(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    struct policy_http *http = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    if (count > member->most - http->trusted_proxy_count) {
        reader_fault(
            reader, position, "all files together name more than %u proxies", member->most);
        return;
    }
    if (!http->trusted_proxies)
        http->trusted_proxies =
            texts_array(reader->policy->texts, member->most, sizeof(*http->trusted_proxies));
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        const char *text = reader_text(reader, &below, json_array_get(value, i), member->format);
        if (text && *text && http->trusted_proxies)
            read_network(text, &http->trusted_proxies[http->trusted_proxy_count++]);
    }
}

static void read_http_tls(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    static const struct member tls_members[] = {
        {"certificate", read_file, FIELD(policy_http, certificate)},
        {"privateKey", read_file, FIELD(policy_http, private_key)},
        {"clientAnchors", read_file, FIELD(policy_http, client_anchors)},
    };
    (void)member;
    struct policy_http *http = field;
    http->tls = json_is_object(value);
    read_members(reader, position, value, MEMBERS(tls_members), http);
}

static void read_mode(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    const char *text = reader_text(reader, position, value, member->format);
    if (text)
        *(mode_t *)field = (mode_t)strtoul(text, NULL, 8);
}

/* The path must not be an address of the CSEBase (TS-0009 6.2.2), whose section has been read. */
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

static const struct text_format listen_address = {valid_http_listen,
    "an address to listen on, such as 127.0.0.1:8383 or [::1]:8383 (no host names), or "
    "unix:/run/e2ekeyd/http.sock",
    NULL};
static const struct text_format mode = {valid_mode, "a mode in octal, such as 0660", NULL};
static const struct text_format group = {valid_account, "the name or number of a group", NULL};
static const struct text_format notify_path = {valid_notify_path,
    "a path such as /notify, of letters, digits and any of - . _ ~ (not first one of - _ ~"
    " alone)",
    NULL};

static const struct text_format network = {
    valid_network, "an address or a network such as 10.0.0.0/8 or ::1, or unix:", NULL};

static const struct member http_members[] = {
    {"listen", read_listen, .offset = 0, .least = 1, .most = POLICY_LISTEN_MAX,
        .format = &listen_address, .default_json = "[\"127.0.0.1:8383\"]"},
    {"socketMode", read_mode, FIELD(policy_http, socket_mode), .format = &mode,
        .default_json = "\"0660\""},
    {"socketGroup", read_text, FIELD(policy_http, socket_group), .format = &group},
    {"headerTimeout", read_number, FIELD(policy_http, header_timeout_s), .least = 1, .most = 600,
        .default_json = "10"},
    {"bodyTimeout", read_number, FIELD(policy_http, body_timeout_s), .least = 1, .most = 600,
        .default_json = "10"},
    {"threads", read_number, FIELD(policy_http, threads), .least = 0, .most = 256,
        .default_json = "0"},
    {"notifyPath", read_notify_path, FIELD(policy_http, notify_path), .format = &notify_path,
        .default_json = "\"/notify\""},
    {"trustedProxies", read_proxies, .offset = 0, .least = 0, .most = POLICY_PROXIES_MAX,
        .format = &network},
    {"tls", read_http_tls, .offset = 0},
};

static const struct section http_section = {"http", MEMBERS(http_members), FIELD(policy, http)};

static void read_socket_path(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    const char *text = reader_text(reader, position, value, member->format);
    char *path = text && *text ? reader_path(reader, position, text) : NULL;
    if (path && !valid_socket_path(path))
        reader_fault(reader, position, "\"%.128s\" is not %s", path, member->format->what);
    *(char **)field = path;
}

static const struct text_format socket_path = {
    valid_socket_path, "the path of a socket (at most 107 octets, no spaces)", NULL};
static const struct member socket_members[] = {
    {"path", read_socket_path, .offset = 0, .format = &socket_path,
        .default_json = "\"/run/e2ekeyd/keys.sock\""},
};

static const struct section socket_section = {
    "socket", MEMBERS(socket_members), FIELD(policy, socket_path)};

static const struct text_format metrics_address = {valid_listen,
    "an address to listen on, such as 127.0.0.1:9464 or [::1]:9464 (no host names)", NULL};
static const struct member metrics_members[] = {
    {"listen", read_text, .offset = 0, .format = &metrics_address},
};

static const struct section metrics_section = {
    "metrics", MEMBERS(metrics_members), FIELD(policy, metrics_listen)};

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
    if (!tls->suites)
        tls->suites = texts_array(reader->policy->texts, policy_suite_count, sizeof(*tls->suites));
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

static const struct member tls_members[] = {
    {"cipherSuites", read_suites, .offset = 0}, /* all by default: see default_suites */
    {"requireExtendedMasterSecret", read_bool, FIELD(policy_tls, require_extended_master_secret),
        .default_json = "true"},
};

static const struct section tls_section = {"tls", MEMBERS(tls_members), FIELD(policy, tls)};

#define KEYS_NUMBER(...)   NUMBER(policy_keys, __VA_ARGS__)
#define LIMITS_NUMBER(...) NUMBER(policy_limits, __VA_ARGS__)

static const struct member keys_members[] = {POLICY_KEYS(KEYS_NUMBER)};
static const struct member limits_members[] = {POLICY_LIMITS(LIMITS_NUMBER)};

static const struct section keys_section = {"keys", MEMBERS(keys_members), FIELD(policy, keys)};
static const struct section limits_section = {
    "limits", MEMBERS(limits_members), FIELD(policy, limits)};

/* --- endpoints, trust --- */

static const struct text_format name_format = {
    valid_name, "a name of up to 63 letters, digits and any of - . _ ~", NULL};

static const struct text_format identity = {identifier_is_absolute,
    "an absolute identifier: //SP/CSE, //SP/CSE/Cxxx or //SP/Sxxx", canonical_identity};
static const struct text_format server_name = {identifier_is_sp_id,
    "a domain name such as in-cse.m2m.example, without wildcard", canonical_domain_name};

static const struct text_format address = {valid_address,
    "an address relative to the CSE such as cse-in/ae1 or Cae1, of letters, digits and any of"
    " - . _ ~ (none of - _ ~ alone)",
    NULL};

static void read_addresses(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    struct policy_endpoint *endpoint = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    endpoint->addresses = texts_array(reader->policy->texts, count, sizeof(*endpoint->addresses));
    for (size_t i = 0; endpoint->addresses && i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        endpoint->addresses[endpoint->address_count++] =
            reader_text(reader, &below, json_array_get(value, i), member->format);
    }
}

static const struct member endpoint_members[] = {
    {"name", read_text, FIELD(policy_endpoint, name), true, .format = &name_format},
    {"identity", read_text, FIELD(policy_endpoint, identity), true, .format = &identity},
    {"serverName", read_text, FIELD(policy_endpoint, server_name), .format = &server_name},
    {"resource", read_addresses, .offset = 0, .least = 0, .most = POLICY_ADDRESSES_MAX,
        .format = &address},
    {"certificate", read_file, FIELD(policy_endpoint, certificate)},
    {"privateKey", read_private_key, FIELD(policy_endpoint, private_key), true},
    {"rawPublicKey", read_bool, FIELD(policy_endpoint, raw_public_key), .default_json = "false"},
};

static void read_endpoint(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry)
{
    const struct policy_endpoint *endpoint = entry;
    read_members(reader, position, value, MEMBERS(endpoint_members), entry);
    if (json_is_object(value) && !endpoint->raw_public_key &&
        !json_object_get(value, "certificate"))
        reader_fault(reader, &(struct json_position){.parent = position, .member = "certificate"},
            "is missing: only an end-point whose rawPublicKey is true does without");
}

static const struct section endpoints_section = {"endpoints", MEMBERS(endpoint_members),
    FIELD(policy, endpoints), read_endpoint, sizeof(struct policy_endpoint), POLICY_ENDPOINTS_MAX,
    offsetof(struct policy, endpoint_count)};

static void read_crls(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    struct policy_trust *trust = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    trust->crls = texts_array(reader->policy->texts, count, sizeof(*trust->crls));
    for (size_t i = 0; trust->crls && i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        read_file(
            reader, &below, json_array_get(value, i), member, &trust->crls[trust->crl_count++]);
    }
}

static const struct member trust_members[] = {
    {"name", read_text, FIELD(policy_trust, name), true, .format = &name_format},
    {"anchors", read_file, FIELD(policy_trust, anchors), true},
    {"crls", read_crls, .offset = 0, .least = 0, .most = POLICY_CRLS_MAX},
    {"requireCrl", read_bool, FIELD(policy_trust, require_crl), .default_json = "false"},
};

static void read_trust(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry)
{
    const struct policy_trust *trust = entry;
    read_members(reader, position, value, MEMBERS(trust_members), entry);
    if (trust->require_crl && json_array_size(json_object_get(value, "crls")) == 0)
        reader_fault(reader, &(struct json_position){.parent = position, .member = "crls"},
            "is missing or empty, but requireCrl asks for one");
}

static const struct section trust_section = {"trust", MEMBERS(trust_members), FIELD(policy, trust),
    read_trust, sizeof(struct policy_trust), POLICY_TRUST_MAX,
    offsetof(struct policy, trust_count)};

/* --- all --- */

const struct section *const policy_sections[] = {
    &cse_section,
    &http_section,
    &socket_section,
    &metrics_section,
    &tls_section,
    &keys_section,
    &limits_section,
    &endpoints_section,
    &trust_section,
    &initiators_section,
    &clients_section,
    &registration_section,
};
const size_t policy_section_count = ARRAY_SIZE(policy_sections);
