/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section "registration". */
#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "policy/texts.h"
#include "policy_load/canonical.h"
#include "policy_load/sections.h"

#define FIELD(name) .offset = offsetof(struct policy_registration, name)

/* Moves *TEXT past a host: a domain name, an IPv4 address, or an IPv6 address in brackets. */
static bool skip_host(const char **text)
{
    char address[INET6_ADDRSTRLEN];
    uint8_t octets[16];
    const bool six = **text == '[';
    const char *start = *text + six;
    const size_t size = strcspn(start, six ? "]" : ":/");
    *text = start + size + six;
    if (!six)
        return dns_name_is_valid(bytes_of(start, size));
    if (start[size] != ']' || size >= sizeof(address))
        return false;
    memcpy(address, start, size);
    address[size] = '\0';
    return inet_pton(AF_INET6, address, octets) == 1;
}

/* Moves *TEXT past a port, if there is one. */
static bool skip_port(const char **text)
{
    if (**text != ':')
        return true;
    const size_t size = strspn(++*text, "0123456789");
    const unsigned long port = size <= 5 ? strtoul(*text, NULL, 10) : 0;
    const bool good = **text != '0' && port >= 1 && port <= 65535;
    *text += size;
    return good;
}

/* Whether TEXT is nothing, or a path without empty segments. */
static bool is_path(const char *text)
{
    char segment[POLICY_URL_OCTETS];
    while (*text == '/') {
        const size_t size = strcspn(++text, "/");
        memcpy(segment, text, size);
        segment[size] = '\0';
        if (!identifier_is_segment(segment))
            return false;
        text += size;
    }
    return *text == '\0';
}

static bool is_url(const char *text, bool needs_path)
{
    const char *rest = strncmp(text, "https://", 8) == 0 ? text + 8 : text + 7;
    return strnlen(text, POLICY_URL_OCTETS) < POLICY_URL_OCTETS &&
           (strncmp(text, "http://", 7) == 0 || rest == text + 8) && skip_host(&rest) &&
           skip_port(&rest) && is_path(rest) && (!needs_path || *rest == '/');
}

static bool valid_point_of_access(const char *text)
{
    return is_url(text, false);
}

static bool valid_cse_base_url(const char *text)
{
    return is_url(text, true);
}

static bool is_stem(const char *text)
{
    return (text[0] == 'C' || text[0] == 'S') && text[1] != '\0' && valid_name(text);
}

static bool valid_originator(const char *text)
{
    return is_stem(text) || identifier_is_cse_id(text);
}

static void read_as(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    if (!reader_expect(reader, position, value, JSON_STRING))
        return;
    const char *text = json_string_value(value);
    *(bool *)field = strcmp(text, "ae") == 0;
    if (strcmp(text, "ae") != 0 && strcmp(text, "remoteCse") != 0)
        reader_fault(
            reader, position, "\"%.64s\" is not known here; these are: remoteCse, ae", text);
}

static void read_points_of_access(struct reader *reader, const struct json_position *position,
    json_t *value, const struct member *member, void *field)
{
    struct policy_registration *registration = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    registration->points_of_access =
        texts_array(reader->policy->texts, count, sizeof(*registration->points_of_access));
    for (size_t i = 0; registration->points_of_access && i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        registration->points_of_access[registration->point_count++] =
            reader_text(reader, &below, json_array_get(value, i), member->format);
    }
}

static const struct text_format cse_base_url = {valid_cse_base_url,
    "the address of a <CSEBase>, such as http://127.0.0.1:3000/TinyIoT, of up to 255 characters",
    NULL};
static const struct text_format point_of_access = {valid_point_of_access,
    "an address such as http://127.0.0.1:8383, of up to 255 characters", NULL};
static const struct text_format originator = {
    valid_originator, "a CSE-ID such as /in-cse, or for ae an AE-ID stem such as Ce2ekeyd", NULL};
static const struct text_format resource_name = {valid_resource,
    "a resource name of up to 63 letters, digits and any of - . _ ~ (none of these alone)", NULL};

static const struct member members[] = {
    {"url", read_text, FIELD(url), true, .format = &cse_base_url},
    {"as", read_as, FIELD(is_ae), true},
    {"originator", read_text, FIELD(originator), true, .format = &originator},
    {"name", read_text, FIELD(name), .format = &resource_name},
    {"pointOfAccess", read_points_of_access, .offset = 0, true, 1, POLICY_POINTS_MAX,
        .format = &point_of_access},
    {"expires", read_number, FIELD(expires_s), .least = 10, .most = 31536000,
        .default_json = "86400"},
    {"anchors", read_file, FIELD(anchors)},
    {"certificate", read_file, FIELD(certificate)},
    {"privateKey", read_file, FIELD(private_key)},
};

static void fault_below(struct reader *reader, const struct json_position *position,
    const char *member, const char *text)
{
    reader_fault(reader, &(struct json_position){.parent = position, .member = member}, "%s", text);
}

/* What depends on another member. */
static void check_entry(struct reader *reader, const struct json_position *position,
    const json_t *value, const struct policy_registration *entry)
{
    const char *from = entry->originator ? entry->originator : "";
    if (*from && entry->is_ae != is_stem(from))
        fault_below(reader, position, "originator",
            entry->is_ae ? "an ae is known by the stem of an AE-ID, such as Ce2ekeyd"
                         : "a remoteCse is known by a CSE-ID, such as /in-cse");
    if (!entry->is_ae && json_object_get(value, "name"))
        fault_below(reader, position, "name", "only an ae has one: a remoteCse's is its CSE-ID");
    if (entry->url && strncmp(entry->url, "https:", 6) == 0 && !json_object_get(value, "anchors"))
        fault_below(reader, position, "anchors",
            "is missing: https needs authorities whose certificate the CSE has");
    if (!json_object_get(value, "certificate") != !json_object_get(value, "privateKey"))
        fault_below(reader, position,
            json_object_get(value, "certificate") ? "privateKey" : "certificate",
            "is missing: certificate and privateKey are given together");
}

/* Those at which we are a <remoteCSE> are those of our <CSEBase>, each once. */
static void show_points_of_access(
    struct policy *policy, const struct policy_registration *registration)
{
    struct policy_cse *cse = &policy->cse;

    if (!cse->points_of_access)
        cse->points_of_access = texts_array(policy->texts,
            (size_t)POLICY_REGISTRATIONS_MAX * POLICY_POINTS_MAX, sizeof(*cse->points_of_access));
    for (size_t i = 0; cse->points_of_access && i < registration->point_count; i++) {
        char *point = registration->points_of_access[i];
        size_t known = 0;
        while (point && known < cse->point_of_access_count &&
               strcmp(point, cse->points_of_access[known]) != 0)
            known++;
        if (point && known == cse->point_of_access_count)
            cse->points_of_access[cse->point_of_access_count++] = point;
    }
}

static void read_registration(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry)
{
    struct policy_registration *registration = entry;
    read_members(reader, position, value, MEMBERS(members), entry);
    if (!json_is_object(value))
        return;
    check_entry(reader, position, value, registration);
    if (registration->is_ae && !registration->name)
        registration->name = texts_copy(reader->policy->texts, "e2ekeyd");
    if (!registration->is_ae && registration->originator && *registration->originator)
        registration->name = texts_copy(reader->policy->texts, registration->originator + 1);
    if (!registration->is_ae)
        show_points_of_access(reader->policy, registration);
}

const struct section registration_section = {"registration", MEMBERS(members),
    offsetof(struct policy, registrations), read_registration, sizeof(struct policy_registration),
    POLICY_REGISTRATIONS_MAX, offsetof(struct policy, registration_count)};
