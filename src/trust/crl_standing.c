/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/crl_standing.h"

#include "x509/distinguished_name.h"

static bool is_signed_by_authority(
    struct trust_store *store, const struct trust_domain *domain, const struct trust_crl *crl)
{
    struct trust_authority authorities[TRUST_AUTHORITIES_MAX];
    const uint64_t domains = UINT64_C(1) << (domain - store->domains);
    const size_t count = trust_find_authorities(store, domains, crl->issuer, authorities);
    for (size_t i = 0; i < count; i++) {
        struct bytes point = bytes_of(authorities[i].point, sizeof(authorities[i].point));
        if (trust_crl_signature(store, crl, point, true) == TRUST_SIGNATURE_GOOD)
            return true;
    }
    return false;
}

enum crl_standing crl_standing(
    struct trust_store *store, const struct trust_domain *domain, const struct trust_crl *crl)
{
    enum crl_standing standing = CRL_AWAITS_CA;
    for (size_t i = 0; i < domain->anchor_count; i++) {
        const struct trust_anchor *anchor = &domain->anchors[i];
        if (anchor->name != crl->issuer ||
            !distinguished_name_equal(anchor->certificate.subject, crl->crl.issuer))
            continue;
        standing = CRL_UNSIGNED;
        if (certificate_may_sign_crls(&anchor->certificate) &&
            trust_crl_signature(store, crl, anchor->certificate.point, true) ==
                TRUST_SIGNATURE_GOOD)
            return CRL_COUNTS;
    }
    return is_signed_by_authority(store, domain, crl) ? CRL_COUNTS : standing;
}
