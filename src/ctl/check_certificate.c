/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon would say to an initiator's certificate, by the functions that it decides with;
 * without it, and without a private key. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "ctl/ctl.h"
#include "ctl/judgement.h"
#include "policy_load/load.h"
#include "tls/context.h"
#include "tls/message.h"
#include "trust/crl_notice.h"
#include "trust/review.h"
#include "trust/store_load.h"
#include "x509/key_file.h"
#include "x509/pem.h"
#include "x509/subject_names.h"

#define CHAIN_MAX         (PATH_CERTIFICATES_MAX + 1) /* one too many, to have that refused */
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

struct chain {
    struct buffer der[CHAIN_MAX];
    struct bytes view[CHAIN_MAX];
    size_t count;
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

/* The daemon runs without a CRL file that it cannot use, and so does the verdict. */
static void warn_of_crls(struct trust_store *trust)
{
    CLEANUP(report_release) struct report report = {0};
    crl_notices_report(trust, &report);
    for (size_t i = 0; i < report.count; i++)
        if (!report.entries[i].warning)
            fprintf(stderr, "e2ekeyctl: warning: %s\n", report.entries[i].text);
}

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
    if (bench->trust)
        warn_of_crls(bench->trust);
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

/* --- what the file holds: false after saying why not --- */

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

/* What the certificate says, whether or not its path is good; nothing of a malformed one. */
static bool read_names(struct chain *chain, struct names *out)
{
    struct certificate leaf;
    if (!read_chain(chain))
        return false;
    if (certificate_parse(chain->view[0], &leaf, NULL) != RESULT_OK ||
        certificate_names(&leaf, out, NULL) != RESULT_OK)
        *out = (struct names){0};
    return true;
}

static bool read_public_key(struct names *out)
{
    uint8_t spki[P256_SPKI_OCTETS];
    struct fault fault = FAULT_INIT;
    if (public_key_of_file(asked.file, spki, &fault) == RESULT_OK &&
        spki_digest(bytes_of(spki, sizeof(spki)), out->spki_digest) == RESULT_OK)
        return true;
    return fail(STATUS_USAGE, "%s", fault.text), false;
}

/* --- the verdict, in the daemon's order --- */

static enum result judge_type(const struct bench *bench, struct fault *fault)
{
    const struct certificate_types types = policy_types_taken(bench->policy, bench->endpoint);
    if (asked.raw_public_key ? types.raw_public_key : types.x509)
        return RESULT_OK;
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "%s is not taken: no rule of end-point %s is for one",
        asked.raw_public_key ? "a raw public key" : "a certificate",
        bench->policy->endpoints[bench->endpoint].name);
}

static enum result judge_path(
    const struct bench *bench, const struct chain *chain, struct judgement *out)
{
    struct certificate leaf;
    enum result result = RESULT_OK;
    if (asked.raw_public_key)
        return RESULT_OK;
    if (chain->count < CHAIN_MAX) /* else the message is refused before its certificates */
        result = certificate_parse(chain->view[0], &leaf, &out->fault);
    if (result == RESULT_OK)
        result = path_validate(bench->trust, chain->view, chain->count, PATH_CLIENT, bench->now_s,
            &out->path, &out->fault);
    return result;
}

/* By those of all trust domains; the path was judged by its own domain's. */
static enum result judge_crls(const struct bench *bench, struct judgement *out)
{
    const struct policy_rule *rule = out->authorised.rule;
    struct evidence evidence;
    if (!rule || asked.raw_public_key)
        return RESULT_OK;
    return review_admit(bench->trust, &out->path, (size_t)rule->trust, &evidence, &out->fault);
}

static enum result judge(
    const struct bench *bench, const struct chain *chain, struct judgement *out)
{
    enum result result = judge_type(bench, &out->fault);
    if (result == RESULT_OK)
        result = judge_path(bench, chain, out);
    if (result == RESULT_OK)
        result = policy_match(bench->policy, bench->endpoint, &out->names, asked.raw_public_key,
            out->path.trusted, bench->from, &out->authorised, &out->fault);
    if (result == RESULT_OK)
        result = judge_crls(bench, out);
    if (result == RESULT_OK && bench->from[0] != '\0' &&
        strcmp(bench->from, out->authorised.identity) != 0)
        result = fault_set_alert(&out->fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
            "From is %s, but the %s is that of %s", bench->from,
            asked.raw_public_key ? "public key" : "certificate", out->authorised.identity);
    return result;
}

int verb_check_certificate(int argc, char **argv)
{
    CLEANUP(bench_release) struct bench bench = {0};
    CLEANUP(chain_release) struct chain chain = {0};
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    bench.file = asked.file;
    bench.raw_public_key = asked.raw_public_key;
    if (!load_policy(&bench) || !find_endpoint(&bench) || !read_from(&bench) || !read_time(&bench))
        return STATUS_USAGE;

    AUTO_FREE struct judgement *judgement = calloc(1, sizeof(*judgement));
    if (!judgement)
        return fail(STATUS_USAGE, "out of memory");
    judgement->fault = FAULT_INIT;
    if (asked.raw_public_key ? !read_public_key(&judgement->names)
                             : !read_names(&chain, &judgement->names))
        return STATUS_USAGE;
    judgement->result = judge(&bench, &chain, judgement);
    judgement->presented = chain.count;
    return judgement_print(&bench, judgement);
}
