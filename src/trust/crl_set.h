/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRLs of one trust domain, file by file. A file that cannot be used, or of which only some
 * CRLs can, leaves what it held before in force, and does not keep the domain's other files out. */
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "base/report.h"
#include "policy/policy.h"
#include "x509/crl.h"
#include "x509/p256.h"

#define CRL_SET_MAX 128 /* CRLs of one domain */

struct trust_crl {
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer;     /* issuer_hash of its name */
    uint64_t old_issuer; /* issuer_old_hash of its name */
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

/* One CRL file of the policy: what of it is in force, and what is wrong with it. */
struct crl_slot {
    struct crl_file *file;   /* in force, as it was read last; NULL: nothing is */
    struct crl_file *kept;   /* in force too, from before, as FILE is not whole; NULL: nothing is */
    struct file_print print; /* of the file as it was read last, taken before; equal to no file's
                                when it could not be read, so that it is tried again */
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

/* Reads the CRL files of TRUST (PEM, one or more, or one DER) into a new set with one reference;
 * NULL when it has none. Files whose print is that of PREVIOUS, which may be NULL, are not read
 * again; those that have a problem keep what they held in PREVIOUS. RESULT_NO_MEMORY. */
enum result crl_set_load(const struct policy_trust *trust, const struct crl_set *previous,
    struct crl_set **out) WARN_UNUSED;
/* For a SET that was loaded for TRUST without a previous one and is not in force yet: treats its
 * file number I as if what PREVIOUS holds had been in force before it was read. */
void crl_set_inherit(struct crl_set *set, const struct policy_trust *trust, size_t i,
    const struct crl_slot *previous);

/* Another reference to SET, which may be NULL and is the result. Any thread. */
struct crl_set *crl_set_ref(struct crl_set *set);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)
