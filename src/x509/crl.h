/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate revocation list, read strictly (RFC 5280 5): complete and direct, of version 1 or
 * 2. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* Views point into the DER that was parsed, which must outlive this. */
struct crl {
    struct bytes tbs;
    struct bytes signature;
    struct bytes issuer;            /* Name, header included */
    struct bytes authority_key_id;  /* empty = absent */
    struct bytes number;            /* content of cRLNumber's INTEGER; empty = absent */
    struct bytes scope;             /* issuingDistributionPoint; empty = absent */
    bool covers_leaves, covers_cas; /* which of its issuer's certificates it speaks of */
    int64_t this_update_s;
    int64_t next_update_s;
    struct bytes *serials; /* sorted */
    size_t serial_count;
};

/* RESULT_CERTIFICATE_REFUSED with FAULT, which says what it is that we cannot use: something else
 * than a CRL, a signature by another algorithm, a malformed part, an extension that we do not
 * understand, or a scope that no certificate's status can be told by (delta and indirect CRLs,
 * those of some reasons or of attribute certificates). RESULT_NO_MEMORY. Release with crl_release
 * in any case. */
enum result crl_parse(struct bytes der, struct crl *out, struct fault *fault) WARN_UNUSED;
void crl_release(struct crl *crl);

bool crl_lists(const struct crl *crl, struct bytes serial);
bool crl_covers(const struct crl *crl, bool is_ca);
/* RFC 5280 6.3.3 asks for nextUpdate alone: a thisUpdate to come is a clock that is off. */
bool crl_is_current(const struct crl *crl, int64_t now_s);

/* Is CRL an earlier one than OTHER? Both are of one issuer. By cRLNumber, which counts up in one
 * scope and, as CAs in the field do it, under one key; else by thisUpdate. CRLs of different scopes
 * do not replace each other, so that neither is older. */
bool crl_is_older(const struct crl *crl, const struct crl *other);
