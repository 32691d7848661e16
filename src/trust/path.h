/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certification path validation (RFC 5280 6.1), all of it in one place.
 *
 * wolfSSL's own is not used: it takes intermediates of earlier clients into account, and leaves
 * name constraints of URI and otherName unchecked. The whole decision is taken here, before the
 * TLS engine sees the flight, from the presented certificates and the trust domain's anchors
 * alone. The engine then only proves that the peer holds the leaf's private key. */
#pragma once

#include "base/fault.h"
#include "trust/path_verdict.h"
#include "trust/store.h"

/* Which extKeyUsage the leaf needs, if it has any. */
enum path_purpose {
    PATH_CLIENT, /* clientAuth: an Initiating End-Point's */
    PATH_SERVER, /* serverAuth: a Terminating End-Point's */
};

/* CHAIN[0] is the leaf, the others in any order; those that cannot be parsed are left out. Checks
 * paths to each domain's anchors at NOW_S: signatures, dates, basicConstraints and path length,
 * keyUsage, name constraints (x509/constraints.h) at every CA, anchors' own included, certificate
 * policies where a CA asks for one; revocation by the CRLs of all domains, where the absence of the
 * domain's own is a reason to refuse if the policy requires them. Names are compared as
 * x509/distinguished_name.h says. The work is bounded: at most PATH_SIGNATURES_MAX signatures, and
 * one more for each anchor, are checked. A signature that is remembered from an earlier handshake
 * counts too, so that the verdict does not depend on earlier handshakes. On
 * RESULT_CERTIFICATE_REFUSED, FAULT says why, for the domain that came furthest, and names the
 * alert: unknown_ca, certificate_expired, certificate_revoked, bad_certificate,
 * unsupported_certificate; handshake_failure when there is no certificate at all. */
enum result path_validate(struct trust_store *store, const struct bytes *chain, size_t count,
    enum path_purpose purpose, int64_t now_s, struct path_verdict *out, struct fault *fault)
    WARN_UNUSED;

/* Enough to verify each presented certificate with the key of one anchor and with that of every
 * other presented certificate but the leaf. So the bound ends no search too early while anchors
 * have different names. Where several anchors of a domain share a name, and no key identifiers say
 * which is meant, a leaf and one CA can still be tried with all 64 that a domain may have. The most
 * that a message can cost is then 145 verifications, about 11 ms. Each anchor of another domain
 * allows one more, which is used only if it shares that name. */
#define PATH_SIGNATURES_MAX (PATH_CERTIFICATES_MAX * PATH_CERTIFICATES_MAX)
