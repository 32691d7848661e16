/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a certificate revoked (RFC 5280 6.3)? When its path is validated the CRLs of its trust domain
 * say it. Later, when only evidence of the path is left, any CRL in force does that the
 * certificate's issuer has signed, whichever domain names it. */
#pragma once

#include "tls/evidence.h"
#include "tls/trust.h"

enum revocation {
    REVOCATION_NONE,    /* a current CRL of its issuer does not list it */
    REVOCATION_REVOKED, /* a CRL of its issuer lists it, be it out of date */
    REVOCATION_UNKNOWN, /* there is no current CRL of its issuer */
};
/* ISSUER has signed CERTIFICATE. SET may be NULL. */
enum revocation revocation_of(struct trust_store *store, const struct crl_set *set,
    const struct certificate *certificate, const struct certificate *issuer, int64_t now_s);

/* Does a CRL in force list a certificate of EVIDENCE? Verifies signatures, if need be. */
bool revocation_condemns(struct trust_store *store, struct bytes evidence);

/* The same for many keys one after another, by the CRLs of one moment. STORE must outlive it. */
struct revocation_view;
enum result revocation_view_new(struct trust_store *store, struct revocation_view **out)
    WARN_UNUSED;
void revocation_view_free(struct revocation_view *view);
DEFINE_CLEANUP(struct revocation_view *, revocation_view_free)

enum judgement {
    JUDGEMENT_GOOD,
    JUDGEMENT_REVOKED,
    JUDGEMENT_SUSPECT, /* listed in the issuer's name, and whether it signed is not known yet */
};
/* Quick enough for under a lock: signatures are looked up, not verified. revocation_condemns
 * settles what is suspect, and then it is known. */
enum judgement revocation_view_judge(const struct revocation_view *view, struct bytes evidence);

/* Reads DOMAIN's CRL files anew and puts what they hold in force. When one has a fault, said in
 * REPORT, all that was in force stays. */
enum result revocation_reload(struct trust_store *store, size_t domain, struct report *report)
    WARN_UNUSED;
/* Which content of CRL file FILE of DOMAIN is in force. */
struct file_print revocation_file_print(struct trust_store *store, size_t domain, size_t file);
