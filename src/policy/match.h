/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule the certificate or raw public key of the other side matches (TS-0003 8.1.2.5): of an
 * initiator one of the policy, of a terminating end-point one of those for whom we asked. */
#pragma once

#include "base/fault.h"
#include "policy/policy.h"

struct authorisation {
    const struct policy_rule *rule;   /* of the policy */
    char identity[IDENTIFIER_OCTETS]; /* the peer of the key: the rule's identity or, if that is a
                                         pattern, the certificate's own name */
};

/* The certificate types of RFC 7250. */
struct certificate_types {
    bool x509, raw_public_key;
};
/* The types that end-point number ENDPOINT accepts from initiators: those for which it has rules.
 * An end-point without rules accepts X.509, and then refuses each certificate. */
struct certificate_types policy_types_taken(const struct policy *policy, size_t endpoint);

/* RESULT_NOT_AUTHORISED, with the TLS alert, when no rule gives the identity FROM at any end-point:
 * whatever certificate such an originator has, policy_match and its caller would refuse it. */
enum result policy_check_from(const struct policy *policy, const char *from, struct fault *fault)
    WARN_UNUSED;

/* Finds the rule for an initiator at end-point number ENDPOINT, and writes it to OUT.
 * TRUSTED has bit i set when the certificate's path is valid under policy->trust[i]; it is 0 for a
 * raw public key. FROM is the absolute identifier of the request's originator.
 * A rule matches when its name is exactly one of NAMES and its trust domain is among TRUSTED. If
 * several rules match, one that gives the identity FROM goes first, then an exact rule before a
 * pattern, then the order of the policy.
 * RESULT_CERTIFICATE_REFUSED when no rule matches: the handshake has to be aborted.
 * RESULT_NOT_AUTHORISED when rules match, but none of them is for this end-point.
 * Both set the TLS alert to send in FAULT. */
enum result policy_match(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, const char *from, struct authorisation *out,
    struct fault *fault) WARN_UNUSED;

/* The same when we are the initiator, with our end-point number ENDPOINT, and so know beforehand
 * who has to answer. EXPECTED are COUNT rules, from 1 to RULE_LIST_MAX (policy/index.h), each of
 * which says one of the ways in which a credential may name that identity. It is the same in all of
 * them, and no pattern. The reasons to refuse are the same too. */
enum result policy_match_expected(const struct policy_rule *expected, size_t count, size_t endpoint,
    const struct names *names, bool raw_public_key, uint64_t trusted, struct authorisation *out,
    struct fault *fault) WARN_UNUSED;
