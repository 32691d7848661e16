/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says what the daemon would decide about an initiator's certificate. It calls the same function
 * (trust/admission.h), and needs neither a running daemon nor a private key. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"
#include "ctl/verdict.h"
#include "policy_load/load.h"
#include "tls/context.h"
#include "trust/crl_notice.h"
#include "trust/store_load.h"
#include "x509/key_file.h"
#include "x509/pem.h"

#define CHAIN_MAX         (PATH_CERTIFICATES_MAX + 1) /* reads one too many, which is refused */
#define CHAIN_FILE_OCTETS 262144

static struct {
    const char *file, *policy, *endpoint, *from, *at;
    bool raw_public_key;
} asked = {.policy = POLICY_DEFAULT_PATH};

static const struct flag flags[] = {
    {"policy", "FILE", &asked.policy, NULL, "(" POLICY_DEFAULT_PATH ")"},
    {"endpoint", "NAME", &asked.endpoint, NULL, "of our end-points, the one asked (the first)"},
    {"from", "ID", &asked.from, NULL, "who the initiator says that it is"},
    {"raw-public-key", NULL, NULL, &asked.raw_public_key, "the key in FILE alone (RFC 7250)"},
    {"at", "TIME", &asked.at, NULL, "2027-01-31 or 2027-01-31T12:00:00Z, not now"},
};

static const struct syntax syntax = {
    .usage = "check-certificate FILE [--policy FILE] [--endpoint NAME] [--from ID] [--at TIME]\n"
             "       [--raw-public-key]",
    .about =
        "What an initiator with this certificate would be told, and why. FILE holds it, then\n"
        "those that it presents along (PEM), or it alone (DER). With --raw-public-key FILE is\n"
        "any certificate, public key or private key.",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .operand = &asked.file,
    .operand_name = "FILE, a certificate",
};

struct chain_file {
    struct buffer der[CHAIN_MAX];
    struct bytes view[CHAIN_MAX];
    size_t count;
};

static void chain_file_release(struct chain_file *chain)
{
    for (size_t i = 0; i < CHAIN_MAX; i++)
        buffer_release(&chain->der[i]);
}

/* --- policy, end-point, From, time: on failure each prints why and returns false --- */

/* Warns of CRL files that cannot be used. The daemon runs without them, and so the verdict is made
 * without them too. */
static void warn_of_crls(struct trust_store *trust)
{
    struct report report CLEANUP(report_release) = {0};
    crl_notices_report(trust, &report);
    for (size_t i = 0; i < report.count; i++)
        if (!report.entries[i].warning)
            fprintf(stderr, "e2ekeyctl: warning: %s\n", report.entries[i].text);
}

/* Loads all of the configuration that needs no private key. */
static bool load_policy(struct policy **policy, struct trust_store **trust)
{
    struct report report CLEANUP(report_release) = {0};
    struct fault fault = FAULT_INIT;
    if (tls_start(&fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text), false;
    enum result result = policy_load(asked.policy, policy, &report);
    if (result == RESULT_OK)
        result = trust_store_new(*policy, trust, &report);
    for (size_t i = 0; i < report.count; i++)
        if (!report.entries[i].warning)
            fail(STATUS_USAGE, "%s", report.entries[i].text);
    if (result == RESULT_OK)
        warn_of_crls(*trust);
    return result == RESULT_OK;
}

static bool find_endpoint(const struct policy *policy, size_t *endpoint)
{
    if (!asked.endpoint && policy->endpoint_count > 0)
        return true;
    for (size_t i = 0; asked.endpoint && i < policy->endpoint_count; i++) {
        *endpoint = i;
        if (strcmp(policy->endpoints[i].name, asked.endpoint) == 0)
            return true;
    }
    return fail(STATUS_USAGE, "%s: there is no end-point%s%s", asked.policy,
               asked.endpoint ? " " : "", asked.endpoint ? asked.endpoint : ""),
           false;
}

static bool read_from(const struct policy_cse *cse, char from[IDENTIFIER_OCTETS])
{
    struct fault fault = FAULT_INIT;
    if (!asked.from ||
        identifier_absolute(cse->sp_id, cse->cse_id, asked.from, from, &fault) == RESULT_OK)
        return true;
    return fail_usage("--from: %s", fault.text), false;
}

static bool read_time(int64_t *now_s)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    *now_s = clock_wall_s();
    if (!asked.at)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct tm parts = {0};
        const char *end = strptime(asked.at, forms[i], &parts);
        const struct calendar date = {.year = parts.tm_year + 1900,
            .month = parts.tm_mon + 1,
            .day = parts.tm_mday,
            .hour = parts.tm_hour,
            .minute = parts.tm_min,
            .second = parts.tm_sec};
        if (end && *end == '\0' && calendar_to_seconds(&date, now_s))
            return true;
    }
    return fail_usage("--at %s: neither 2027-01-31 nor 2027-01-31T12:00:00Z", asked.at), false;
}

/* --- content of the file: on failure each prints why and returns false --- */

static enum result take_certificates(
    struct bytes text, struct chain_file *chain, struct fault *fault)
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

static bool read_chain(struct chain_file *chain)
{
    struct buffer file AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    if (file_read(asked.file, CHAIN_FILE_OCTETS, &file, &fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text), false;
    if (take_certificates(buffer_bytes(&file), chain, &fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s: no certificate: %s", asked.file, fault.text), false;
    return true;
}

static bool read_public_key(uint8_t spki[P256_SPKI_OCTETS])
{
    struct fault fault = FAULT_INIT;
    if (public_key_of_file(asked.file, spki, &fault) == RESULT_OK)
        return true;
    return fail(STATUS_USAGE, "%s", fault.text), false;
}

int verb_check_certificate(int argc, char **argv)
{
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    struct trust_store *trust CLEANUP(auto_trust_store_free) = NULL;
    struct chain_file chain CLEANUP(chain_file_release) = {0};
    uint8_t spki[P256_SPKI_OCTETS];
    char from[IDENTIFIER_OCTETS] = "";
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    struct verdict *verdict AUTO_FREE = calloc(1, sizeof(*verdict));
    if (!verdict)
        return fail(STATUS_USAGE, "out of memory");
    struct admission_request *request = &verdict->request;
    if (!load_policy(&policy, &trust) || !find_endpoint(policy, &request->endpoint) ||
        !read_from(&policy->cse, from) || !read_time(&request->now_s) ||
        !(asked.raw_public_key ? read_public_key(spki) : read_chain(&chain)))
        return STATUS_USAGE;

    verdict->file = asked.file;
    verdict->presented = chain.count;
    request->policy = policy;
    request->trust = trust;
    request->takes = policy_types_taken(policy, request->endpoint);
    request->chain = chain.view;
    request->chain_count = chain.count;
    request->public_key = asked.raw_public_key ? bytes_of(spki, sizeof(spki)) : (struct bytes){0};
    request->from = from;
    verdict->fault = FAULT_INIT;
    verdict->result = admission_decide(request, &verdict->admission, &verdict->fault);
    return verdict_print(verdict);
}
