/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When our own certificates and the CRLs expire, so that operators are warned before. */
#pragma once

#include "tls/context.h"

/* How long before it expires something counts as expiring. A CRL that is valid for so short that a
 * tenth of its validity is less than this counts as expiring in that last tenth. */
#define EXPIRY_CERTIFICATE_S (30 * 86400)
#define EXPIRY_CRL_S         (3 * 86400)

enum expiry_kind { EXPIRY_CERTIFICATE, EXPIRY_CRL };

enum expiry_state {
    EXPIRY_CURRENT,
    EXPIRY_EXPIRING,
    EXPIRY_EXPIRED,
    EXPIRY_EARLY,   /* not valid yet */
    EXPIRY_MISSING, /* the domain requires a CRL, and an anchor of it has none */
};

struct expiry {
    enum expiry_kind kind;
    enum expiry_state state;
    const char *name;               /* of the end-point, or of the trust domain */
    const struct policy_file *file; /* a missing CRL: the domain's anchors */
    size_t number;                  /* of the CRL, or of the anchor without one, from 1 */
    int64_t at_s;                   /* the last second of its validity; 0 when missing */
    int64_t next_s;                 /* when the state changes next; INT64_MAX: never */
};

struct expiry_list {
    struct expiry *items;
    size_t count;
};

/* Lists the end-points' certificates, then each domain's CRLs. Leaves out CRLs that a newer one of
 * the same issuer supersedes, and those that the key of no certificate we know has signed. Strings
 * and files in the list are the policy's, so they live as long as CONTEXT. Fails only with
 * RESULT_NO_MEMORY. Release OUT with expiry_list_release in any case. */
enum result expiry_list_all(struct tls_context *context, int64_t now_s, struct expiry_list *out)
    WARN_UNUSED;
/* The CRLs alone, appended. */
enum result expiry_list_crls(struct trust_store *store, int64_t now_s, struct expiry_list *out)
    WARN_UNUSED;
void expiry_list_release(struct expiry_list *list);

const char *expiry_state_name(enum expiry_state state); /* as in GetStatus: "expiring" … */
#define EXPIRY_LINE_OCTETS 512
/* Writes one line for people: which file, and its state. */
void expiry_describe(const struct expiry *expiry, int64_t now_s, char *line, size_t size);
/* Adds a warning to REPORT for each certificate or CRL that is not current. */
void expiry_report(struct tls_context *context, struct report *report);
