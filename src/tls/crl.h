/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate revocation list, read strictly (RFC 5280 5): complete, direct, version 2. */
#pragma once

#include "base/bytes.h"

/* Views point into the DER that was parsed, which must outlive this. */
struct crl {
    struct bytes tbs;
    struct bytes signature;
    struct bytes issuer;           /* Name, header included */
    struct bytes authority_key_id; /* empty = absent */
    int64_t this_update_s;
    int64_t next_update_s;
    struct bytes *serials; /* sorted */
    size_t serial_count;
};

/* RESULT_CERTIFICATE_REFUSED with FAULT when it is malformed or outside what we understand (delta
 * and indirect CRLs, other distribution points). Release with crl_release in any case. */
enum result crl_parse(struct bytes der, struct crl *out, struct fault *fault) WARN_UNUSED;
void crl_release(struct crl *crl);

bool crl_lists(const struct crl *crl, struct bytes serial);
