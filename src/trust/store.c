/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "trust/issuer.h"

/* --- the store --- */

enum result trust_store_alloc(size_t domain_count, struct trust_store **out)
{
    struct trust_store *store = calloc(1, sizeof(*store));
    *out = NULL;
    if (!store)
        return RESULT_NO_MEMORY;
    store->domains = calloc(domain_count > 0 ? domain_count : 1, sizeof(*store->domains));
    if (!store->domains) {
        free(store);
        return RESULT_NO_MEMORY;
    }
    store->domain_count = domain_count;
    pthread_mutex_init(&store->memory.lock, NULL);
    pthread_mutex_init(&store->crls_lock, NULL);
    pthread_mutex_init(&store->authorities.lock, NULL);
    store->authorities.wake = -1;
    *out = store;
    return RESULT_OK;
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

struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain)
{
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *set = crl_set_ref(domain->crls);
    pthread_mutex_unlock(&store->crls_lock);
    return set;
}

void trust_store_replace_crls(
    struct trust_store *store, struct trust_domain *domain, struct crl_set *set)
{
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *replaced = domain->crls;
    domain->crls = set;
    pthread_mutex_unlock(&store->crls_lock);
    crl_set_unref(replaced); /* outside the lock: it may free much */
}

bool trust_has_anchor(const struct trust_domain *domain, struct bytes der)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        if (bytes_equal(domain->anchors[i].certificate.der, der))
            return true;
    }
    return false;
}

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

/* The digest that stands for a signature: of the key's POINT followed by IDENTITY, which is the DER
 * of the signed certificate, or the digest of the CRL, since CRLs can be large. As all points have
 * the same size, different pairs are different octets. */
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

/* A bad signature is remembered by the complement of its digest, in the same slot. */
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

/* Adds AUTHORITY, in place of the oldest one when the table is full. Returns false when it is there
 * already. */
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
        struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, &store->domains[i]);
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
    if (!certificate_may_sign_crls(ca) || issuer_hash(ca->subject, &authority.name) != RESULT_OK)
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
        if (old->anchors[i].name == name &&
            !trust_has_anchor(domain, old->anchors[i].certificate.der))
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
