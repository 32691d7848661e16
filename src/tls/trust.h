/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What path validation starts from: trust domains' anchors, and the memory of verified signatures.
 */
#pragma once

#include <pthread.h>

#include "tls/crl_set.h"
#include "tls/path.h"

#define TRUST_ANCHORS_MAX     64 /* of one domain */
#define TRUST_MEMORY_SLOTS    4096
#define TRUST_FILE_OCTETS_MAX ((size_t)256 * 1024)

struct trust_anchor {
    struct buffer der;
    struct certificate certificate; /* views into DER */
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
 * newer one takes an older one's place. It says that a signature is good and nothing else, and that
 * never changes: so no expiry. Any thread, under LOCK. */
struct trust_memory {
    pthread_mutex_t lock;
    uint8_t digest[TRUST_MEMORY_SLOTS][SHA256_OCTETS];
};

struct trust_store {
    struct trust_domain *domains;
    size_t domain_count;
    pthread_mutex_t crls_lock; /* over the domains' crls, the pointers */
    struct trust_memory memory;
};

/* What one validation may still spend on verifying signatures, and the digests of those that failed
 * in it, so that none is verified in vain twice. The oldest make way for the newest. */
#define TRUST_FAILURES_MAX 64
struct trust_effort {
    size_t left;
    size_t failures; /* so far */
    uint8_t failed[TRUST_FAILURES_MAX][SHA256_OCTETS];
};

/* Is CERTIFICATE signed by ISSUER's key? From memory, else by one verification, for which
 * EFFORT->left goes down by one; false when that is 0. */
bool trust_signed_by(struct trust_store *store, const struct certificate *certificate,
    const struct certificate *issuer, struct trust_effort *effort);
/* The same for a CRL and an issuer's POINT, without a bound: the operator chose how many there are.
 */
bool trust_crl_signed_by(
    struct trust_store *store, const struct trust_crl *crl, struct bytes point);
/* From memory alone: true when it is known to be. */
bool trust_crl_known_signed_by(
    struct trust_store *store, const struct trust_crl *crl, struct bytes point);
