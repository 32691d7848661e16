/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CRLs of a trust domain are in force. A CRL in force is replaced when its file holds another
 * one of the same issuer that is not older, and whose signature verifies with a key that we know as
 * the issuer's. A CRL whose signature verifies with no key that we know replaces no other, and is
 * no reason to refuse another one as older. When one file cannot be used, the domain's other files
 * are read all the same. */
#pragma once

#include "trust/store.h"

/* Reads the CRL files of DOMAIN of STORE (one or more CRLs in PEM, or one in DER) into a new set
 * with one reference; *OUT is NULL when the policy names no files. PREVIOUS, the set in force so
 * far, may be NULL. Files whose print has not changed since PREVIOUS are not read again. For files
 * that cannot be used, the CRLs in PREVIOUS stay in force. A CRL that PREVIOUS kept beside a newer
 * one, because nobody was known to have signed the newer one, goes when the signer has become
 * known. Fails only with RESULT_NO_MEMORY. */
enum result crl_set_load(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *previous, struct crl_set **out) WARN_UNUSED;
/* For a SET that was loaded without a previous one and is not in force yet: treats its file number
 * I as if the CRLs of PREVIOUS had been in force when it was read. Fails only with
 * RESULT_NO_MEMORY.
 */
enum result crl_set_inherit(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;
/* The same for a PREVIOUS whose file the policy does not name any more. Of its CRLs, those stay in
 * force that are newer than a CRL of the same issuer in file number I. Fails only with
 * RESULT_NO_MEMORY. */
enum result crl_set_keep_newer(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;
