/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/revocation.h"

#include <stdlib.h>
#include <string.h>

#include "tls/distinguished_name.h"
#include "tls/record.h"

/* --- while a path is validated --- */

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

/* Why a CRL does not help, the one that is nearest to it last. */
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
    if (!set || evidence_issuer(certificate->issuer, &issuer) != RESULT_OK)
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

/* --- afterwards, by evidence: first what costs little, the signature last --- */

static bool may_list(const struct trust_crl *crl, const struct evidence_link *link, bool is_ca)
{
    return (crl->issuer == link->issuer || crl->old_issuer == link->issuer) &&
           crl_covers(&crl->crl, is_ca) && crl_lists(&crl->crl, link->serial);
}

/* The domains, bit by bit, that have one of the issuers in EVIDENCE. */
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

/* Whether an anchor of CRL's issuer's name, in one of DOMAINS, signed it; UNKNOWN without a good
 * one and with one that was not tried. */
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

/* The same of intermediate CAs below an anchor of the name that ANCHOR stands for. */
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

/* Whether the issuer that LINK of EVIDENCE names signed CRL, with whichever of its keys. The first
 * link is that of the anchor (RFC 5280 6.3.3 (f): the paths of both end at the same). */
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

static bool set_condemns(
    struct trust_store *store, const struct crl_set *set, struct bytes evidence)
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

/* The domain whose CRLs do; NULL: none. */
static const struct trust_domain *find_condemning(struct trust_store *store, struct bytes evidence)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(store, &store->domains[i]);
        if (set && set_condemns(store, set, evidence))
            return &store->domains[i];
    }
    return NULL;
}

bool revocation_condemns(struct trust_store *store, struct bytes evidence)
{
    return find_condemning(store, evidence) != NULL;
}

enum result revocation_admit(struct trust_store *store, const struct path_verdict *verdict,
    size_t domain, struct evidence *out, struct fault *fault)
{
    enum result result = evidence_write(store, verdict, domain, out);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s", result_text(result));
    const struct trust_domain *by = find_condemning(store, bytes_of(out->octets, out->size));
    if (by)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_CERTIFICATE_REVOKED,
            "a certificate of the path is revoked by a CRL of trust domain %s", by->name);
    return RESULT_OK;
}

/* All domains' CRLs in one row, the issuers beside them: most keys are looked at in vain. */
struct revocation_view {
    struct trust_store *store;
    struct crl_set **sets; /* by domain */
    struct {
        uint64_t issuer, old_issuer;
        const struct trust_crl *crl;
    } * rows;
    size_t count;
};

static void add_set(struct revocation_view *view, const struct crl_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        view->rows[view->count].issuer = set->crls[i]->issuer;
        view->rows[view->count].old_issuer = set->crls[i]->old_issuer;
        view->rows[view->count++].crl = set->crls[i];
    }
}

static bool fill(struct revocation_view *view)
{
    struct trust_store *store = view->store;
    size_t count = 0;
    view->sets = calloc(store->domain_count + 1, sizeof(struct crl_set *));
    if (!view->sets)
        return false;
    for (size_t i = 0; i < store->domain_count; i++) {
        view->sets[i] = crl_set_of(store, &store->domains[i]);
        count += view->sets[i] ? view->sets[i]->count : 0;
    }
    view->rows = calloc(count + 1, sizeof(*view->rows));
    if (!view->rows)
        return false;
    for (size_t i = 0; i < store->domain_count; i++) {
        if (view->sets[i])
            add_set(view, view->sets[i]);
    }
    return true;
}

enum result revocation_view_new(struct trust_store *store, struct revocation_view **out)
{
    CLEANUP(auto_revocation_view_free) struct revocation_view *view = calloc(1, sizeof(*view));
    *out = NULL;
    if (!view)
        return RESULT_NO_MEMORY;
    view->store = store;
    if (!fill(view))
        return RESULT_NO_MEMORY;
    *out = TAKE_PTR(view);
    return RESULT_OK;
}

void revocation_view_free(struct revocation_view *view)
{
    if (!view)
        return;
    for (size_t i = 0; view->sets && i < view->store->domain_count; i++)
        crl_set_unref(view->sets[i]);
    free(view->sets);
    free(view->rows);
    free(view);
}

enum revocation_judgement revocation_view_judge(
    const struct revocation_view *view, struct bytes evidence)
{
    enum revocation_judgement judgement = JUDGEMENT_GOOD;
    struct evidence_link link;
    struct bytes rest = evidence;
    while (evidence_next(&rest, &link)) {
        for (size_t i = 0; i < view->count; i++) {
            if ((view->rows[i].issuer != link.issuer && view->rows[i].old_issuer != link.issuer) ||
                !may_list(view->rows[i].crl, &link, rest.size > 0))
                continue;
            switch (signature_of(view->store, view->rows[i].crl, &link, evidence, false)) {
            case TRUST_SIGNATURE_GOOD:
                return JUDGEMENT_REVOKED;
            case TRUST_SIGNATURE_UNKNOWN:
                judgement = JUDGEMENT_SUSPECT;
                break;
            default:
                break;
            }
        }
    }
    return judgement;
}

/* --- replacing them --- */

static bool is_other(const struct crl_set *a, const struct crl_set *b)
{
    for (size_t i = 0; a && b && i < a->slot_count; i++) {
        if (a->slots[i].file != b->slots[i].file || a->slots[i].kept != b->slots[i].kept)
            return true;
    }
    return !a != !b;
}

enum result revocation_reload(struct trust_store *store, size_t domain, bool *changed)
{
    CLEANUP(auto_crl_set_unref) struct crl_set *old = crl_set_of(store, &store->domains[domain]);
    struct crl_set *next;
    *changed = false;
    enum result result = crl_set_load(store, &store->domains[domain], old, &next);
    if (result != RESULT_OK)
        return result;
    *changed = is_other(old, next);
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *replaced = store->domains[domain].crls;
    store->domains[domain].crls = next;
    pthread_mutex_unlock(&store->crls_lock);
    crl_set_unref(replaced); /* outside the lock: it may free much */
    return RESULT_OK;
}

static bool names(const struct trust_domain *domain, const char *path)
{
    for (size_t i = 0; i < domain->trust->crl_count; i++) {
        if (strcmp(domain->trust->crls[i].path, path) == 0)
            return true;
    }
    return false;
}

static enum result succeed_domain(
    struct trust_domain *domain, const struct trust_domain *old_domain, const struct crl_set *old)
{
    enum result result = RESULT_OK;
    for (size_t i = 0; domain->crls && i < domain->trust->crl_count; i++) {
        for (size_t j = 0; j < old->slot_count && result == RESULT_OK; j++) {
            if (strcmp(domain->trust->crls[i].path, old_domain->trust->crls[j].path) == 0)
                result = crl_set_succeed(domain->crls, i, &old->slots[j]);
        }
        /* Afterwards, as what it finds is beside the other. */
        for (size_t j = 0; j < old->slot_count && result == RESULT_OK; j++) {
            if (!names(domain, old_domain->trust->crls[j].path))
                result = crl_set_keep_newer(domain->crls, i, &old->slots[j]);
        }
    }
    return result;
}

enum result revocation_succeed(struct trust_store *store, struct trust_store *old)
{
    enum result result = RESULT_OK;
    for (size_t i = 0; i < store->domain_count; i++) {
        for (size_t j = 0; j < old->domain_count && result == RESULT_OK; j++) {
            CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(old, &old->domains[j]);
            if (strcmp(store->domains[i].name, old->domains[j].name) != 0)
                continue;
            trust_carry_authorities(store, i, old, j);
            if (set)
                result = succeed_domain(&store->domains[i], &old->domains[j], set);
        }
    }
    return result;
}

struct file_print revocation_file_print(struct trust_store *store, size_t domain, size_t file)
{
    CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(store, &store->domains[domain]);
    return set ? set->slots[file].print : (struct file_print){0};
}
