/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRLs of one trust domain, read together and replaced together. */
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "policy/report.h"
#include "tls/certificate.h"
#include "tls/crl.h"
#include "tls/ecdsa.h"

#define CRL_SET_MAX 128 /* CRLs of one domain */

struct trust_domain;
struct trust_store;

struct trust_crl {
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer; /* evidence_issuer of its name */
    size_t file;     /* in policy.trust[].crls */
    size_t number;   /* in that file, from 1 */
};

/* Immutable but for its count. Whoever holds a reference may use all of it. */
struct crl_set {
    atomic_size_t references;
    struct trust_crl crls[CRL_SET_MAX];
    size_t count;
    struct file_print prints[POLICY_CRLS_MAX]; /* of the files, from before they were read */
};

/* Reads the CRLs that DOMAIN's policy names (PEM, one or more, or one DER) into a new set with one
 * reference; NULL when it names none. A CRL that an anchor of the domain should have signed has to
 * verify; that of an intermediate CA is checked when its certificate is presented. Faults to
 * REPORT: then *OUT is NULL too. */
enum result crl_set_load(
    const struct trust_domain *domain, struct crl_set **out, struct report *report);

/* A reference of the caller's own to those in force; NULL: the domain has none. Any thread. */
struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)

/* RFC 5280 6.3.3 (f): by name and key identifier; cRLSign where keyUsage is there. */
bool crl_may_be_of(const struct crl *crl, const struct certificate *issuer);
bool crl_is_current(const struct crl *crl, int64_t now_s);
/* An older CRL of the same issuer doesn't matter. */
bool crl_set_is_newest(const struct crl_set *set, const struct crl *crl);
