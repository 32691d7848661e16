/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/authenticate.h"

#include <string.h>

#include "base/clock.h"
#include "tls/revocation.h"

/* The names that a certificate says, once its path is valid. */
static enum result match_certificate(const struct exchange *exchange,
    const struct presented *presented, struct authorisation *out, struct evidence *evidence,
    bool *certified, struct fault *fault)
{
    const struct snapshot *snapshot = exchange->snapshot;
    struct trust_store *trust = tls_context_trust(snapshot->tls);
    struct path_verdict verdict;

    enum result result = path_validate(trust, presented->chain, presented->chain_count, PATH_CLIENT,
        clock_wall_s(), &verdict, fault);
    *certified = verdict.certified;
    if (result == RESULT_OK)
        result = policy_match(snapshot->policy, tls_endpoint_number(exchange->endpoint),
            &verdict.names, false, verdict.trusted, exchange->from, out, fault);
    if (result != RESULT_OK)
        return result;
    return revocation_admit(trust, &verdict, (size_t)out->rule->trust, evidence, fault);
}

/* The key is all that a raw public key says: a rule names it. */
static enum result match_raw_public_key(const struct exchange *exchange,
    const struct presented *presented, struct authorisation *out, struct evidence *evidence,
    bool *certified, struct fault *fault)
{
    struct names names;

    evidence->size = 0; /* nobody revokes it but the policy */
    names.dns.count = names.uri.count = names.device.count = 0;
    enum result result = spki_digest(presented->key.spki, names.spki_digest);
    if (result != RESULT_OK)
        return result;
    result = policy_match(exchange->snapshot->policy, tls_endpoint_number(exchange->endpoint),
        &names, true, 0, exchange->from, out, fault);
    *certified = result == RESULT_OK;
    return result;
}

enum result authenticate_initiator(const struct exchange *exchange,
    const struct presented *presented, struct authorisation *out, struct evidence *evidence,
    bool *certified, struct fault *fault)
{
    *certified = false;
    bool raw = presented->type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    enum result result =
        raw ? match_raw_public_key(exchange, presented, out, evidence, certified, fault)
            : match_certificate(exchange, presented, out, evidence, certified, fault);

    if (result != RESULT_OK)
        return result;
    if (strcmp(out->identity, exchange->from) != 0)
        return fault_set_alert(fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
            "From is %s, but the %s is that of %s", exchange->from,
            raw ? "public key" : "certificate", out->identity);
    return RESULT_OK;
}
