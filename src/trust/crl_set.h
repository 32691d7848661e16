/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRLs of one trust domain, file by file. Which of them are in force is decided in
 * trust/crl_set_load.h. */
#pragma once

#include <stdatomic.h>

#include "base/fault.h"
#include "base/file.h"
#include "policy/policy.h"
#include "x509/crl.h"
#include "x509/p256.h"

#define CRL_SET_MAX 128 /* CRLs in the files of one domain, and as many that are kept */

struct trust_domain;
struct trust_store;

/* One CRL. Immutable but for the count of its references. */
struct trust_crl {
    atomic_size_t references;
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer;     /* issuer_hash of its name */
    uint64_t old_issuer; /* issuer_old_hash of its name */
    size_t number;       /* in its file, from 1 */
};

/* The CRLs of one file. Immutable but for the count of its references, so that sets can share it.
 */
struct crl_file {
    atomic_size_t references;
    struct trust_crl **crls;
    size_t count;
};

/* Returns an empty file with one reference, or NULL when out of memory. */
struct crl_file *crl_file_new(void);
/* Takes another reference to FILE, which may be NULL, and returns FILE. Any thread may call it. */
struct crl_file *crl_file_ref(struct crl_file *file);
void crl_file_unref(struct crl_file *file);
DEFINE_CLEANUP(struct crl_file *, crl_file_unref)
/* Adds CRL, with a reference of its own, to FILE, to which nobody else may have a reference yet.
 * Returns false when out of memory. */
bool crl_file_append(struct crl_file *file, struct trust_crl *crl);

enum crl_problem {
    CRL_PROBLEM_NONE,
    CRL_PROBLEM_MISSING,    /* there is no such file */
    CRL_PROBLEM_UNREADABLE, /* it cannot be read */
    CRL_PROBLEM_UNUSABLE,   /* it holds no CRL, one that we cannot use, or too many */
    CRL_PROBLEM_OLDER,      /* it holds an older CRL than the one in force */
};

/* What was read of a file. */
struct crl_reading {
    struct crl_file *file; /* NULL: nothing in it can be used */
    enum crl_problem problem;
    struct fault why;
};
/* Reads the file at PATH: one or more CRLs in PEM, or one in DER. OUT is set in any case, and says
 * what is wrong with the file when the result is not RESULT_OK. */
enum result crl_file_read(const char *path, struct crl_reading *out) WARN_UNUSED;

/* Which CRLs are in force for a file that has a problem. */
enum crl_remains {
    CRL_REMAINS_NOTHING,
    CRL_REMAINS_OTHERS, /* those in the file that can be used */
    CRL_REMAINS_BEFORE, /* those that the file held before, and those in it that can be used */
    CRL_REMAINS_NEWER,  /* also newer ones, from a file that the policy does not name any more */
};

/* One CRL file of the policy: what of it is in force, and what is wrong with it. */
struct crl_slot {
    struct crl_file *file;   /* in force, as the file was read last; NULL: nothing of it is */
    struct crl_file *kept;   /* CRLs from earlier readings that stay in force beside FILE, because
                                nothing in FILE replaces them; NULL: none */
    struct file_print print; /* of the file, taken just before it was read last. When the file could
                                not be read, a print that no file has, so that it is tried again */
    enum crl_problem problem; /* with the file as it is now */
    enum crl_remains remains;
    char *why; /* the problem in one line, with the file's path; NULL: none, or no memory */
};

/* All CRLs of a trust domain that are in force. Immutable but for the count of its references.
 * Whoever holds a reference may use all of it. */
struct crl_set {
    atomic_size_t references;
    struct trust_store *store;
    const struct trust_domain *domain;
    struct crl_slot slots[POLICY_CRLS_MAX]; /* as in policy.trust[].crls */
    size_t slot_count;
    const struct trust_crl *crls[2 * CRL_SET_MAX]; /* all that are in force */
    size_t slot_of[2 * CRL_SET_MAX];               /* which of SLOTS each is of */
    bool is_kept[2 * CRL_SET_MAX];                 /* whether it is of the slot's KEPT */
    size_t count;
};

/* Takes another reference to SET, which may be NULL, and returns SET. Any thread may call it. */
struct crl_set *crl_set_ref(struct crl_set *set);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)
