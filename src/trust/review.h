/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The review of paths that were valid once: does a CRL revoke them now (RFC 5280 6.3)? Only
 * evidence is left of them, and so the CRLs of all domains count that the certificate's issuer has
 * signed.
 *
 * Such a CRL has to be signed by the key that is in the evidence; or by another key of the issuer's
 * name, of an anchor, in a domain that has the evidence's path too, or of an intermediate CA below
 * the same anchor that somebody presented. Of an intermediate CA whose new certificate nobody has
 * presented yet we cannot know that it is the same CA: until somebody does (trust_wake_by), its CRL
 * says nothing of older paths. */
#pragma once

#include "trust/store.h"

/* The domain with a CRL in force that lists a certificate of EVIDENCE (trust/evidence.h); NULL:
 * none has. Verifies signatures where need be. */
const struct trust_domain *review_find_revoking(struct trust_store *store, struct bytes evidence);

/* A review of many paths, one after another, by the CRLs of one moment. STORE must outlive it. */
struct review;
enum result review_new(struct trust_store *store, struct review **out) WARN_UNUSED;
void review_free(struct review *review);
DEFINE_CLEANUP(struct review *, review_free)

enum review_answer {
    REVIEW_GOOD,
    REVIEW_REVOKED,
    REVIEW_SUSPECT, /* a CRL in its issuer's name lists it; who signed that is not known yet */
};
/* Quick enough for under a lock: signatures are remembered, not verified. After
 * review_find_revoking for the same evidence the answer is no longer REVIEW_SUSPECT. */
enum review_answer review_look_up(const struct review *review, struct bytes evidence);
