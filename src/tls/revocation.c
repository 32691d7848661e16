/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/revocation.h"

#include "base/clock.h"
#include "base/file.h"
#include "tls/pem.h"

#define CRL_FILE_OCTETS_MAX ((size_t)16 * 1024 * 1024)

static bool is_current(const struct crl *crl, int64_t now_s)
{
    return now_s >= crl->this_update_s && now_s <= crl->next_update_s;
}

/* RFC 5280 6.3.3 (f): by name and key identifier; cRLSign where keyUsage is there. */
static bool may_have_signed(const struct certificate *issuer, const struct crl *crl)
{
    return bytes_equal(issuer->subject, crl->issuer) &&
           (!issuer->has_key_usage || (issuer->key_usage & KEY_USAGE_CRL_SIGN) != 0) &&
           (issuer->subject_key_id.size == 0 || crl->authority_key_id.size == 0 ||
               bytes_equal(issuer->subject_key_id, crl->authority_key_id));
}

enum revocation revocation_of(struct trust_store *store, const struct trust_domain *domain,
    const struct certificate *certificate, const struct certificate *issuer, int64_t now_s)
{
    enum revocation revocation = REVOCATION_UNKNOWN;
    for (size_t i = 0; i < domain->crl_count; i++) {
        const struct trust_crl *each = &domain->crls[i];
        if (!may_have_signed(issuer, &each->crl) || !trust_crl_signed_by(store, each, issuer))
            continue;
        if (crl_lists(&each->crl, certificate->serial))
            return REVOCATION_REVOKED;
        if (is_current(&each->crl, now_s))
            revocation = REVOCATION_NONE;
    }
    return revocation;
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
        if (may_have_signed(anchor, crl) && ecdsa_verify(anchor->point, crl->tbs, crl->signature))
            return RESULT_OK;
    }
    if (named)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "not signed by the anchor of that name");
    return RESULT_OK;
}

/* Takes DER over. */
static enum result add_crl(struct trust_domain *domain, struct buffer *der, struct fault *fault)
{
    CLEANUP(crl_release) struct crl crl = {0};
    struct trust_crl *slot = &domain->crls[domain->crl_count];
    if (domain->crl_count == TRUST_CRLS_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", TRUST_CRLS_MAX);
    enum result result = crl_parse(buffer_bytes(der), &crl, fault);
    if (result == RESULT_OK)
        result = check_signer(domain, &crl, fault);
    if (result == RESULT_OK)
        result = sha256_of(buffer_bytes(der), (struct bytes){0}, slot->digest);
    if (result != RESULT_OK)
        return result;
    slot->crl = crl;
    slot->der = *der;
    domain->crl_count++;
    crl = (struct crl){0};
    *der = (struct buffer){0};
    return RESULT_OK;
}

static enum result read_crls(struct trust_domain *domain, const char *path, struct fault *fault)
{
    AUTO_BUFFER struct buffer file = {0};
    enum result result = file_read(path, CRL_FILE_OCTETS_MAX, &file, fault);
    if (result != RESULT_OK)
        return result;
    struct bytes text = buffer_bytes(&file);
    for (size_t number = 1;; number++) {
        AUTO_BUFFER struct buffer der = {.limit = CRL_FILE_OCTETS_MAX};
        struct fault why = FAULT_INIT;
        result = pem_or_der_next(&text, "X509 CRL", &der, &why);
        if (result == RESULT_NOT_FOUND && number > 1)
            return RESULT_OK;
        if (result == RESULT_OK)
            result = add_crl(domain, &der, &why);
        if (result != RESULT_OK)
            return fault_set(
                fault, RESULT_BAD_CONFIGURATION, "%s: CRL %zu: %s", path, number, why.text);
    }
}

/* Said before it hurts, and worth a line when it does: with requireCrl nobody gets in. */
static void warn_of_dates(const struct trust_domain *domain, size_t first,
    const struct policy_file *file, struct report *report)
{
    int64_t now_s = clock_wall_s();
    for (size_t i = first; i < domain->crl_count; i++) {
        const struct crl *crl = &domain->crls[i].crl;
        if (!is_current(crl, now_s))
            report_warning(report, &file->place, "%s: CRL %zu: %s", file->path, i - first + 1,
                now_s > crl->next_update_s ? "out of date" : "not valid yet");
    }
}

static void load_file(
    struct trust_domain *domain, const struct policy_file *file, struct report *report)
{
    struct fault fault = FAULT_INIT;
    size_t first = domain->crl_count;
    if (read_crls(domain, file->path, &fault) != RESULT_OK)
        report_fault(report, &file->place, "%s", fault.text);
    else
        warn_of_dates(domain, first, file, report);
}

void revocation_load(
    struct trust_domain *domain, const struct policy_trust *trust, struct report *report)
{
    domain->require_crl = trust->require_crl;
    if (trust->crl_count == 0)
        return;
    domain->crls = calloc(TRUST_CRLS_MAX, sizeof(*domain->crls));
    if (!domain->crls) {
        report_fault(report, &trust->place, "out of memory");
        return;
    }
    for (size_t i = 0; i < trust->crl_count; i++)
        load_file(domain, &trust->crls[i], report);
}

void revocation_release(struct trust_domain *domain)
{
    for (size_t i = 0; i < domain->crl_count; i++) {
        crl_release(&domain->crls[i].crl);
        buffer_release(&domain->crls[i].der);
    }
    free(domain->crls);
}

/* --- status --- */

/* An older CRL of the same issuer doesn't matter. */
static bool is_newest(const struct trust_domain *domain, const struct crl *crl)
{
    for (size_t i = 0; i < domain->crl_count; i++) {
        const struct crl *other = &domain->crls[i].crl;
        if (bytes_equal(other->issuer, crl->issuer) &&
            bytes_equal(other->authority_key_id, crl->authority_key_id) &&
            other->next_update_s > crl->next_update_s)
            return false;
    }
    return true;
}

bool trust_store_crl_expiry(const struct trust_store *store, size_t domain, int64_t *next_update_s)
{
    bool found = false;
    if (domain >= store->domain_count)
        return false;
    for (size_t i = 0; i < store->domains[domain].crl_count; i++) {
        const struct crl *crl = &store->domains[domain].crls[i].crl;
        if (!is_newest(&store->domains[domain], crl) ||
            (found && crl->next_update_s >= *next_update_s))
            continue;
        *next_update_s = crl->next_update_s;
        found = true;
    }
    return found;
}
