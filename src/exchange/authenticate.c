/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/authenticate.h"

#include <string.h>

#include "base/clock.h"

enum result authenticate_initiator(const struct exchange *exchange, const struct message3 *message3,
    struct authorisation *out, struct evidence *evidence, struct fault *fault)
{
    const struct snapshot *snapshot = exchange->snapshot;
    struct path_verdict verdict;

    enum result result = path_validate(tls_context_trust(snapshot->tls), message3->chain,
        message3->chain_count, PATH_CLIENT, clock_wall_s(), &verdict, fault);
    if (result != RESULT_OK)
        return result;

    result = policy_match(snapshot->policy, tls_endpoint_number(exchange->endpoint), &verdict.names,
        false, verdict.trusted, exchange->from, out, fault);
    if (result != RESULT_OK)
        return result;

    if (strcmp(out->identity, exchange->from) != 0)
        return fault_set_alert(fault, RESULT_NOT_AUTHORISED, TLS_ALERT_ACCESS_DENIED,
            "From is %s, but the certificate is that of %s", exchange->from, out->identity);
    return evidence_write(
        tls_context_trust(snapshot->tls), &verdict, (size_t)out->rule->trust, evidence);
}
