/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/trust.h"

#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tls/evidence.h"
#include "tls/pem.h"
#include "tls/reach.h"

/* --- the memory of verified signatures --- */

static uint8_t *slot_of(struct trust_memory *memory, const uint8_t digest[SHA256_OCTETS])
{
    return memory->digest[(digest[0] << 8 | digest[1]) % TRUST_MEMORY_SLOTS];
}

static bool remembers(struct trust_memory *memory, const uint8_t digest[SHA256_OCTETS])
{
    pthread_mutex_lock(&memory->lock);
    bool found = memcmp(slot_of(memory, digest), digest, SHA256_OCTETS) == 0;
    pthread_mutex_unlock(&memory->lock);
    return found;
}

static void remember(struct trust_memory *memory, const uint8_t digest[SHA256_OCTETS])
{
    pthread_mutex_lock(&memory->lock);
    memcpy(slot_of(memory, digest), digest, SHA256_OCTETS);
    pthread_mutex_unlock(&memory->lock);
}

/* IDENTITY stands for all of a signed object: its DER, or of a CRL, which can be large, the digest
 * of that. A point is of one size, so the two can't be mistaken. */
static bool digest_of(struct bytes point, struct bytes identity, uint8_t digest[SHA256_OCTETS])
{
    return sha256_of(point, identity, digest) == RESULT_OK;
}

bool trust_signed_by(struct trust_store *store, const struct certificate *certificate,
    const struct certificate *issuer, struct trust_effort *effort)
{
    uint8_t digest[SHA256_OCTETS];
    if (!digest_of(issuer->point, certificate->der, digest))
        return false;
    for (size_t i = 0; i < effort->answers && i < TRUST_ANSWERS_MAX; i++) {
        if (memcmp(effort->answer[i].digest, digest, SHA256_OCTETS) == 0)
            return effort->answer[i].good;
    }
    if (effort->left == 0) {
        effort->exhausted = true;
        return false;
    }
    effort->left--;
    bool remembered = remembers(&store->memory, digest);
    bool good = remembered || ecdsa_verify(issuer->point, certificate->tbs, certificate->signature);
    if (good && !remembered)
        remember(&store->memory, digest);
    const size_t place = effort->answers++ % TRUST_ANSWERS_MAX;
    memcpy(effort->answer[place].digest, digest, SHA256_OCTETS);
    effort->answer[place].good = good;
    return good;
}

/* A bad signature is remembered by the complement of its digest, in the same place. */
static enum trust_signature recall(struct trust_memory *memory, const uint8_t digest[SHA256_OCTETS],
    const uint8_t complement[SHA256_OCTETS])
{
    enum trust_signature signature = TRUST_SIGNATURE_UNKNOWN;
    pthread_mutex_lock(&memory->lock);
    const uint8_t *slot = slot_of(memory, digest);
    if (memcmp(slot, digest, SHA256_OCTETS) == 0)
        signature = TRUST_SIGNATURE_GOOD;
    else if (memcmp(slot, complement, SHA256_OCTETS) == 0)
        signature = TRUST_SIGNATURE_BAD;
    pthread_mutex_unlock(&memory->lock);
    return signature;
}

static void remember_bad(struct trust_memory *memory, const uint8_t digest[SHA256_OCTETS],
    const uint8_t complement[SHA256_OCTETS])
{
    pthread_mutex_lock(&memory->lock);
    memcpy(slot_of(memory, digest), complement, SHA256_OCTETS);
    pthread_mutex_unlock(&memory->lock);
}

enum trust_signature trust_crl_signature(
    struct trust_store *store, const struct trust_crl *crl, struct bytes point, bool verify)
{
    uint8_t digest[SHA256_OCTETS], complement[SHA256_OCTETS];
    if (!digest_of(point, bytes_of(crl->digest, sizeof(crl->digest)), digest))
        return TRUST_SIGNATURE_UNKNOWN;
    for (size_t i = 0; i < SHA256_OCTETS; i++)
        complement[i] = (uint8_t)~digest[i];
    enum trust_signature signature = recall(&store->memory, digest, complement);
    if (signature != TRUST_SIGNATURE_UNKNOWN || !verify)
        return signature;
    switch (ecdsa_check(point, crl->crl.tbs, crl->crl.signature)) {
    case RESULT_OK:
        remember(&store->memory, digest);
        return TRUST_SIGNATURE_GOOD;
    case RESULT_BAD_INPUT:
        remember_bad(&store->memory, digest, complement);
        return TRUST_SIGNATURE_BAD;
    default:
        return TRUST_SIGNATURE_UNKNOWN;
    }
}

/* --- authorities --- */

static bool is_noted(
    const struct trust_authorities *authorities, const struct trust_authority *authority)
{
    for (size_t i = 0; i < authorities->count; i++) {
        const struct trust_authority *each = &authorities->items[i];
        if (each->domain == authority->domain && each->anchor == authority->anchor &&
            each->name == authority->name &&
            memcmp(each->point, authority->point, sizeof(each->point)) == 0)
            return true;
    }
    return false;
}

static bool is_known(const struct trust_domain *domain, struct bytes der)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        if (bytes_equal(domain->anchors[i].certificate.der, der))
            return true;
    }
    return false;
}

/* Adds it, in the place of the oldest when there is none left. False: it is there already. */
static bool add_authority(
    struct trust_authorities *authorities, const struct trust_authority *authority)
{
    if (is_noted(authorities, authority))
        return false;
    authorities->items[authorities->next] = *authority;
    authorities->next = (authorities->next + 1) % TRUST_AUTHORITIES_MAX;
    if (authorities->count < TRUST_AUTHORITIES_MAX)
        authorities->count++;
    return true;
}

static bool has_crl_of(struct trust_store *store, uint64_t name)
{
    bool has = false;
    for (size_t i = 0; i < store->domain_count; i++) {
        CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(store, &store->domains[i]);
        for (size_t j = 0; set && j < set->count; j++)
            has |= set->crls[j]->issuer == name;
    }
    return has;
}

void trust_note_authority(struct trust_store *store, const struct trust_domain *domain,
    size_t anchor, const struct certificate *ca)
{
    struct trust_authorities *authorities = &store->authorities;
    struct trust_authority authority = {
        .domain = (size_t)(domain - store->domains), .anchor = domain->anchors[anchor].name};
    if (!certificate_may_sign_crls(ca) ||
        evidence_issuer(ca->subject, &authority.name) != RESULT_OK)
        return;
    memcpy(authority.point, ca->point.data, sizeof(authority.point));
    pthread_mutex_lock(&authorities->lock);
    const bool is_new = add_authority(authorities, &authority);
    pthread_mutex_unlock(&authorities->lock);
    if (!is_new || !has_crl_of(store, authority.name))
        return;
    pthread_mutex_lock(&authorities->lock);
    if (authorities->wake >= 0)
        eventfd_write(authorities->wake, 1);
    pthread_mutex_unlock(&authorities->lock);
}

void trust_wake_by(struct trust_store *store, int fd)
{
    pthread_mutex_lock(&store->authorities.lock);
    store->authorities.wake = fd;
    pthread_mutex_unlock(&store->authorities.lock);
}

/* Is each anchor of that NAME in OLD one of DOMAIN too? */
static bool has_all_anchors(
    const struct trust_domain *domain, const struct trust_domain *old, uint64_t name)
{
    for (size_t i = 0; i < old->anchor_count; i++) {
        if (old->anchors[i].name == name && !is_known(domain, old->anchors[i].certificate.der))
            return false;
    }
    return true;
}

void trust_carry_authorities(
    struct trust_store *store, size_t domain, struct trust_store *old, size_t old_domain)
{
    struct trust_authorities *authorities = &old->authorities;
    pthread_mutex_lock(&authorities->lock);
    for (size_t i = 0; i < authorities->count; i++) {
        struct trust_authority each =
            authorities->items[(authorities->next + i) % authorities->count]; /* oldest first */
        if (each.domain != old_domain ||
            !has_all_anchors(&store->domains[domain], &old->domains[old_domain], each.anchor))
            continue;
        each.domain = domain;
        (void)add_authority(&store->authorities, &each);
    }
    pthread_mutex_unlock(&authorities->lock);
}

size_t trust_find_authorities(
    struct trust_store *store, uint64_t domains, uint64_t name, struct trust_authority *out)
{
    struct trust_authorities *authorities = &store->authorities;
    size_t found = 0;
    pthread_mutex_lock(&authorities->lock);
    for (size_t i = 0; i < authorities->count; i++) {
        const struct trust_authority *each = &authorities->items[i];
        if (each->name == name && (domains >> each->domain & 1) != 0)
            out[found++] = *each;
    }
    pthread_mutex_unlock(&authorities->lock);
    return found;
}

uint64_t trust_domains_with(struct trust_store *store, struct bytes point)
{
    struct trust_authorities *authorities = &store->authorities;
    uint64_t domains = 0;
    for (size_t i = 0; i < store->domain_count; i++) {
        const struct trust_domain *domain = &store->domains[i];
        for (size_t j = 0; j < domain->anchor_count; j++) {
            if (bytes_equal(domain->anchors[j].certificate.point, point))
                domains |= UINT64_C(1) << i;
        }
    }
    pthread_mutex_lock(&authorities->lock);
    for (size_t i = 0; i < authorities->count; i++) {
        const struct trust_authority *each = &authorities->items[i];
        if (bytes_equal(bytes_of(each->point, sizeof(each->point)), point))
            domains |= UINT64_C(1) << each->domain;
    }
    pthread_mutex_unlock(&authorities->lock);
    return domains;
}

/* --- anchors --- */

/* A key usage that an anchor has binds it; it needn't have one, as self-signed ones often don't. */
static enum result check_anchor(const struct certificate *anchor, struct fault *fault)
{
    if (!anchor->is_ca || (anchor->has_key_usage && !(anchor->key_usage & KEY_USAGE_CERT_SIGN)))
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "not a CA certificate");
    return RESULT_OK;
}

/* Takes DER over. */
static enum result add_anchor(struct trust_domain *domain, struct buffer *der, struct fault *fault)
{
    struct certificate certificate;
    uint64_t name;
    enum result result = certificate_parse(buffer_bytes(der), &certificate, fault);
    if (result == RESULT_OK)
        result = check_anchor(&certificate, fault);
    if (result == RESULT_OK)
        result = evidence_issuer(certificate.subject, &name);
    if (result != RESULT_OK || is_known(domain, certificate.der))
        return result;
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
        AUTO_BUFFER struct buffer der = {.limit = TRUST_FILE_OCTETS_MAX};
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
    AUTO_BUFFER struct buffer file = {0};
    enum result result = file_read(path, TRUST_FILE_OCTETS_MAX, &file, fault);
    if (result != RESULT_OK)
        return result;
    domain->anchors = calloc(TRUST_ANCHORS_MAX, sizeof(*domain->anchors));
    if (!domain->anchors)
        return fault_set(fault, RESULT_NO_MEMORY, "%s: out of memory", path);
    return read_anchors(domain, path, buffer_bytes(&file), fault);
}

/* --- the store --- */

static enum result store_new(size_t domain_count, struct trust_store **out)
{
    struct trust_store *store = calloc(1, sizeof(*store));
    if (!store)
        return RESULT_NO_MEMORY;
    pthread_mutex_init(&store->memory.lock, NULL);
    pthread_mutex_init(&store->crls_lock, NULL);
    pthread_mutex_init(&store->authorities.lock, NULL);
    store->authorities.wake = -1;
    store->domains = calloc(domain_count > 0 ? domain_count : 1, sizeof(*store->domains));
    store->domain_count = domain_count;
    *out = store;
    if (store->domains)
        return RESULT_OK;
    store->domain_count = 0;
    return RESULT_NO_MEMORY;
}

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
    CLEANUP(auto_trust_store_free) struct trust_store *store = NULL;
    size_t faults = report->faults;
    *out = NULL;
    enum result result = store_new(policy->trust_count, &store);
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
    CLEANUP(auto_trust_store_free) struct trust_store *store = NULL;
    *out = NULL;
    enum result result = store_new(1, &store);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s: %s", path, result_text(result));
    store->domains[0].name = "anchors";
    result = load_anchors(&store->domains[0], path, fault);
    if (result == RESULT_OK)
        *out = TAKE_PTR(store);
    return result;
}

void trust_store_free(struct trust_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->domain_count; i++) {
        for (size_t j = 0; j < store->domains[i].anchor_count; j++)
            buffer_release(&store->domains[i].anchors[j].der);
        free(store->domains[i].anchors);
        crl_set_unref(store->domains[i].crls);
    }
    free(store->domains);
    pthread_mutex_destroy(&store->authorities.lock);
    pthread_mutex_destroy(&store->crls_lock);
    pthread_mutex_destroy(&store->memory.lock);
    free(store);
}
