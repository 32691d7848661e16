/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRLs of one trust domain, file by file. A file that cannot be used, or of which only some
 * CRLs can, leaves what it held before in force, and does not keep the domain's other files out. */
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "base/report.h"
#include "policy/policy.h"
#include "x509/certificate.h"
#include "x509/crl.h"
#include "x509/p256.h"

#define CRL_SET_MAX 128 /* CRLs of one domain */

struct trust_domain;
struct trust_store;

struct trust_crl {
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer;     /* evidence_issuer of its name */
    uint64_t old_issuer; /* evidence_old_issuer of its name */
    size_t number;       /* in its file, from 1 */
};

/* What one file held when it was read. Immutable but for its count, so that sets share it. */
struct crl_file {
    atomic_size_t references;
    struct trust_crl *crls;
    size_t count;
};

enum crl_problem {
    CRL_PROBLEM_NONE,
    CRL_PROBLEM_UNREADABLE, /* there is no such file, or it cannot be read */
    CRL_PROBLEM_UNUSABLE,   /* it holds no CRL, or one that we do not take */
    CRL_PROBLEM_OLDER,      /* it holds an older CRL than the one in force */
};

/* What is in force of a file that has a problem. */
enum crl_remains {
    CRL_REMAINS_NOTHING,
    CRL_REMAINS_OTHERS, /* those of its CRLs that can be used */
    CRL_REMAINS_BEFORE, /* what it held before, beside these */
};

/* How one file of the policy stands. */
struct crl_slot {
    struct crl_file *file;   /* in force, as it was read last; NULL: nothing is */
    struct crl_file *kept;   /* in force too, from before, as FILE is not whole; NULL: nothing is */
    struct file_print print; /* of what was looked at last, from before that; one that never matches
                                when it could not be read and may be by itself the next time */
    enum crl_problem problem; /* with the file as it is now */
    enum crl_remains remains;
    char *why; /* the problem in one line, with the file's path; NULL: none, or no memory */
};

/* Immutable but for its count. Whoever holds a reference may use all of it. */
struct crl_set {
    atomic_size_t references;
    struct crl_slot slots[POLICY_CRLS_MAX]; /* as in policy.trust[].crls */
    size_t slot_count;
    const struct trust_crl *crls[CRL_SET_MAX]; /* all that are in force */
    size_t slot_of[CRL_SET_MAX];               /* which of SLOTS each is of */
    size_t count;
};

/* Reads the files that DOMAIN's policy names (PEM, one or more, or one DER) into a new set with one
 * reference; NULL when it names none. Files whose print is that of PREVIOUS, which may be NULL, are
 * not read again; those that have a problem keep what they held in PREVIOUS. RESULT_NO_MEMORY. */
enum result crl_set_load(const struct trust_domain *domain, const struct crl_set *previous,
    struct crl_set **out) WARN_UNUSED;
/* For a SET that nobody else knows yet, made for TRUST without a previous one: as if what PREVIOUS
 * holds had been in force in the place of its file number I. */
void crl_set_succeed(struct crl_set *set, const struct policy_trust *trust, size_t i,
    const struct crl_slot *previous);

/* A reference of the caller's own to those in force; NULL: the domain has none. Any thread. */
struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)
