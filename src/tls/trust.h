/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What path validation starts from: trust domains' anchors, and the memory of verified signatures.
 */
#pragma once

#include <pthread.h>

#include "tls/crl_set.h"
#include "tls/path.h"

#define TRUST_ANCHORS_MAX     64 /* of one domain */
#define TRUST_MEMORY_SLOTS    4096
#define TRUST_AUTHORITIES_MAX 128 /* intermediate CAs that are remembered */
#define TRUST_FILE_OCTETS_MAX ((size_t)256 * 1024)

struct trust_anchor {
    struct buffer der;
    struct certificate certificate; /* views into DER */
    uint64_t name;                  /* evidence_issuer of its subject */
};

struct trust_domain {
    const char *name;                 /* of the policy's */
    const struct policy_trust *trust; /* NULL: of an initiator, without a policy */
    struct trust_anchor *anchors;
    size_t anchor_count;
    bool require_crl;
    struct crl_set *crls; /* NULL: none. All else stays as it was loaded; this is swapped */
};

/* Digests of signatures that were verified, each at the one place that its first octets give: a
 * newer one takes an older one's place. It says whether a signature is good and nothing else, and
 * that never changes: so no expiry. Any thread, under LOCK. */
struct trust_memory {
    pthread_mutex_t lock;
    uint8_t digest[TRUST_MEMORY_SLOTS][SHA256_OCTETS];
};

/* The keys of intermediate CAs that had a valid path and may sign CRLs, the newest
 * TRUST_AUTHORITIES_MAX of them. When only evidence is left of a certificate, they tell that a CRL
 * is by another key of its issuer, whose certificate came with somebody else. Any thread, under
 * LOCK. */
struct trust_authority {
    size_t domain;
    uint64_t anchor; /* evidence_issuer of the subject of the anchor that its path ends at */
    uint64_t name;   /* the same of its own subject */
    uint8_t point[P256_POINT_OCTETS];
};

struct trust_authorities {
    pthread_mutex_t lock;
    struct trust_authority items[TRUST_AUTHORITIES_MAX];
    size_t count, next;
    int wake; /* an eventfd, of whoever listens; -1: nobody does */
};

struct trust_store {
    struct trust_domain *domains;
    size_t domain_count;
    pthread_mutex_t crls_lock; /* over the domains' crls, the pointers */
    struct trust_memory memory;
    struct trust_authorities authorities;
};

/* How many signatures one validation may still ask about, and the answers that it has had, so that
 * it asks about none twice. The oldest make way for the newest. */
#define TRUST_ANSWERS_MAX 256
struct trust_effort {
    size_t left;
    bool exhausted; /* there was one more to ask about than allowed */
    size_t answers; /* so far */
    struct {
        uint8_t digest[SHA256_OCTETS];
        bool good;
    } answer[TRUST_ANSWERS_MAX];
};

/* Is CERTIFICATE signed by ISSUER's key? When EFFORT does not have the answer, EFFORT->left goes
 * down by one, whether or not the store's memory spares us the verification: what earlier
 * handshakes left there must not decide over this one. False, and EFFORT exhausted, when it is 0.
 */
bool trust_signed_by(struct trust_store *store, const struct certificate *certificate,
    const struct certificate *issuer, struct trust_effort *effort);

enum trust_signature { TRUST_SIGNATURE_BAD, TRUST_SIGNATURE_GOOD, TRUST_SIGNATURE_UNKNOWN };
/* Whether the key of POINT signed CRL. From memory, where both answers are kept; else, if it may
 * VERIFY, by one verification. There is no bound on these: the operator chose how many CRLs there
 * are, and each is verified once by each key of its issuer. UNKNOWN also when memory is short. */
enum trust_signature trust_crl_signature(
    struct trust_store *store, const struct trust_crl *crl, struct bytes point, bool verify);

/* CA has a valid path to that ANCHOR of DOMAIN. */
void trust_note_authority(struct trust_store *store, const struct trust_domain *domain,
    size_t anchor, const struct certificate *ca);
/* From here on FD, an eventfd, is written to when an authority is noted whose name a CRL in force
 * has: that may be explained now. -1: no longer. */
void trust_wake_by(struct trust_store *store, int fd);
/* Those that were noted in domain OLD_DOMAIN of OLD are noted in DOMAIN of STORE, which nobody uses
 * yet, where all anchors of the name that their paths end at are anchors still. */
void trust_carry_authorities(
    struct trust_store *store, size_t domain, struct trust_store *old, size_t old_domain);
/* Copies into OUT, which holds TRUST_AUTHORITIES_MAX, those that were noted in one of DOMAINS, bit
 * by bit, with that NAME. Returns how many. */
size_t trust_find_authorities(
    struct trust_store *store, uint64_t domains, uint64_t name, struct trust_authority *out);
/* The domains, bit by bit, of which POINT is an anchor's key or that of a noted authority. */
uint64_t trust_domains_with(struct trust_store *store, struct bytes point);
