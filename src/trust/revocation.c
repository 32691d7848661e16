/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/revocation.h"

#include "trust/issuer.h"
#include "x509/distinguished_name.h"

void revocation_keys_add(struct revocation_keys *keys, const struct certificate *ca)
{
    if (!certificate_may_sign_crls(ca) || keys->count == REVOCATION_KEYS_MAX)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        if (bytes_equal(keys->points[i], ca->point))
            return;
    }
    keys->points[keys->count++] = ca->point;
}

void revocation_keys_of(const struct trust_domain *domain, const struct certificate *issuer,
    struct revocation_keys *out)
{
    out->count = 0;
    revocation_keys_add(out, issuer);
    for (size_t i = 0; i < domain->anchor_count; i++) {
        const struct certificate *anchor = &domain->anchors[i].certificate;
        if (distinguished_name_equal(anchor->subject, issuer->subject))
            revocation_keys_add(out, anchor);
    }
}

static bool is_signed_by(
    struct trust_store *store, const struct trust_crl *crl, const struct revocation_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (trust_crl_signature(store, crl, keys->points[i], true) == TRUST_SIGNATURE_GOOD)
            return true;
    }
    return false;
}

/* Why a CRL cannot tell that a certificate is not revoked. A later value means that fewer things
 * are wrong with the CRL. */
enum obstacle { OBSTACLE_ABSENT, OBSTACLE_SCOPE, OBSTACLE_KEY, OBSTACLE_TIME };

static const char *describe(enum obstacle obstacle, bool is_ca)
{
    switch (obstacle) {
    case OBSTACLE_SCOPE:
        return is_ca ? "the one at hand covers leaves only (onlyContainsUserCerts)"
                     : "the one at hand covers CA certificates only (onlyContainsCACerts)";
    case OBSTACLE_KEY:
        return "the one in its name is not signed by a trusted key of it";
    case OBSTACLE_TIME:
        return "the one at hand has run out";
    default:
        return "there is none in its name";
    }
}

struct revocation_finding revocation_of(struct trust_store *store, const struct crl_set *set,
    const struct certificate *certificate, const struct revocation_keys *keys, int64_t now_s)
{
    struct revocation_finding finding = {.revocation = REVOCATION_UNKNOWN};
    enum obstacle nearest = OBSTACLE_ABSENT;
    uint64_t issuer;
    if (!set || issuer_hash(certificate->issuer, &issuer) != RESULT_OK)
        set = NULL;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct trust_crl *each = set->crls[i];
        enum obstacle obstacle = OBSTACLE_TIME;
        if (each->issuer != issuer ||
            !distinguished_name_equal(each->crl.issuer, certificate->issuer))
            continue;
        if (!crl_covers(&each->crl, certificate->is_ca)) {
            obstacle = OBSTACLE_SCOPE;
        } else if (!is_signed_by(store, each, keys)) {
            obstacle = OBSTACLE_KEY;
            finding.is_unverified = true;
        } else if (crl_lists(&each->crl, certificate->serial)) {
            finding.revocation = REVOCATION_REVOKED;
            return finding;
        } else if (crl_is_current(&each->crl, now_s)) {
            finding.revocation = REVOCATION_NONE;
        }
        nearest = obstacle > nearest ? obstacle : nearest;
    }
    finding.why = describe(nearest, certificate->is_ca);
    return finding;
}
