/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operator has to know of the CRL files: those that cannot be used, and CRLs that count for
 * less than he may think. Nothing here refuses anybody. */
#pragma once

#include "tls/trust.h"

enum crl_standing {
    CRL_COUNTS,    /* by an anchor of the domain, or an intermediate CA that somebody presented */
    CRL_AWAITS_CA, /* no anchor has its issuer's name: it may be by an intermediate CA */
    CRL_UNSIGNED, /* an anchor has its issuer's name, and no key of that name that we know signed */
};
/* Verifies signatures that have not been yet. */
enum crl_standing crl_standing(
    struct trust_store *store, const struct trust_domain *domain, const struct trust_crl *crl);

#define CRL_NOTICE_OCTETS 640
struct crl_notice {
    bool is_fault; /* for --check: the file is there, and not what the policy says */
    bool is_kept;  /* the file is not what is in force: that is what it held before */
    const struct policy_file *file;
    char text[CRL_NOTICE_OCTETS]; /* one line, with the file's path; printable ASCII */
};

typedef void crl_notice_reader(const struct crl_notice *notice, void *context);
/* Calls EACH for every one that DOMAIN gives reason for now. */
void crl_notices(struct trust_store *store, const struct trust_domain *domain,
    crl_notice_reader *each, void *context);
/* Those of all domains. */
void crl_notices_report(struct trust_store *store, struct report *report);
