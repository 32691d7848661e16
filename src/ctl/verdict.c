/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/verdict.h"

#include <jansson.h>
#include <stdio.h>

#include "base/alert.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "identity/public_key_id.h"
#include "policy/explain.h"

#define LINE_OCTETS 1024

/* --- why no rule matches: a line for each name and each rule that has it --- */

struct explaining {
    const struct policy *policy;
    json_t *lines;
};

/* The end-points of RULE, by name. */
static void list_endpoints(
    const struct policy *policy, const struct policy_rule *rule, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < policy->endpoint_count && used < size; i++)
        if (rule->endpoints >> i & 1)
            used += (size_t)snprintf(
                out + used, size - used, "%s%s", used > 0 ? ", " : "", policy->endpoints[i].name);
}

static void explain(const struct explanation *explanation, void *context)
{
    const struct explaining *explaining = context;
    const struct policy *policy = explaining->policy;
    const struct policy_rule *rule = explanation->rule;
    char line[LINE_OCTETS], place[LINE_OCTETS / 2] = "", names[LINE_OCTETS / 4];
    if (rule)
        snprintf(place, sizeof(place), "%s: %s has %s %s", rule->place.file, rule->place.pointer,
            explanation->kind, explanation->name);
    if (!rule) {
        snprintf(line, sizeof(line), "no rule for %s %s", explanation->kind, explanation->name);
    } else if (!explanation->trusted) {
        snprintf(line, sizeof(line), "%s, but the path is not good under its trust domain %s",
            place, policy->trust[rule->trust].name);
    } else if (!explanation->for_endpoint) {
        list_endpoints(policy, rule, names, sizeof(names));
        snprintf(line, sizeof(line), "%s, but is for end-points %s only", place, names);
    } else {
        snprintf(line, sizeof(line), "%s, and admits %s", place, rule->identity);
    }
    json_array_append_new(explaining->lines, json_string(line));
}

static bool is_raw(const struct verdict *verdict)
{
    return verdict->request.public_key.size > 0;
}

static json_t *explain_all(const struct verdict *verdict)
{
    const struct admission_request *request = &verdict->request;
    const struct admission *admission = &verdict->admission;
    struct explaining explaining = {request->policy, json_array()};
    if (policy_explain(request->policy, request->endpoint, &admission->names, is_raw(verdict),
            admission->trusted, explain, &explaining) != RESULT_OK) {
        json_decref(explaining.lines);
        return NULL;
    }
    return explaining.lines;
}

/* --- printing: one JSON object, or its members as lines --- */

static json_t *list_of(const struct name_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->name[i]));
    return array;
}

/* The RFC 6920 identifier, only for raw public keys: a certificate is identified by its names. */
static json_t *public_key_id_of(const struct verdict *verdict)
{
    char id[PUBLIC_KEY_ID_OCTETS];
    if (!is_raw(verdict))
        return NULL;
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, verdict->admission.names.spki_digest, id);
    return json_string(id);
}

static json_t *domains_of(const struct policy *policy, uint64_t trusted)
{
    json_t *array = json_array();
    for (size_t i = 0; i < policy->trust_count; i++)
        if (trusted >> i & 1)
            json_array_append_new(array, json_string(policy->trust[i].name));
    return array;
}

static json_t *rule_of(const struct policy_rule *rule)
{
    char place[LINE_OCTETS];
    if (!rule)
        return NULL;
    snprintf(place, sizeof(place), "%s: %s", rule->place.file, rule->place.pointer);
    return json_string(place);
}

/* Returns the verdict as an object, without the members that have no value. */
static json_t *describe(const struct verdict *verdict)
{
    const struct admission_request *request = &verdict->request;
    const struct names *names = &verdict->admission.names;
    const struct policy_rule *rule = verdict->admission.authorised.rule;
    const bool good = verdict->result == RESULT_OK;
    const int alert = verdict->fault.alert;
    return json_pack(
        "{s:s, s:I, s:o*, s:o, s:o, s:o, s:s, s:s*, s:o, s:o*, s:s*, s:s*, s:s, s:s*, s:s*,"
        " s:s*, s:o*}",
        "certificate", verdict->file, "presented", (json_int_t)verdict->presented, "publicKeyId",
        public_key_id_of(verdict), "uri", list_of(&names->uri), "dnsName", list_of(&names->dns),
        "deviceId", list_of(&names->device), "endpoint",
        request->policy->endpoints[request->endpoint].name, "from",
        request->from[0] != '\0' ? request->from : NULL, "trust",
        domains_of(request->policy, verdict->admission.trusted), "rule", rule_of(rule), "flavour",
        rule ? flavour_name(rule->flavour) : NULL, "identity",
        rule ? verdict->admission.authorised.identity : NULL, "verdict",
        good ? "accepted" : "refused", "result", good ? NULL : result_name(verdict->result),
        "alert", good || alert == FAULT_NO_ALERT ? NULL : alert_name(alert), "reason",
        good ? NULL : verdict->fault.text, "rules", good ? NULL : explain_all(verdict));
}

static void print_member(const char *title, const json_t *value)
{
    if (json_is_string(value))
        printf("%-13s %s\n", title, json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        printf("%-13s %s\n", i == 0 ? title : "", json_string_value(json_array_get(value, i)));
}

static int print_text(json_t *description)
{
    static const char *const members[][2] = {
        {"certificate", "Certificate"},
        {"publicKeyId", "Public key"},
        {"uri", "URI"},
        {"dnsName", "dNSName"},
        {"deviceId", "Device id"},
        {"endpoint", "End-point"},
        {"from", "From"},
        {"trust", "Trust domain"},
        {"rule", "Rule"},
        {"flavour", "Flavour"},
        {"identity", "Identity"},
        {"verdict", "Verdict"},
        {"reason", "Reason"},
        {"alert", "TLS alert"},
        {"rules", "Rules"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        print_member(members[i][1], json_object_get(description, members[i][0]));
    json_decref(description);
    return STATUS_DONE;
}

int verdict_print(const struct verdict *verdict)
{
    json_t *description = describe(verdict);
    if (!description)
        return fail(STATUS_USAGE, "out of memory");
    int status = common.json ? print_json_line(description) : print_text(description);
    if (status == STATUS_DONE && verdict->result != RESULT_OK)
        status = STATUS_REFUSED;
    return status;
}
