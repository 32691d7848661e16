/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a trust store from the files that a policy names, and reads CRL files again when they
 * change. */
#pragma once

#include "base/file.h"
#include "base/report.h"
#include "policy/policy.h"
#include "trust/store.h"

/* Reads every domain's anchors and CRLs (each file has one or more in PEM, or one in DER), and
 * checks that the rules can be met (trust/rule_reach.h). Adds faults and warnings to REPORT. POLICY
 * must outlive the store. */
enum result trust_store_new(
    const struct policy *policy, struct trust_store **out, struct report *report) WARN_UNUSED;
/* For an initiator: one domain, number 0, with the anchors of one file (PEM or DER). */
enum result trust_store_of_file(const char *path, struct trust_store **out, struct fault *fault)
    WARN_UNUSED;

/* Reads those of DOMAIN's CRL files that have changed, and puts their CRLs in force. When a file
 * cannot be used, the CRLs that it held before stay in force, and there is a notice
 * (trust/crl_notice.h). *CHANGED is whether other CRLs are in force than before. Fails only with
 * RESULT_NO_MEMORY, and changes nothing then. */
enum result trust_store_reload_crls(struct trust_store *store, size_t domain, bool *changed)
    WARN_UNUSED;
/* Carries CRLs and intermediate CAs over a reload, from OLD into STORE, which is not in use yet.
 * Domains correspond by name; a name that is new corresponds to one that is gone if the two share
 * an anchor, as when a domain is renamed. For a CRL file that both policies name, the rules are
 * those of trust_store_reload_crls: STORE treats the file as one that has just changed. A CRL from
 * a file that STORE's policy does not name stays in force only if that domain of STORE has read an
 * older one of the same issuer. Fails only with RESULT_NO_MEMORY. */
enum result trust_store_keep_crls(struct trust_store *store, struct trust_store *old) WARN_UNUSED;
/* The print of CRL file number FILE of DOMAIN as it was read last. */
struct file_print trust_store_crl_print(struct trust_store *store, size_t domain, size_t file);
