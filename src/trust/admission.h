/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission: the one decision about whoever presents a certificate or a raw public key, in both
 * directions: an Initiating End-Point that asks one of ours, and a Terminating End-Point that we
 * ask. The daemon and the initiator act on it, and e2ekeyctl check-certificate prints it. */
#pragma once

#include "policy/match.h"
#include "trust/evidence.h"
#include "trust/path.h"

/* The two directions differ in whose rules admit, and in the purpose of the path. */
struct admission_request {
    struct trust_store *trust; /* the trust domains of the rules; NULL: no certificate is valid */

    /* An Initiating End-Point: by the rules of POLICY, whose trust store TRUST is. */
    const struct policy *policy;
    const char *from; /* absolute (TS-0001 7.2); "": no From to compare the identity with */
    /* A Terminating End-Point: by these rules, of the one identity that we ask (policy/match.h).
     * NULL: it is an Initiating one. */
    const struct policy_rule *expected;
    size_t expected_count;

    size_t endpoint;                /* number of ours, as the rules know it */
    struct certificate_types takes; /* policy_types_taken of ENDPOINT; or what we asked for */

    /* What was presented, by somebody who holds the private key; either of: */
    const struct bytes *chain; /* certificates, DER, the leaf first */
    size_t chain_count;
    struct bytes public_key; /* a raw public key, its SubjectPublicKeyInfo; empty: the chain */

    int64_t now_s; /* seconds since the epoch */
};

struct admission {
    struct authorisation authorised; /* the rule that matched, NULL: none has; and whom it admits */
    struct names names;              /* of what was presented, also when it is refused */
    bool certified;                  /* also of one who is refused: see admission_decide */
    uint64_t trusted;         /* bit i: trust domain i has a valid path; 0 for a raw public key */
    struct evidence evidence; /* of the path in the rule's domain; empty for a raw public key */
};

/* OUT->certified is true when an authority of a trust domain signed the certificate, whatever else
 * is wrong with it, or when a rule names the raw public key. So it is false for somebody who made
 * certificate or key without any of our authorities.
 *
 * Decides in this order: the type of what was presented (RFC 7250), the path (RFC 5280 6.1; by the
 * CRLs of all trust domains), the rule for its names or its key (TS-0003 8.1.2.5), and that From,
 * if there is one, is the identity that the rule admits. OUT holds what was found on the way, also
 * when the decision is to refuse: RESULT_TLS_REFUSED, RESULT_CERTIFICATE_REFUSED or
 * RESULT_NOT_AUTHORISED, with the reason and the alert for the peer in FAULT; RESULT_INTERNAL or
 * RESULT_NO_MEMORY without alert. */
enum result admission_decide(const struct admission_request *request, struct admission *out,
    struct fault *fault) WARN_UNUSED;
