/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/store_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wipe.h"
#include "trust/crl_set_load.h"
#include "trust/issuer.h"
#include "trust/rule_reach.h"
#include "x509/pem.h"

#define ANCHORS_FILE_OCTETS_MAX ((size_t)256 * 1024)

/* --- anchors --- */

/* An anchor needs no keyUsage, since self-signed certificates often lack it. If it has one, it has
 * to allow signing certificates. */
static enum result check_anchor(const struct certificate *anchor, struct fault *fault)
{
    if (!anchor->is_ca || (anchor->has_key_usage && !(anchor->key_usage & KEY_USAGE_CERT_SIGN)))
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "not a CA certificate");
    return RESULT_OK;
}

/* Appends the certificate in DER to DOMAIN's anchors, unless it is one already. Takes over the
 * octets of DER when it appends them, and leaves DER empty. */
static enum result add_anchor(struct trust_domain *domain, struct buffer *der, struct fault *fault)
{
    struct certificate certificate;
    uint64_t name;
    TRY(certificate_parse(buffer_bytes(der), &certificate, fault));
    TRY(check_anchor(&certificate, fault));
    if (trust_has_anchor(domain, certificate.der))
        return RESULT_OK;
    if (issuer_hash(certificate.subject, &name) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    if (domain->anchor_count == TRUST_ANCHORS_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", TRUST_ANCHORS_MAX);
    domain->anchors[domain->anchor_count++] = (struct trust_anchor){*der, certificate, name};
    *der = (struct buffer){0};
    return RESULT_OK;
}

static enum result read_anchors(
    struct trust_domain *domain, const char *path, struct bytes text, struct fault *fault)
{
    for (size_t number = 1;; number++) {
        struct buffer der AUTO_BUFFER = {.limit = ANCHORS_FILE_OCTETS_MAX};
        struct fault why = FAULT_INIT;
        enum result result = pem_or_der_next(&text, "CERTIFICATE", &der, &why);
        if (result == RESULT_NOT_FOUND && number > 1)
            return RESULT_OK;
        if (result == RESULT_OK)
            result = add_anchor(domain, &der, &why);
        if (result != RESULT_OK)
            return fault_set(
                fault, RESULT_BAD_CONFIGURATION, "%s: certificate %zu: %s", path, number, why.text);
    }
}

static enum result load_anchors(struct trust_domain *domain, const char *path, struct fault *fault)
{
    struct buffer file AUTO_BUFFER = {0};
    TRY(file_read(path, ANCHORS_FILE_OCTETS_MAX, &file, fault));
    domain->anchors = calloc(TRUST_ANCHORS_MAX, sizeof(*domain->anchors));
    if (!domain->anchors)
        return fault_set(fault, RESULT_NO_MEMORY, "%s: out of memory", path);
    return read_anchors(domain, path, buffer_bytes(&file), fault);
}

/* --- the store --- */

static void warn_of_dates(const struct trust_domain *domain, const struct policy_trust *trust,
    int64_t now_s, struct report *report)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        const struct certificate *anchor = &domain->anchors[i].certificate;
        if (now_s < anchor->not_before_s || now_s > anchor->not_after_s)
            report_warning(report, &trust->anchors.place, "%s: certificate %zu: %s",
                trust->anchors.path, i + 1,
                now_s > anchor->not_after_s ? "expired" : "not valid yet");
    }
}

static void load_domain(struct trust_store *store, struct trust_domain *domain,
    const struct policy_trust *trust, struct report *report)
{
    struct fault fault = FAULT_INIT;
    domain->name = trust->name;
    domain->trust = trust;
    domain->require_crl = trust->require_crl;
    if (!trust->anchors.path)
        report_fault(report, &trust->place, "no anchors");
    else if (load_anchors(domain, trust->anchors.path, &fault) != RESULT_OK)
        report_fault(report, &trust->anchors.place, "%s", fault.text);
    else
        warn_of_dates(domain, trust, clock_wall_s(), report);
    if (crl_set_load(store, domain, NULL, &domain->crls) != RESULT_OK)
        report_fault(report, &trust->place, "out of memory");
}

enum result trust_store_new(
    const struct policy *policy, struct trust_store **out, struct report *report)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    size_t faults = report->faults;
    *out = NULL;
    enum result result = trust_store_alloc(policy->trust_count, &store);
    if (result != RESULT_OK) {
        report_fault(report, NULL, "%s", result_text(result));
        return result;
    }
    for (size_t i = 0; i < policy->trust_count; i++)
        load_domain(store, &store->domains[i], &policy->trust[i], report);
    if (report->faults == faults)
        reach_check(policy, store->domains, report);
    if (report->faults > faults)
        return RESULT_BAD_CONFIGURATION;
    *out = TAKE_PTR(store);
    return RESULT_OK;
}

enum result trust_store_of_file(const char *path, struct trust_store **out, struct fault *fault)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    *out = NULL;
    enum result result = trust_store_alloc(1, &store);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s: %s", path, result_text(result));
    store->domains[0].name = "anchors";
    TRY(load_anchors(&store->domains[0], path, fault));
    *out = TAKE_PTR(store);
    return RESULT_OK;
}

/* --- CRL files that change --- */

static bool is_other(const struct crl_set *a, const struct crl_set *b)
{
    for (size_t i = 0; a && b && i < a->slot_count; i++) {
        if (a->slots[i].file != b->slots[i].file || a->slots[i].kept != b->slots[i].kept)
            return true;
    }
    return !a != !b;
}

enum result trust_store_reload_crls(struct trust_store *store, size_t domain, bool *changed)
{
    struct trust_domain *reloaded = &store->domains[domain];
    struct crl_set *old CLEANUP(auto_crl_set_unref) = crl_set_of(store, reloaded);
    struct crl_set *next;
    unsigned failures = wiping_failures();
    *changed = false;
    TRY(crl_set_load(store, reloaded, old, &next));
    if (wiping_failures() != failures) { /* what is wrong with a CRL may be that */
        crl_set_unref(next);
        return RESULT_NO_MEMORY;
    }
    *changed = is_other(old, next);
    trust_store_replace_crls(store, reloaded, next);
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

static enum result keep_crls_of_domain(
    struct trust_domain *domain, const struct trust_domain *old_domain, const struct crl_set *old)
{
    for (size_t i = 0; domain->crls && i < domain->trust->crl_count; i++) {
        for (size_t j = 0; j < old->slot_count; j++) {
            if (strcmp(domain->trust->crls[i].path, old_domain->trust->crls[j].path) == 0)
                TRY(crl_set_inherit(domain->crls, i, &old->slots[j]));
        }
        /* Afterwards, since it keeps CRLs beside those that crl_set_inherit leaves in force. */
        for (size_t j = 0; j < old->slot_count; j++) {
            if (!names(domain, old_domain->trust->crls[j].path))
                TRY(crl_set_keep_newer(domain->crls, i, &old->slots[j]));
        }
    }
    return RESULT_OK;
}

static bool has_domain(const struct trust_store *store, const char *name)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        if (strcmp(store->domains[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool shares_anchor(const struct trust_domain *domain, const struct trust_domain *other)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        if (trust_has_anchor(other, domain->anchors[i].certificate.der))
            return true;
    }
    return false;
}

/* Is OLD_DOMAIN what DOMAIN was before the reload, perhaps under another name? */
static bool corresponds(const struct trust_store *store, const struct trust_domain *domain,
    const struct trust_store *old, const struct trust_domain *old_domain)
{
    if (strcmp(domain->name, old_domain->name) == 0)
        return true;
    return !has_domain(old, domain->name) && !has_domain(store, old_domain->name) &&
           shares_anchor(domain, old_domain);
}

enum result trust_store_keep_crls(struct trust_store *store, struct trust_store *old)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        for (size_t j = 0; j < old->domain_count; j++) {
            struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(old, &old->domains[j]);
            if (!corresponds(store, &store->domains[i], old, &old->domains[j]))
                continue;
            trust_carry_authorities(store, i, old, j);
            if (set)
                TRY(keep_crls_of_domain(&store->domains[i], &old->domains[j], set));
        }
    }
    return RESULT_OK;
}

struct file_print trust_store_crl_print(struct trust_store *store, size_t domain, size_t file)
{
    struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, &store->domains[domain]);
    return set ? set->slots[file].print : (struct file_print){0};
}
