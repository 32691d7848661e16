/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate revocation list, read strictly (RFC 5280 5). It has to be complete and direct (of
 * its issuer's own certificates), and of version 1 or 2. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* A parsed CRL. All views point into its DER, which must outlive this. */
struct crl {
    struct bytes tbs;               /* what is signed, header included */
    struct bytes signature;         /* DER ECDSA-Sig-Value */
    struct bytes issuer;            /* Name, header included */
    struct bytes authority_key_id;  /* empty = absent */
    struct bytes number;            /* content of cRLNumber's INTEGER; empty = absent */
    struct bytes scope;             /* value of issuingDistributionPoint; empty = absent */
    bool covers_leaves, covers_cas; /* whose status it has: end entities, CAs, or both */
    int64_t this_update_s;          /* seconds since the epoch, UTC */
    int64_t next_update_s;
    struct bytes *serials; /* contents of INTEGERs, sorted */
    size_t serial_count;
};

/* Parses DER, all of which has to be one CRL. RESULT_CERTIFICATE_REFUSED when we cannot use it: it
 * is no CRL, is malformed, is signed by another algorithm, has a critical extension that we do not
 * understand, or does not give the whole status of certificates (delta and indirect CRLs, those of
 * some reasons only or of attribute certificates). FAULT says which. RESULT_NO_MEMORY. Release OUT
 * with crl_release, also after a failure. Does not verify the signature. */
enum result crl_parse(struct bytes der, struct crl *out, struct fault *fault) WARN_UNUSED;
void crl_release(struct crl *crl);

/* Does CRL list SERIAL (content of an INTEGER)? */
bool crl_lists(const struct crl *crl, struct bytes serial);
/* Is the CRL about CAs (IS_CA), or about end entities? */
bool crl_covers(const struct crl *crl, bool is_ca);
/* Is nextUpdate not past at NOW_S? A thisUpdate in the future is accepted, since RFC 5280 6.3.3
 * does not ask for it: the clock of this host or of the CA is wrong. */
bool crl_is_current(const struct crl *crl, int64_t now_s);

/* Does OTHER, of the same issuer, replace CRL? If both have a cRLNumber and the same authority key
 * id, the higher number is newer, since CAs count for each scope and, in practice, for each key;
 * else the later thisUpdate is newer. CRLs of different scopes do not replace each other: then the
 * answer is false both ways. */
bool crl_is_older(const struct crl *crl, const struct crl *other);
