/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a CRL is known to have been signed by its issuer. */
#pragma once

#include "trust/store.h"

enum crl_standing {
    CRL_COUNTS,    /* signed by an anchor, or by an intermediate CA that somebody presented */
    CRL_AWAITS_CA, /* no anchor has its issuer's name: an intermediate CA may have signed it */
    CRL_UNSIGNED,  /* an anchor has its issuer's name, but no known key of that name signed it */
};
/* The standing of CRL in DOMAIN. Verifies signatures whose result is not remembered. */
enum crl_standing crl_standing(
    struct trust_store *store, const struct trust_domain *domain, const struct trust_crl *crl);
