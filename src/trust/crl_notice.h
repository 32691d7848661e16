/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices for the operator about CRL files: those that cannot be used, and CRLs that count for less
 * than one may think. Nothing here refuses anybody. */
#pragma once

#include "trust/store.h"

enum crl_standing {
    CRL_COUNTS,    /* signed by an anchor, or by an intermediate CA that somebody presented */
    CRL_AWAITS_CA, /* no anchor has its issuer's name: an intermediate CA may have signed it */
    CRL_UNSIGNED, /* an anchor has its issuer's name, and no key of that name that we know signed */
};
/* How CRL counts in DOMAIN. Verifies signatures that are not remembered. */
enum crl_standing crl_standing(
    struct trust_store *store, const struct trust_domain *domain, const struct trust_crl *crl);

#define CRL_NOTICE_OCTETS 640
struct crl_notice {
    bool is_fault; /* e2ekeyd --check refuses: the file holds no CRL, or is needed and missing */
    bool is_kept;  /* what the file held before is in force instead of what it holds */
    const struct policy_file *file;
    char text[CRL_NOTICE_OCTETS]; /* one line, with the file's path; printable ASCII */
};

typedef void crl_notice_reader(const struct crl_notice *notice, void *context);
/* Calls EACH for every notice about DOMAIN's CRL files as they are now. */
void crl_notices(struct trust_store *store, const struct trust_domain *domain,
    crl_notice_reader *each, void *context);
/* Adds the notices about all domains to REPORT. */
void crl_notices_report(struct trust_store *store, struct report *report);
