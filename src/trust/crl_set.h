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

/* Immutable but for its count. */
struct trust_crl {
    atomic_size_t references;
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer;     /* issuer_hash of its name */
    uint64_t old_issuer; /* issuer_old_hash of its name */
    size_t number;       /* in its file, from 1 */
};

/* Those of one file. Immutable but for its count, so that sets share it. */
struct crl_file {
    atomic_size_t references;
    struct trust_crl **crls;
    size_t count;
};

/* An empty one with one reference; NULL: no memory. */
struct crl_file *crl_file_new(void);
/* Another reference to FILE, which may be NULL and is the result. Any thread. */
struct crl_file *crl_file_ref(struct crl_file *file);
void crl_file_unref(struct crl_file *file);
DEFINE_CLEANUP(struct crl_file *, crl_file_unref)
/* Adds CRL, with a reference of its own, to a FILE that nobody else knows yet. False: no memory. */
bool crl_file_append(struct crl_file *file, struct trust_crl *crl);

enum crl_problem {
    CRL_PROBLEM_NONE,
    CRL_PROBLEM_MISSING,    /* there is no such file */
    CRL_PROBLEM_UNREADABLE, /* it cannot be read */
    CRL_PROBLEM_UNUSABLE,   /* it holds no CRL, or one that we do not take */
    CRL_PROBLEM_OLDER,      /* it holds an older CRL than the one in force */
};

/* What was read of a file. */
struct crl_reading {
    struct crl_file *file; /* NULL: nothing in it can be used */
    enum crl_problem problem;
    struct fault why;
};
/* Reads the file at PATH (PEM, one or more, or one DER). OUT says what is wrong with it, also when
 * the result is another than RESULT_OK. */
enum result crl_file_read(const char *path, struct crl_reading *out) WARN_UNUSED;

/* What is in force of a file that has a problem. */
enum crl_remains {
    CRL_REMAINS_NOTHING,
    CRL_REMAINS_OTHERS, /* those of its CRLs that can be used */
    CRL_REMAINS_BEFORE, /* what it held before, beside these */
    CRL_REMAINS_NEWER,  /* the newer ones of a file that the policy does not name any more */
};

/* One CRL file of the policy: what of it is in force, and what is wrong with it. */
struct crl_slot {
    struct crl_file *file;    /* in force, as it was read last; NULL: nothing is */
    struct crl_file *kept;    /* CRLs from earlier readings that stay in force beside FILE, because
                                 nothing in FILE replaces them; NULL: none */
    struct file_print print;  /* of the file as it was read last, taken before; equal to no file's
                                 when it could not be read, so that it is tried again */
    enum crl_problem problem; /* with the file as it is now */
    enum crl_remains remains;
    char *why; /* the problem in one line, with the file's path; NULL: none, or no memory */
};

/* Immutable but for its count. Whoever holds a reference may use all of it. */
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

/* Another reference to SET, which may be NULL and is the result. Any thread. */
struct crl_set *crl_set_ref(struct crl_set *set);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)
