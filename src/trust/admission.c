/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/admission.h"

#include <string.h>

#include "base/alert.h"
#include "base/wipe.h"

static bool is_raw(const struct admission_request *request)
{
    return request->public_key.size > 0;
}

static enum result check_type(const struct admission_request *request, struct fault *fault)
{
    if (is_raw(request) ? request->takes.raw_public_key : request->takes.x509)
        return RESULT_OK;
    const char *what = is_raw(request) ? "a raw public key" : "a certificate";
    if (request->expected)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "%s is not taken: %s has to present the other type", what,
            request->expected[0].identity);
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "%s is not taken: no rule of end-point %s is for one", what,
        request->policy->endpoints[request->endpoint].name);
}

/* Who was presented: fills in OUT's names and the trust domains that have a valid path to them. */
static enum result identify(const struct admission_request *request, struct path_verdict *verdict,
    struct admission *out, struct fault *fault)
{
    if (is_raw(request)) {
        if (spki_digest(request->public_key, out->names.spki_digest) != RESULT_OK)
            return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
        return RESULT_OK;
    }
    if (!request->trust)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_UNKNOWN_CA,
            "there are no trust anchors for a certificate");
    enum result result = path_validate(request->trust, request->chain, request->chain_count,
        request->expected ? PATH_SERVER : PATH_CLIENT, request->now_s, verdict, fault);
    out->names = verdict->names;
    out->trusted = verdict->trusted;
    out->certified = verdict->certified;
    return result;
}

static enum result find_rule(
    const struct admission_request *request, struct admission *out, struct fault *fault)
{
    if (request->expected)
        return policy_match_expected(request->expected, request->expected_count, request->endpoint,
            &out->names, is_raw(request), out->trusted, &out->authorised, fault);
    return policy_match(request->policy, request->endpoint, &out->names, is_raw(request),
        out->trusted, request->from, &out->authorised, fault);
}

/* A terminating end-point is asked by its identity, which is that of the rules. */
static enum result check_from(
    const struct admission_request *request, const char *identity, struct fault *fault)
{
    if (request->expected || request->from[0] == '\0' || strcmp(identity, request->from) == 0)
        return RESULT_OK;
    return fault_set_alert(fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
        "From is %s, but the %s is that of %s", request->from,
        is_raw(request) ? "public key" : "certificate", identity);
}

static enum result decide(
    const struct admission_request *request, struct admission *out, struct fault *fault)
{
    struct path_verdict verdict;
    *out = (struct admission){0};
    enum result identified = identify(request, &verdict, out, fault);
    TRY(check_type(request, fault)); /* a wrong type is reported before a wrong path */
    if (identified != RESULT_OK)
        return identified;
    TRY(find_rule(request, out, fault));
    out->certified = true;
    if (!is_raw(request) && /* only the policy revokes a raw public key */
        evidence_write(request->trust, &verdict, (size_t)out->authorised.rule->trust,
            &out->evidence) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return check_from(request, out->authorised.identity, fault);
}

/* A CRL whose signature there was no memory to verify revokes nobody, and a path that could not be
 * followed is none: what was found so is not believed, either way. */
enum result admission_decide(
    const struct admission_request *request, struct admission *out, struct fault *fault)
{
    unsigned failures = wiping_failures();
    struct fault why = FAULT_INIT;

    enum result result = decide(request, out, &why);
    if (wiping_failures() != failures)
        return fault_set_alert(fault, RESULT_NO_MEMORY, TLS_ALERT_INTERNAL_ERROR, "out of memory");
    if (result != RESULT_OK && fault)
        *fault = why;
    return result;
}
