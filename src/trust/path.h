/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certification path validation (RFC 5280 6.1), all of it in one place.
 *
 * wolfSSL's own is not used: it takes intermediates of earlier clients into account, and leaves
 * name constraints of URI and otherName unchecked. The whole decision is taken here, before the
 * TLS engine sees the flight, from the presented certificates and the trust domain's anchors
 * alone. The engine then only proves that the peer holds the leaf's private key. */
#pragma once

#include "base/fault.h"
#include "identity/names.h"
#include "trust/store.h"
#include "x509/certificate.h"

/* Which extKeyUsage the leaf needs, if it has any. */
enum path_purpose {
    PATH_CLIENT, /* clientAuth: an Initiating End-Point's */
    PATH_SERVER, /* serverAuth: a Terminating End-Point's */
};

/* One valid path, by the numbers of its certificates. */
struct path {
    uint8_t length;                           /* without the anchor */
    uint8_t presented[PATH_CERTIFICATES_MAX]; /* the leaf first */
    uint8_t anchor;                           /* of its domain */
};

struct path_verdict {
    uint64_t trusted;        /* bit i: valid under domain i; not 0 on RESULT_OK */
    struct certificate leaf; /* views into CHAIN */
    struct names names;      /* the leaf's; also of a leaf that is refused, if it can be read */
    struct certificate presented[PATH_CERTIFICATES_MAX]; /* all zero where one cannot be read */
    struct path paths[POLICY_TRUST_MAX];                 /* by domain, for those that trust it */
};

/* CHAIN[0] is the leaf, the others in any order; those that cannot be parsed are left out. Checks
 * paths to each domain's anchors at NOW_S: signatures, dates, basicConstraints and path length,
 * keyUsage, name constraints (x509/constraints.h) at every CA, anchors' own included, certificate
 * policies where a CA asks for one; revocation by the domain's CRLs, whose absence is a reason to
 * refuse where the policy requires them. Names are compared as x509/distinguished_name.h says.
 * The work is bounded: at most PATH_SIGNATURES_MAX signatures are verified, and as many more as
 * there are anchors, each at most once. On RESULT_CERTIFICATE_REFUSED, FAULT says why, for the
 * domain that came furthest, and names the alert: unknown_ca 48, certificate_expired 45,
 * certificate_revoked 44, bad_certificate 42, unsupported_certificate 43; handshake_failure 40 when
 * there is no certificate at all. */
enum result path_validate(struct trust_store *store, const struct bytes *chain, size_t count,
    enum path_purpose purpose, int64_t now_s, struct path_verdict *out, struct fault *fault)
    WARN_UNUSED;

/* A path has PATH_CERTIFICATES_MAX signatures at most; the rest is for look-alikes. */
#define PATH_SIGNATURES_MAX 32
