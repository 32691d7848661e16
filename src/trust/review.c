/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/review.h"

#include <stdlib.h>
#include <string.h>

#include "trust/evidence.h"

/* --- one path: cheap comparisons come first, the signature last --- */

static bool may_list(const struct trust_crl *crl, const struct evidence_link *link, bool is_ca)
{
    return (crl->issuer == link->issuer || crl->old_issuer == link->issuer) &&
           crl_covers(&crl->crl, is_ca) && crl_lists(&crl->crl, link->serial);
}

/* The domains (bit i: domain i) in which one of the issuers in EVIDENCE is known. */
static uint64_t domains_of(struct trust_store *store, struct bytes evidence)
{
    struct evidence_link link;
    uint64_t domains = 0;
    while (evidence_next(&evidence, &link))
        domains |= trust_domains_with(store, link.point);
    return domains;
}

static void better(enum trust_signature *best, enum trust_signature signature)
{
    if (signature == TRUST_SIGNATURE_GOOD || *best == TRUST_SIGNATURE_BAD)
        *best = signature;
}

/* Has an anchor with the name of CRL's issuer, in one of DOMAINS, signed it? UNKNOWN when no anchor
 * is known to have signed it, and for one of them the signature is not known (trust_crl_signature).
 */
static enum trust_signature signature_of_anchors(
    struct trust_store *store, const struct trust_crl *crl, uint64_t domains, bool verify)
{
    enum trust_signature best = TRUST_SIGNATURE_BAD;
    for (size_t i = 0; i < store->domain_count; i++) {
        const struct trust_domain *domain = &store->domains[i];
        for (size_t j = 0; (domains >> i & 1) != 0 && j < domain->anchor_count; j++) {
            const struct trust_anchor *anchor = &domain->anchors[j];
            if (best != TRUST_SIGNATURE_GOOD && anchor->name == crl->issuer &&
                certificate_may_sign_crls(&anchor->certificate))
                better(&best, trust_crl_signature(store, crl, anchor->certificate.point, verify));
        }
    }
    return best;
}

/* The same question about intermediate CAs below an anchor whose name has the hash ANCHOR. */
static enum trust_signature signature_of_authorities(struct trust_store *store,
    const struct trust_crl *crl, uint64_t domains, uint64_t anchor, bool verify)
{
    struct trust_authority authorities[TRUST_AUTHORITIES_MAX];
    const size_t count = trust_find_authorities(store, domains, crl->issuer, authorities);
    enum trust_signature best = TRUST_SIGNATURE_BAD;
    for (size_t i = 0; i < count; i++) {
        struct bytes point = bytes_of(authorities[i].point, sizeof(authorities[i].point));
        if (best != TRUST_SIGNATURE_GOOD && authorities[i].anchor == anchor)
            better(&best, trust_crl_signature(store, crl, point, verify));
    }
    return best;
}

/* Has the issuer in LINK, one of EVIDENCE, signed CRL with any of its keys? The issuer in the first
 * link is the anchor, at which the path of the CRL's signer has to end too (RFC 5280 6.3.3 (f)). */
static enum trust_signature signature_of(struct trust_store *store, const struct trust_crl *crl,
    const struct evidence_link *link, struct bytes evidence, bool verify)
{
    static const uint8_t no_point[P256_POINT_OCTETS];
    const uint64_t domains = domains_of(store, evidence);
    enum trust_signature best = TRUST_SIGNATURE_BAD;
    struct evidence_link first;
    if (memcmp(link->point.data, no_point, sizeof(no_point)) != 0)
        best = trust_crl_signature(store, crl, link->point, verify);
    if (best != TRUST_SIGNATURE_GOOD)
        better(&best, signature_of_anchors(store, crl, domains, verify));
    if (best != TRUST_SIGNATURE_GOOD && evidence_next(&evidence, &first))
        better(&best, signature_of_authorities(store, crl, domains, first.issuer, verify));
    return best;
}

static bool set_revokes(struct trust_store *store, const struct crl_set *set, struct bytes evidence)
{
    struct evidence_link link;
    struct bytes rest = evidence;
    while (evidence_next(&rest, &link)) {
        for (size_t i = 0; i < set->count; i++) {
            const struct trust_crl *each = set->crls[i];
            if (may_list(each, &link, rest.size > 0) &&
                signature_of(store, each, &link, evidence, true) == TRUST_SIGNATURE_GOOD)
                return true;
        }
    }
    return false;
}

const struct trust_domain *review_find_revoking(struct trust_store *store, struct bytes evidence)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, &store->domains[i]);
        if (set && set_revokes(store, set, evidence))
            return &store->domains[i];
    }
    return NULL;
}

/* --- many paths, by the CRLs of one moment --- */

/* The CRLs of all domains in one array, with their issuers' hashes beside them: for most keys no
 * hash is equal, so that no CRL has to be searched. */
struct review {
    struct trust_store *store;
    struct crl_set **sets; /* by domain */
    struct {
        uint64_t issuer, old_issuer;
        const struct trust_crl *crl;
    } * rows;
    size_t count;
};

static void add_set(struct review *review, const struct crl_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        review->rows[review->count].issuer = set->crls[i]->issuer;
        review->rows[review->count].old_issuer = set->crls[i]->old_issuer;
        review->rows[review->count++].crl = set->crls[i];
    }
}

static bool fill(struct review *review)
{
    struct trust_store *store = review->store;
    size_t count = 0;
    review->sets = calloc(store->domain_count + 1, sizeof(struct crl_set *));
    if (!review->sets)
        return false;
    for (size_t i = 0; i < store->domain_count; i++) {
        review->sets[i] = crl_set_of(store, &store->domains[i]);
        count += review->sets[i] ? review->sets[i]->count : 0;
    }
    review->rows = calloc(count + 1, sizeof(*review->rows));
    if (!review->rows)
        return false;
    for (size_t i = 0; i < store->domain_count; i++) {
        if (review->sets[i])
            add_set(review, review->sets[i]);
    }
    return true;
}

enum result review_new(struct trust_store *store, struct review **out)
{
    struct review *review CLEANUP(auto_review_free) = calloc(1, sizeof(*review));
    *out = NULL;
    if (!review)
        return RESULT_NO_MEMORY;
    review->store = store;
    if (!fill(review))
        return RESULT_NO_MEMORY;
    *out = TAKE_PTR(review);
    return RESULT_OK;
}

void review_free(struct review *review)
{
    if (!review)
        return;
    for (size_t i = 0; review->sets && i < review->store->domain_count; i++)
        crl_set_unref(review->sets[i]);
    free(review->sets);
    free(review->rows);
    free(review);
}

enum review_answer review_look_up(const struct review *review, struct bytes evidence)
{
    enum review_answer answer = REVIEW_GOOD;
    struct evidence_link link;
    struct bytes rest = evidence;
    while (evidence_next(&rest, &link)) {
        for (size_t i = 0; i < review->count; i++) {
            if ((review->rows[i].issuer != link.issuer &&
                    review->rows[i].old_issuer != link.issuer) ||
                !may_list(review->rows[i].crl, &link, rest.size > 0))
                continue;
            switch (signature_of(review->store, review->rows[i].crl, &link, evidence, false)) {
            case TRUST_SIGNATURE_GOOD:
                return REVIEW_REVOKED;
            case TRUST_SIGNATURE_UNKNOWN:
                answer = REVIEW_SUSPECT;
                break;
            default:
                break;
            }
        }
    }
    return answer;
}
