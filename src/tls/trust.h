/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What path validation starts from: trust domains' anchors, and the memory of verified signatures.
 */
#pragma once

#include <pthread.h>

#include "tls/crl.h"
#include "tls/path.h"

#define TRUST_ANCHORS_MAX     64 /* of one domain */
#define TRUST_CRLS_MAX        128
#define TRUST_MEMORY_SLOTS    4096
#define TRUST_FILE_OCTETS_MAX ((size_t)256 * 1024)

struct trust_anchor {
    struct buffer der;
    struct certificate certificate; /* views into DER */
};

struct trust_crl {
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
};

struct trust_domain {
    const char *name; /* of the policy's */
    struct trust_anchor *anchors;
    size_t anchor_count;
    struct trust_crl *crls;
    size_t crl_count;
    bool require_crl;
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
    struct trust_memory memory;
};

/* Is CERTIFICATE signed by ISSUER's key? From memory, else by one verification, for which *LEFT
 * goes down by one; false when that is 0. */
bool trust_signed_by(struct trust_store *store, const struct certificate *certificate,
    const struct certificate *issuer, unsigned *left);
/* The same for a CRL, without a bound: the operator chose how many there are. */
bool trust_crl_signed_by(
    struct trust_store *store, const struct trust_crl *crl, const struct certificate *issuer);
