/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trust domains of one policy: their anchors, their CRLs, and what is remembered while paths
 * are validated. trust/store_load.h reads it from files. */
#pragma once

#include <pthread.h>

#include "trust/crl_set.h"
#include "x509/certificate.h"

#define TRUST_ANCHORS_MAX     64 /* of one domain */
#define TRUST_MEMORY_SLOTS    4096
#define TRUST_AUTHORITIES_MAX 128 /* intermediate CAs that are remembered */

struct trust_anchor {
    struct buffer der;
    struct certificate certificate; /* views into DER */
    uint64_t name;                  /* issuer_hash of its subject */
};

struct trust_domain {
    const char *name;                 /* as the policy calls it */
    const struct policy_trust *trust; /* NULL: the store of an initiator, which has no policy */
    struct trust_anchor *anchors;
    size_t anchor_count;
    bool require_crl;
    struct crl_set *crls; /* NULL: none. Replaced when files change, under the store's crls_lock.
                             The other members never change after loading */
};

/* Digests that stand for signatures that were verified, each in the slot that its first octets
 * give: a newer one replaces an older one. Whether a signature is good never changes, so no entry
 * expires. Any thread may use it, under LOCK. */
struct trust_memory {
    pthread_mutex_t lock;
    uint8_t digest[TRUST_MEMORY_SLOTS][SHA256_OCTETS];
};

/* The keys of intermediate CAs that had a valid path and may sign CRLs: the newest
 * TRUST_AUTHORITIES_MAX of them. They are needed when only evidence is left of a certificate, and a
 * CRL was signed by another key of its issuer, whose certificate somebody else presented. Any
 * thread may use them, under LOCK. */
struct trust_authority {
    size_t domain;
    uint64_t anchor; /* issuer_hash of the subject of the anchor that its path ends at */
    uint64_t name;   /* the same of its own subject */
    uint8_t point[P256_POINT_OCTETS];
};

struct trust_authorities {
    pthread_mutex_t lock;
    struct trust_authority items[TRUST_AUTHORITIES_MAX];
    size_t count, next;
    int wake; /* the eventfd of trust_wake_by; -1: none */
};

/* Thread-safe once it is loaded. */
struct trust_store {
    struct trust_domain *domains;
    size_t domain_count;
    pthread_mutex_t crls_lock; /* protects the pointers domains[].crls */
    struct trust_memory memory;
    struct trust_authorities authorities;
};

/* An empty store with room for DOMAIN_COUNT domains. RESULT_NO_MEMORY. */
enum result trust_store_alloc(size_t domain_count, struct trust_store **out) WARN_UNUSED;
void trust_store_free(struct trust_store *store);
DEFINE_CLEANUP(struct trust_store *, trust_store_free)

/* Returns a new reference to the CRLs of DOMAIN that are in force, or NULL when it has none. Any
 * thread may call it. */
struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain);
/* Puts SET in force for DOMAIN. Takes over the caller's reference to SET. */
void trust_store_replace_crls(
    struct trust_store *store, struct trust_domain *domain, struct crl_set *set);

/* Is the certificate that is encoded in DER an anchor of DOMAIN? */
bool trust_has_anchor(const struct trust_domain *domain, struct bytes der);

/* How many signatures one validation may still check, and the answers that it has had, so that it
 * checks none twice. At TRUST_ANSWERS_MAX a new answer replaces the oldest one. */
#define TRUST_ANSWERS_MAX 256
struct trust_effort {
    size_t left;
    bool exhausted; /* one more check was needed than allowed */
    size_t answers; /* so far, also those that were replaced */
    struct {
        uint8_t digest[SHA256_OCTETS];
        bool good;
    } answer[TRUST_ANSWERS_MAX];
};

/* Is CERTIFICATE signed by ISSUER's key? When EFFORT does not have the answer, EFFORT->left goes
 * down by one, even if the store remembers the signature and nothing has to be verified: the
 * verdict must not depend on earlier handshakes. When EFFORT->left is 0 already, returns false and
 * sets EFFORT->exhausted. */
bool trust_signed_by(struct trust_store *store, const struct certificate *certificate,
    const struct certificate *issuer, struct trust_effort *effort);

enum trust_signature { TRUST_SIGNATURE_BAD, TRUST_SIGNATURE_GOOD, TRUST_SIGNATURE_UNKNOWN };
/* Has the key of POINT signed CRL? Good and bad signatures are remembered. If this one is not, the
 * function verifies it, or with VERIFY false returns TRUST_SIGNATURE_UNKNOWN. There is no bound on
 * verifications: the operator chose how many CRLs there are, and each is verified once with each
 * key of its issuer. UNKNOWN also when out of memory. */
enum trust_signature trust_crl_signature(
    struct trust_store *store, const struct trust_crl *crl, struct bytes point, bool verify);

/* Remembers that CA has a valid path to DOMAIN's anchor number ANCHOR, if CA may sign CRLs. */
void trust_note_authority(struct trust_store *store, const struct trust_domain *domain,
    size_t anchor, const struct certificate *ca);
/* After this call, FD, an eventfd, is written to whenever an authority is noted that has the name
 * of a CRL's issuer: its key may have signed that CRL. -1 ends it. */
void trust_wake_by(struct trust_store *store, int fd);
/* Copies authorities of domain OLD_DOMAIN of OLD to DOMAIN of STORE, which is not in use yet: those
 * for which all anchors of OLD_DOMAIN with the name that their path ends at are anchors of DOMAIN
 * too. */
void trust_carry_authorities(
    struct trust_store *store, size_t domain, struct trust_store *old, size_t old_domain);
/* Copies the remembered authorities of that NAME (issuer_hash) in one of DOMAINS (bit i: domain i)
 * into OUT, which has room for TRUST_AUTHORITIES_MAX. Returns how many. */
size_t trust_find_authorities(
    struct trust_store *store, uint64_t domains, uint64_t name, struct trust_authority *out);
/* The domains (bit i: domain i) in which POINT is the key of an anchor or of a remembered
 * authority. */
uint64_t trust_domains_with(struct trust_store *store, struct bytes point);
