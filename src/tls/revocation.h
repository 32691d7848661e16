/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a certificate revoked (RFC 5280 6.3)? When its path is validated the CRLs of its trust domain
 * say it. Later, when only evidence of the path is left, any CRL in force does that the
 * certificate's issuer has signed, whichever domain names it. */
#pragma once

#include "tls/evidence.h"
#include "tls/trust.h"

/* Keys that may have signed the CRLs of one issuer (RFC 5280 6.3.3 (f), (g)): its own, and those of
 * other certificates of the same name that are trusted in the same domain, as a CA has another key
 * after a rollover. */
#define REVOCATION_KEYS_MAX (1 + TRUST_ANCHORS_MAX + PATH_CERTIFICATES_MAX)
struct revocation_keys {
    struct bytes points[REVOCATION_KEYS_MAX];
    size_t count;
};
/* ISSUER's key and those of DOMAIN's anchors of that name. */
void revocation_keys_of(const struct trust_domain *domain, const struct certificate *issuer,
    struct revocation_keys *out);
/* Adds the key of CA, unless it may not sign CRLs or is among them. */
void revocation_keys_add(struct revocation_keys *keys, const struct certificate *ca);

enum revocation {
    REVOCATION_NONE,    /* a current CRL of its issuer does not list it */
    REVOCATION_REVOKED, /* a CRL of its issuer lists it, be it out of date */
    REVOCATION_UNKNOWN, /* there is no current CRL of its issuer */
};
struct revocation_finding {
    enum revocation revocation;
    bool is_unverified; /* some CRL in the issuer's name is by none of the keys */
    const char *why;    /* what is wrong with the CRLs that there are, when UNKNOWN */
};
/* What the CRLs of SET, which may be NULL, say of CERTIFICATE, when KEYS are its issuer's. */
struct revocation_finding revocation_of(struct trust_store *store, const struct crl_set *set,
    const struct certificate *certificate, const struct revocation_keys *keys, int64_t now_s);

/* Does a CRL in force, of any domain, list a certificate of EVIDENCE? Verifies signatures, if need
 * be. The CRL has to be by the key that is in the evidence; or by another key of that name, of an
 * anchor, in a domain that has the evidence's path too, or of an intermediate CA below the same
 * anchor that somebody presented. Of an intermediate CA whose new certificate nobody has presented
 * yet we cannot know that it is the same CA: then its CRL says nothing of the keys in the cache
 * until somebody does (trust_wake_by). */
bool revocation_condemns(struct trust_store *store, struct bytes evidence);

/* The last question before somebody is let in, who has a valid path in DOMAIN by VERDICT: do the
 * CRLs of all domains let it pass, as they will be asked of the key from then on? Writes the path's
 * evidence to OUT. RESULT_CERTIFICATE_REFUSED, with FAULT and the alert certificate_revoked. */
enum result revocation_admit(struct trust_store *store, const struct path_verdict *verdict,
    size_t domain, struct evidence *out, struct fault *fault) WARN_UNUSED;

/* The same for many keys one after another, by the CRLs of one moment. STORE must outlive it. */
struct revocation_view;
enum result revocation_view_new(struct trust_store *store, struct revocation_view **out)
    WARN_UNUSED;
void revocation_view_free(struct revocation_view *view);
DEFINE_CLEANUP(struct revocation_view *, revocation_view_free)

enum revocation_judgement {
    JUDGEMENT_GOOD,
    JUDGEMENT_REVOKED,
    JUDGEMENT_SUSPECT, /* listed in the issuer's name, and whether it signed is not known yet */
};
/* Quick enough for under a lock: signatures are looked up, not verified. revocation_condemns
 * settles what is suspect, and then it is known. */
enum revocation_judgement revocation_view_judge(
    const struct revocation_view *view, struct bytes evidence);

/* Reads those of DOMAIN's CRL files that have changed, and puts what they hold in force. A file
 * that cannot be used leaves in force what it held (tls/crl_notice.h says which). *CHANGED: another
 * content is in force than before. RESULT_NO_MEMORY: all is as it was. */
enum result revocation_reload(struct trust_store *store, size_t domain, bool *changed) WARN_UNUSED;
/* For a STORE that nobody uses yet: what OLD has in force stays so where STORE, by its policy,
 * reads the same file for a domain of the same name, as it would had the file just changed; so does
 * one of a file that STORE does not read, if it reads an older one there; and so do the
 * intermediate CAs known there. RESULT_NO_MEMORY. */
enum result revocation_succeed(struct trust_store *store, struct trust_store *old) WARN_UNUSED;
/* Which content of CRL file FILE of DOMAIN was read last. */
struct file_print revocation_file_print(struct trust_store *store, size_t domain, size_t file);
