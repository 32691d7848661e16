/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CRLs of one trust domain, file by file. A CRL in force goes when its file holds one in its
 * place that is not older and that a key of its issuer, as far as we know it, signed; one that
 * nobody we know signed takes no CRL's place, and is no measure of what is older. A file that
 * cannot be used does not keep the domain's other files out. */
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "policy/report.h"
#include "tls/certificate.h"
#include "tls/crl.h"
#include "tls/ecdsa.h"

#define CRL_SET_MAX 128 /* CRLs in the files of one domain, and as many that are kept */

struct trust_domain;
struct trust_store;

/* Immutable but for its count. */
struct trust_crl {
    atomic_size_t references;
    struct buffer der;
    struct crl crl; /* views into DER */
    uint8_t digest[SHA256_OCTETS];
    uint64_t issuer;     /* evidence_issuer of its name */
    uint64_t old_issuer; /* evidence_old_issuer of its name */
    size_t number;       /* in its file, from 1 */
};

/* Those of one file. Immutable but for its count, so that sets share it. */
struct crl_file {
    atomic_size_t references;
    struct trust_crl **crls;
    size_t count;
};

enum crl_problem {
    CRL_PROBLEM_NONE,
    CRL_PROBLEM_MISSING,    /* there is no such file */
    CRL_PROBLEM_UNREADABLE, /* it cannot be read */
    CRL_PROBLEM_UNUSABLE,   /* it holds no CRL, or one that we do not take */
    CRL_PROBLEM_OLDER,      /* it holds an older CRL than the one in force */
};

/* What is in force of a file that has a problem. */
enum crl_remains {
    CRL_REMAINS_NOTHING,
    CRL_REMAINS_OTHERS, /* those of its CRLs that can be used */
    CRL_REMAINS_BEFORE, /* what it held before, beside these */
    CRL_REMAINS_NEWER,  /* the newer ones of a file that the policy does not name any more */
};

/* How one file of the policy stands. */
struct crl_slot {
    struct crl_file *file; /* in force, as it was read last; NULL: nothing is */
    struct crl_file *kept; /* in force too, from before, as nothing in FILE takes their place; NULL:
                              nothing is */
    struct file_print print; /* of what was looked at last, from before that; one that never matches
                                when it could not be read and may be by itself the next time */
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

/* Reads the files that the policy of DOMAIN of STORE names (PEM, one or more, or one DER) into a
 * new set with one reference; NULL when it names none. Files whose print is that of PREVIOUS, which
 * may be NULL, are not read again; those that have a problem keep what they held in PREVIOUS. What
 * was kept in PREVIOUS goes when we have learnt since who signed what takes its place.
 * RESULT_NO_MEMORY. */
enum result crl_set_load(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *previous, struct crl_set **out) WARN_UNUSED;
/* For a SET that nobody else knows yet, made without a previous one: as if what PREVIOUS holds had
 * been in force in the place of its file number I. RESULT_NO_MEMORY. */
enum result crl_set_succeed(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;
/* The same when the policy does not name the file of PREVIOUS any more: those that some CRL of file
 * number I is older than stay in force beside it. RESULT_NO_MEMORY. */
enum result crl_set_keep_newer(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;

/* A reference of the caller's own to those in force; NULL: the domain has none. Any thread. */
struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain);
void crl_set_unref(struct crl_set *set);
DEFINE_CLEANUP(struct crl_set *, crl_set_unref)
