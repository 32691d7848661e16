/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The review of paths that were valid once: does a CRL revoke them now (RFC 5280 6.3)? Only
 * evidence is left of them (trust/evidence.h), so any domain's CRL counts that the issuer of one of
 * the certificates signed. These keys count as the issuer's:
 *
 * - the key in the evidence;
 * - the key of an anchor of the issuer's name, in a domain that knows an issuer of the evidence
 * too;
 * - the key of an intermediate CA of that name that somebody presented, below the same anchor.
 *
 * When an intermediate CA has a new key, and nobody has presented its new certificate yet, we
 * cannot know that it is the same CA. Until somebody does (trust_wake_by), its CRL says nothing of
 * older paths. */
#pragma once

#include "trust/store.h"

/* Returns the domain with a CRL in force that revokes a certificate of EVIDENCE, or NULL. Verifies
 * signatures whose result is not remembered. */
const struct trust_domain *review_find_revoking(struct trust_store *store, struct bytes evidence);

/* A review of many paths, one after another, by the CRLs of one moment. STORE must outlive it. */
struct review;
enum result review_new(struct trust_store *store, struct review **out) WARN_UNUSED;
void review_free(struct review *review);
DEFINE_CLEANUP(struct review *, review_free)

enum review_answer {
    REVIEW_GOOD,
    REVIEW_REVOKED,
    REVIEW_SUSPECT, /* a CRL in its issuer's name lists it, whose signature is still to be verified
                     */
};
/* Verifies no signature, only looks up those that are remembered, so that it may be called under a
 * lock. After review_find_revoking for the same evidence the answer is no longer REVIEW_SUSPECT. */
enum review_answer review_look_up(const struct review *review, struct bytes evidence);
