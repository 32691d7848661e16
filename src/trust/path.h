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
 * x509/distinguished_name.h says. The work is bounded: at most PATH_SIGNATURES_MAX signatures are
 * asked about, and as many more as there are anchors. Those that an earlier handshake verified
 * count too, so that the verdict does not depend on what came before. On
 * RESULT_CERTIFICATE_REFUSED, FAULT says why, for the domain that came furthest, and names the
 * alert: unknown_ca, certificate_expired, certificate_revoked, bad_certificate,
 * unsupported_certificate; handshake_failure when there is no certificate at all. */
enum result path_validate(struct trust_store *store, const struct bytes *chain, size_t count,
    enum path_purpose purpose, int64_t now_s, struct path_verdict *out, struct fault *fault)
    WARN_UNUSED;

/* Each presented certificate with the key of one anchor and of every other but the leaf: whatever
 * the names are, that never ends too soon under one anchor of a name. With more anchors of one
 * name, and no key identifiers that say which, a leaf and one CA can be tried with all 64 that a
 * domain may have. The worst that a message can cost is then 145 verifications, about 11 ms; every
 * anchor of other domains allows one more, which costs something where they share that name. */
#define PATH_SIGNATURES_MAX (PATH_CERTIFICATES_MAX * PATH_CERTIFICATES_MAX)
