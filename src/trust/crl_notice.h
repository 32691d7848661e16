/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices for the operator about CRL files that cannot be used, and about CRLs that have less
 * effect than one may think. Notices are only for people: no decision about a certificate depends
 * on them.
 */
#pragma once

#include "base/report.h"
#include "trust/crl_standing.h"

#define CRL_NOTICE_OCTETS 640
struct crl_notice {
    bool is_fault; /* e2ekeyd --check refuses: the file is there, and is not what the policy says */
    bool is_kept;  /* CRLs that the file held before stay in force instead of those it holds now */
    const struct policy_file *file;
    char text[CRL_NOTICE_OCTETS]; /* one line, with the file's path; printable ASCII */
};

typedef void crl_notice_reader(const struct crl_notice *notice, void *context);
/* Calls EACH for every notice about DOMAIN's CRL files as they are now. */
void crl_notices(struct trust_store *store, const struct trust_domain *domain,
    crl_notice_reader *each, void *context);
/* Adds the notices about all domains to REPORT. */
void crl_notices_report(struct trust_store *store, struct report *report);
