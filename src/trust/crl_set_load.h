/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CRLs of a trust domain are in force. A CRL in force is replaced when its file holds another
 * one of the same issuer that is not older, and whose signature verifies with a key that we know as
 * the issuer's. A CRL whose signature verifies with no key that we know replaces none, and does not
 * make another CRL count as older. A file that cannot be used does not keep the domain's other
 * files from being read. */
#pragma once

#include "trust/store.h"

/* Reads the CRL files of DOMAIN of STORE (PEM, one or more, or one DER) into a new set with one
 * reference; NULL when its policy names none. Files whose print is that of PREVIOUS, which may be
 * NULL, are not read again; those that have a problem keep what they held in PREVIOUS. What was
 * kept in PREVIOUS goes when it has become known since who signed what takes its place.
 * RESULT_NO_MEMORY. */
enum result crl_set_load(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *previous, struct crl_set **out) WARN_UNUSED;
/* For a SET that was loaded without a previous one and is not in force yet: treats its file number
 * I as if what PREVIOUS holds had been in force before it was read. RESULT_NO_MEMORY. */
enum result crl_set_inherit(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;
/* The same when the policy does not name the file of PREVIOUS any more: those that some CRL of file
 * number I is older than stay in force beside it. RESULT_NO_MEMORY. */
enum result crl_set_keep_newer(struct crl_set *set, size_t i, const struct crl_slot *previous)
    WARN_UNUSED;
