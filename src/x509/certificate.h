/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One X.509 certificate, read strictly (DER, RFC 5280, the profile of TS-0003 10.1). */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "x509/public_key.h"

#define CERTIFICATE_OCTETS_MAX 8192
#define SERIAL_OCTETS_MAX      20 /* RFC 5280 4.1.2.2 */
#define PATH_CERTIFICATES_MAX  9  /* most that a peer may present, its own (the leaf) included */

/* Key usage bits that we look at (RFC 5280 4.2.1.3). */
#define KEY_USAGE_DIGITAL_SIGNATURE 0x01
#define KEY_USAGE_CERT_SIGN         0x02
#define KEY_USAGE_CRL_SIGN          0x04

/* A parsed certificate. All views point into its DER, which must outlive this. */
struct certificate {
    struct bytes der;                     /* all of it */
    struct bytes tbs;                     /* what is signed, header included */
    struct bytes signature;               /* DER ECDSA-Sig-Value */
    struct bytes serial;                  /* INTEGER content */
    struct bytes issuer;                  /* Name, header included (x509/distinguished_name.h) */
    struct bytes subject;                 /* the same */
    uint8_t issuer_digest[SHA256_OCTETS]; /* distinguished_name_digest: equal for equal names */
    uint8_t subject_digest[SHA256_OCTETS];
    struct bytes spki;             /* SubjectPublicKeyInfo, header included */
    struct bytes point;            /* P-256, uncompressed: P256_POINT_OCTETS */
    int64_t not_before_s;          /* seconds since the epoch, UTC */
    int64_t not_after_s;           /* the last valid second */
    struct bytes authority_key_id; /* empty = absent */
    struct bytes subject_key_id;
    struct bytes subject_alt_name; /* content of the extension's GeneralNames; empty = absent */
    struct bytes name_constraints; /* content of the extension's SEQUENCE; empty = absent */
    bool is_ca;                    /* basicConstraints cA */
    int path_length;               /* pathLenConstraint, at most DER_COUNT_MAX; -1 = none */
    bool has_key_usage;
    unsigned key_usage;      /* KEY_USAGE_… */
    bool has_extended_usage; /* extKeyUsage is present: client_usage and server_usage say whether it
                                allows clientAuth and serverAuth */
    bool client_usage, server_usage;
    struct bytes policies;        /* content of certificatePolicies; empty = absent */
    struct bytes policy_mappings; /* the same of policyMappings */
    /* policyConstraints and inhibitAnyPolicy, in certificates; -1 = absent */
    int require_explicit_policy, inhibit_policy_mapping, inhibit_any_policy;
};

/* Parses DER, all of which has to be one certificate of the profile. RESULT_CERTIFICATE_REFUSED,
 * with an alert in FAULT, when its encoding, version, algorithms or key are outside the profile, or
 * an extension is there twice, malformed, or critical and not understood. Does not check dates,
 * signature or path: see trust/path.h. */
enum result certificate_parse(struct bytes der, struct certificate *out, struct fault *fault)
    WARN_UNUSED;

/* Returns the certificate's public key, as a view into its DER. */
struct public_key certificate_key(const struct certificate *certificate);

/* Does CERTIFICATE name ISSUER's subject as its issuer (RFC 5280 7.1)? */
bool certificate_names_issuer(
    const struct certificate *certificate, const struct certificate *issuer);
/* Are its subject and its issuer the same name (RFC 5280 3.2)? */
bool certificate_is_self_issued(const struct certificate *certificate);

/* May its key sign CRLs (RFC 5280 6.3.3 (f))? Without a keyUsage extension it may. */
bool certificate_may_sign_crls(const struct certificate *certificate);
