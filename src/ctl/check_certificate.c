/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon would say to an initiator's certificate, by the functions that it decides with;
 * without it, and without a private key. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "ctl/ctl.h"
#include "identity/public_key_id.h"
#include "policy/explain.h"
#include "policy/load.h"
#include "policy/match.h"
#include "tls/context.h"
#include "tls/pem.h"
#include "tls/record.h"

#define CHAIN_MAX         (PATH_CERTIFICATES_MAX + 1) /* one too many, to have that refused */
#define CHAIN_FILE_OCTETS 262144
#define LINE_OCTETS       1024

static struct {
    const char *file, *policy, *endpoint, *from, *at;
} asked = {.policy = POLICY_DEFAULT_PATH};

static const struct flag flags[] = {
    {"policy", "FILE", &asked.policy, NULL, "(" POLICY_DEFAULT_PATH ")"},
    {"endpoint", "NAME", &asked.endpoint, NULL, "of our end-points, the one asked (the first)"},
    {"from", "ID", &asked.from, NULL, "who the initiator says that it is"},
    {"at", "TIME", &asked.at, NULL, "2027-01-31 or 2027-01-31T12:00:00Z, not now"},
};

static const struct syntax syntax = {
    .usage = "check-certificate FILE [--policy FILE] [--endpoint NAME] [--from ID] [--at TIME]",
    .about = "What an initiator with this certificate would be told, and why. FILE holds it, then\n"
             "those that it presents along (PEM), or it alone (DER).",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .operand = &asked.file,
    .operand_name = "FILE, a certificate",
};

/* What it is judged by. */
struct bench {
    struct policy *policy;
    struct trust_store *trust;
    size_t endpoint;
    int64_t now_s;
    char from[IDENTIFIER_OCTETS]; /* absolute; "" = not said */
};

struct chain {
    struct buffer der[CHAIN_MAX];
    struct bytes view[CHAIN_MAX];
    size_t count;
};

struct judgement {
    enum result result;
    struct fault fault; /* why not */
    struct names names;
    struct path_verdict path;
    struct authorisation authorised; /* .rule NULL: none */
};

static void bench_release(struct bench *bench)
{
    trust_store_free(bench->trust);
    policy_free(bench->policy);
}

static void chain_release(struct chain *chain)
{
    for (size_t i = 0; i < CHAIN_MAX; i++)
        buffer_release(&chain->der[i]);
}

/* --- policy, end-point, From, time: false after saying why not --- */

/* Of the configuration, all but what needs a private key. */
static bool load_policy(struct bench *bench)
{
    CLEANUP(report_release) struct report report = {0};
    struct fault fault = FAULT_INIT;
    if (tls_start(&fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text), false;
    enum result result = policy_load(asked.policy, &bench->policy, &report);
    if (result == RESULT_OK)
        result = trust_store_new(bench->policy, &bench->trust, &report);
    for (size_t i = 0; i < report.count; i++)
        if (!report.entries[i].warning)
            fail(STATUS_USAGE, "%s", report.entries[i].text);
    return bench->policy && bench->trust;
}

static bool find_endpoint(struct bench *bench)
{
    if (!asked.endpoint && bench->policy->endpoint_count > 0)
        return true;
    for (size_t i = 0; asked.endpoint && i < bench->policy->endpoint_count; i++) {
        bench->endpoint = i;
        if (strcmp(bench->policy->endpoints[i].name, asked.endpoint) == 0)
            return true;
    }
    return fail(STATUS_USAGE, "%s: there is no end-point%s%s", asked.policy,
               asked.endpoint ? " " : "", asked.endpoint ? asked.endpoint : ""),
           false;
}

static bool read_from(struct bench *bench)
{
    struct fault fault = FAULT_INIT;
    const struct policy_cse *cse = &bench->policy->cse;
    if (!asked.from ||
        identifier_absolute(cse->sp_id, cse->cse_id, asked.from, bench->from, &fault) == RESULT_OK)
        return true;
    return fail_usage("--from: %s", fault.text), false;
}

static bool read_time(struct bench *bench)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    bench->now_s = clock_wall_s();
    if (!asked.at)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct tm parts = {0};
        const char *end = strptime(asked.at, forms[i], &parts);
        if (!end || *end != '\0')
            continue;
        bench->now_s = timegm(&parts);
        return true;
    }
    return fail_usage("--at %s: neither 2027-01-31 nor 2027-01-31T12:00:00Z", asked.at), false;
}

/* --- the chain --- */

static enum result take_certificates(struct bytes text, struct chain *chain, struct fault *fault)
{
    while (chain->count < CHAIN_MAX) {
        struct buffer *der = &chain->der[chain->count];
        der->limit = CHAIN_FILE_OCTETS;
        enum result result = pem_or_der_next(&text, "CERTIFICATE", der, fault);
        if (result == RESULT_NOT_FOUND && chain->count > 0)
            return RESULT_OK;
        if (result != RESULT_OK)
            return result;
        chain->view[chain->count++] = buffer_bytes(der);
    }
    return RESULT_OK;
}

static bool read_chain(struct chain *chain)
{
    AUTO_BUFFER struct buffer file = {0};
    struct fault fault = FAULT_INIT;
    if (file_read(asked.file, CHAIN_FILE_OCTETS, &file, &fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text), false;
    if (take_certificates(buffer_bytes(&file), chain, &fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s: no certificate: %s", asked.file, fault.text), false;
    return true;
}

/* --- the verdict, in the daemon's order --- */

/* What the certificate says, whether or not its path is good; nothing of a malformed one. */
static void read_names(const struct chain *chain, struct names *out)
{
    struct certificate leaf;
    if (certificate_parse(chain->view[0], &leaf, NULL) != RESULT_OK ||
        certificate_names(&leaf, out, NULL) != RESULT_OK)
        *out = (struct names){0};
}

static enum result judge(
    const struct bench *bench, const struct chain *chain, struct judgement *out)
{
    struct certificate leaf;
    struct fault *fault = &out->fault;
    enum result result = RESULT_OK;
    if (chain->count < CHAIN_MAX) /* else the message is refused before its certificates */
        result = certificate_parse(chain->view[0], &leaf, fault);
    if (result == RESULT_OK)
        result = path_validate(
            bench->trust, chain->view, chain->count, PATH_CLIENT, bench->now_s, &out->path, fault);
    if (result == RESULT_OK)
        result = policy_match(bench->policy, bench->endpoint, &out->path.names, false,
            out->path.trusted, bench->from, &out->authorised, fault);
    if (result == RESULT_OK && bench->from[0] != '\0' &&
        strcmp(bench->from, out->authorised.identity) != 0)
        result = fault_set_alert(fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
            "From is %s, but the certificate is that of %s", bench->from, out->authorised.identity);
    return result;
}

/* --- why no rule: a line for each name and each rule that has it --- */

struct explaining {
    const struct bench *bench;
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
    const struct policy *policy = explaining->bench->policy;
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

static json_t *explain_all(const struct bench *bench, const struct judgement *judgement)
{
    struct explaining explaining = {bench, json_array()};
    if (policy_explain(bench->policy, bench->endpoint, &judgement->names, false,
            judgement->path.trusted, explain, &explaining) != RESULT_OK) {
        json_decref(explaining.lines);
        return NULL;
    }
    return explaining.lines;
}

/* --- what is printed: one object, as it is or line by line --- */

static json_t *list_of(const struct name_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->name[i]));
    return array;
}

static json_t *domains_of(const struct bench *bench, uint64_t trusted)
{
    json_t *array = json_array();
    for (size_t i = 0; i < bench->policy->trust_count; i++)
        if (trusted >> i & 1)
            json_array_append_new(array, json_string(bench->policy->trust[i].name));
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

/* A member without a value is left out. */
static json_t *describe(
    const struct bench *bench, const struct chain *chain, const struct judgement *judgement)
{
    const struct authorisation *authorised = &judgement->authorised;
    const bool good = judgement->result == RESULT_OK, ruled = authorised->rule;
    const int alert = judgement->fault.alert;
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:s, s:s*, s:o, s:o*, s:s*, s:s*, s:s, s:s*, s:s*,"
                     " s:s*, s:o*}",
        "certificate", asked.file, "presented", (json_int_t)chain->count, "uri",
        list_of(&judgement->names.uri), "dnsName", list_of(&judgement->names.dns), "deviceId",
        list_of(&judgement->names.device), "endpoint",
        bench->policy->endpoints[bench->endpoint].name, "from",
        bench->from[0] != '\0' ? bench->from : NULL, "trust",
        domains_of(bench, judgement->path.trusted), "rule", rule_of(authorised->rule), "flavour",
        ruled ? flavour_name(authorised->rule->flavour) : NULL, "identity",
        ruled ? authorised->identity : NULL, "verdict", good ? "accepted" : "refused", "result",
        good ? NULL : result_name(judgement->result), "alert",
        good || alert == FAULT_NO_ALERT ? NULL : record_alert_name(alert), "reason",
        good ? NULL : judgement->fault.text, "rules", good ? NULL : explain_all(bench, judgement));
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

static int report_judgement(
    const struct bench *bench, const struct chain *chain, const struct judgement *judgement)
{
    json_t *description = describe(bench, chain, judgement);
    if (!description)
        return fail(STATUS_USAGE, "out of memory");
    int status = common.json ? print_json_line(description) : print_text(description);
    if (status == STATUS_DONE && judgement->result != RESULT_OK)
        status = STATUS_REFUSED;
    return status;
}

int verb_check_certificate(int argc, char **argv)
{
    CLEANUP(bench_release) struct bench bench = {0};
    CLEANUP(chain_release) struct chain chain = {0};
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    if (!load_policy(&bench) || !find_endpoint(&bench) || !read_from(&bench) ||
        !read_time(&bench) || !read_chain(&chain))
        return STATUS_USAGE;

    AUTO_FREE struct judgement *judgement = calloc(1, sizeof(*judgement));
    if (!judgement)
        return fail(STATUS_USAGE, "out of memory");
    judgement->fault = FAULT_INIT;
    read_names(&chain, &judgement->names);
    judgement->result = judge(&bench, &chain, judgement);
    return report_judgement(&bench, &chain, judgement);
}
