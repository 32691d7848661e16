/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/revocation.h"

#include <stdlib.h>

/* --- while a path is validated --- */

enum revocation revocation_of(struct trust_store *store, const struct crl_set *set,
    const struct certificate *certificate, const struct certificate *issuer, int64_t now_s)
{
    enum revocation revocation = REVOCATION_UNKNOWN;
    for (size_t i = 0; set && i < set->count; i++) {
        const struct trust_crl *each = &set->crls[i];
        if (!crl_may_be_of(&each->crl, issuer) || !trust_crl_signed_by(store, each, issuer->point))
            continue;
        if (crl_lists(&each->crl, certificate->serial))
            return REVOCATION_REVOKED;
        if (crl_is_current(&each->crl, now_s))
            revocation = REVOCATION_NONE;
    }
    return revocation;
}

/* --- afterwards, by evidence: first what costs little, the signature last --- */

static bool set_condemns(
    struct trust_store *store, const struct crl_set *set, struct bytes evidence)
{
    struct evidence_link link;
    while (evidence_next(&evidence, &link)) {
        for (size_t i = 0; i < set->count; i++) {
            const struct trust_crl *each = &set->crls[i];
            if (each->issuer == link.issuer && crl_lists(&each->crl, link.serial) &&
                trust_crl_signed_by(store, each, link.point))
                return true;
        }
    }
    return false;
}

bool revocation_condemns(struct trust_store *store, struct bytes evidence)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(store, &store->domains[i]);
        if (set && set_condemns(store, set, evidence))
            return true;
    }
    return false;
}

/* All domains' CRLs in one row, the issuers beside them: most keys are looked at in vain. */
struct revocation_view {
    struct trust_store *store;
    struct crl_set **sets; /* by domain */
    uint64_t *issuers;
    const struct trust_crl **crls;
    size_t count;
};

static void add_set(struct revocation_view *view, const struct crl_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        view->issuers[view->count] = set->crls[i].issuer;
        view->crls[view->count++] = &set->crls[i];
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
    view->issuers = calloc(count + 1, sizeof(*view->issuers));
    view->crls = calloc(count + 1, sizeof(struct trust_crl *));
    if (!view->issuers || !view->crls)
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
    free(view->issuers);
    free(view->crls);
    free(view);
}

enum judgement revocation_view_judge(const struct revocation_view *view, struct bytes evidence)
{
    enum judgement judgement = JUDGEMENT_GOOD;
    struct evidence_link link;
    while (evidence_next(&evidence, &link)) {
        for (size_t i = 0; i < view->count; i++) {
            if (view->issuers[i] != link.issuer || !crl_lists(&view->crls[i]->crl, link.serial))
                continue;
            if (trust_crl_known_signed_by(view->store, view->crls[i], link.point))
                return JUDGEMENT_REVOKED;
            judgement = JUDGEMENT_SUSPECT;
        }
    }
    return judgement;
}

/* --- replacing them --- */

enum result revocation_reload(struct trust_store *store, size_t domain, struct report *report)
{
    struct crl_set *next;
    enum result result = crl_set_load(&store->domains[domain], &next, report);
    if (result != RESULT_OK)
        return result;
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *old = store->domains[domain].crls;
    store->domains[domain].crls = next;
    pthread_mutex_unlock(&store->crls_lock);
    crl_set_unref(old); /* outside the lock: it may free much */
    return RESULT_OK;
}

struct file_print revocation_file_print(struct trust_store *store, size_t domain, size_t file)
{
    CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(store, &store->domains[domain]);
    return set ? set->prints[file] : (struct file_print){0};
}
