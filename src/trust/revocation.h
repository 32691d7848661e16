/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CRLs of a trust domain say of a certificate while its path is validated (RFC 5280 6.3).
 * What later CRLs say of a path that was valid is in trust/review.h. */
#pragma once

#include "base/fault.h"
#include "trust/store.h"

/* The keys that may have signed the CRLs of one issuer (RFC 5280 6.3.3 (f), (g)): its own, and
 * those of other certificates with the same name that are trusted in the same domain, because a CA
 * has another key after a rollover. */
#define REVOCATION_KEYS_MAX (1 + TRUST_ANCHORS_MAX + PATH_CERTIFICATES_MAX)
struct revocation_keys {
    struct bytes points[REVOCATION_KEYS_MAX];
    size_t count;
};
/* Puts ISSUER's key and those of DOMAIN's anchors of the same name into OUT. */
void revocation_keys_of(const struct trust_domain *domain, const struct certificate *issuer,
    struct revocation_keys *out);
/* Adds the key of CA, unless CA may not sign CRLs or its key is among KEYS already. */
void revocation_keys_add(struct revocation_keys *keys, const struct certificate *ca);

enum revocation {
    REVOCATION_NONE,    /* a current CRL of its issuer covers it and does not list it */
    REVOCATION_REVOKED, /* a CRL of its issuer lists it, even one that is out of date */
    REVOCATION_UNKNOWN, /* there is no current CRL of its issuer */
};
struct revocation_finding {
    enum revocation revocation;
    bool is_unverified; /* none of the keys signed some CRL in the issuer's name */
    const char *why;    /* for REVOCATION_UNKNOWN: what is wrong with the CRLs that there are */
};
/* What the CRLs of SET, which may be NULL, say of CERTIFICATE at NOW_S; KEYS are its issuer's. */
struct revocation_finding revocation_of(struct trust_store *store, const struct crl_set *set,
    const struct certificate *certificate, const struct revocation_keys *keys, int64_t now_s);
