/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a certificate revoked? By the CRLs of its trust domain (RFC 5280 6.3). */
#pragma once

#include "tls/trust.h"

/* Reads the CRLs that TRUST names (PEM, one or more, or one DER). A CRL that an anchor of the
 * domain should have signed has to verify; that of an intermediate CA is checked when its
 * certificate is presented. Faults, and warnings of dates, to REPORT. */
void revocation_load(
    struct trust_domain *domain, const struct policy_trust *trust, struct report *report);
void revocation_release(struct trust_domain *domain);

enum revocation {
    REVOCATION_NONE,    /* a current CRL of its issuer does not list it */
    REVOCATION_REVOKED, /* a CRL of its issuer lists it, be it out of date */
    REVOCATION_UNKNOWN, /* there is no current CRL of its issuer */
};
/* ISSUER has signed CERTIFICATE. */
enum revocation revocation_of(struct trust_store *store, const struct trust_domain *domain,
    const struct certificate *certificate, const struct certificate *issuer, int64_t now_s);
