/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/crl_set.h"

#include "tls/evidence.h"
#include "tls/pem.h"
#include "tls/trust.h"

#define CRL_FILE_OCTETS_MAX ((size_t)16 * 1024 * 1024)

bool crl_is_current(const struct crl *crl, int64_t now_s)
{
    return now_s >= crl->this_update_s && now_s <= crl->next_update_s;
}

bool crl_may_be_of(const struct crl *crl, const struct certificate *issuer)
{
    return bytes_equal(issuer->subject, crl->issuer) && certificate_may_sign_crls(issuer) &&
           (issuer->subject_key_id.size == 0 || crl->authority_key_id.size == 0 ||
               bytes_equal(issuer->subject_key_id, crl->authority_key_id));
}

bool crl_set_is_newest(const struct crl_set *set, const struct crl *crl)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct crl *other = &set->crls[i].crl;
        if (bytes_equal(other->issuer, crl->issuer) &&
            bytes_equal(other->authority_key_id, crl->authority_key_id) &&
            other->next_update_s > crl->next_update_s)
            return false;
    }
    return true;
}

/* --- references --- */

struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain)
{
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *set = domain->crls;
    if (set)
        atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&store->crls_lock);
    return set;
}

void crl_set_unref(struct crl_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        crl_release(&set->crls[i].crl);
        buffer_release(&set->crls[i].der);
    }
    free(set);
}

/* --- loading --- */

/* An anchor's name, but not its key: such a CRL would be passed over in silence. */
static enum result check_signer(
    const struct trust_domain *domain, const struct crl *crl, struct fault *fault)
{
    bool named = false;
    for (size_t i = 0; i < domain->anchor_count; i++) {
        const struct certificate *anchor = &domain->anchors[i].certificate;
        if (!bytes_equal(anchor->subject, crl->issuer))
            continue;
        named = true;
        if (crl_may_be_of(crl, anchor) && ecdsa_verify(anchor->point, crl->tbs, crl->signature))
            return RESULT_OK;
    }
    if (named)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "not signed by the anchor of that name");
    return RESULT_OK;
}

static enum result read_crl(
    const struct trust_domain *domain, struct trust_crl *out, struct fault *fault)
{
    struct bytes der = buffer_bytes(&out->der);
    enum result result = crl_parse(der, &out->crl, fault);
    if (result == RESULT_OK)
        result = check_signer(domain, &out->crl, fault);
    if (result == RESULT_OK)
        result = sha256_of(der, (struct bytes){0}, out->digest);
    if (result == RESULT_OK)
        result = evidence_issuer(out->crl.issuer, &out->issuer);
    return result;
}

/* What is in the slot already when this fails is released with the set. */
static enum result add_crl(const struct trust_domain *domain, struct crl_set *set, size_t file,
    size_t number, struct buffer *der, struct fault *fault)
{
    if (set->count == CRL_SET_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", CRL_SET_MAX);
    struct trust_crl *slot = &set->crls[set->count++];
    *slot = (struct trust_crl){.der = *der, .file = file, .number = number};
    *der = (struct buffer){0};
    return read_crl(domain, slot, fault);
}

static enum result read_file(
    const struct trust_domain *domain, struct crl_set *set, size_t number, struct fault *fault)
{
    const char *path = domain->trust->crls[number].path;
    AUTO_BUFFER struct buffer file = {0};
    set->prints[number] = file_print_of(path);
    enum result result = file_read(path, CRL_FILE_OCTETS_MAX, &file, fault);
    if (result != RESULT_OK)
        return result;
    struct bytes text = buffer_bytes(&file);
    for (size_t i = 1;; i++) {
        AUTO_BUFFER struct buffer der = {.limit = CRL_FILE_OCTETS_MAX};
        struct fault why = FAULT_INIT;
        result = pem_or_der_next(&text, "X509 CRL", &der, &why);
        if (result == RESULT_NOT_FOUND && i > 1)
            return RESULT_OK;
        if (result == RESULT_OK)
            result = add_crl(domain, set, number, i, &der, &why);
        if (result != RESULT_OK)
            return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: CRL %zu: %s", path, i, why.text);
    }
}

enum result crl_set_load(
    const struct trust_domain *domain, struct crl_set **out, struct report *report)
{
    const struct policy_trust *trust = domain->trust;
    size_t faults = report->faults;
    *out = NULL;
    if (trust->crl_count == 0)
        return RESULT_OK;
    CLEANUP(auto_crl_set_unref) struct crl_set *set = calloc(1, sizeof(*set));
    if (!set) {
        report_fault(report, &trust->place, "out of memory");
        return RESULT_NO_MEMORY;
    }
    set->references = 1;
    for (size_t i = 0; i < trust->crl_count; i++) {
        struct fault fault = FAULT_INIT;
        if (read_file(domain, set, i, &fault) != RESULT_OK)
            report_fault(report, &trust->crls[i].place, "%s", fault.text);
    }
    if (report->faults > faults)
        return RESULT_BAD_CONFIGURATION;
    *out = TAKE_PTR(set);
    return RESULT_OK;
}
