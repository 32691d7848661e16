/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an established key can be judged by later: who issued each certificate of its owner's path
 * but the anchor, and under which number. Enough to know that a CRL lists one of them, without the
 * certificates themselves. It stays with the key, so it is small: always less than
 * KEY_EVIDENCE_OCTETS of keys/cache.h, as paths and serial numbers are bounded. */
#pragma once

#include "trust/path.h"

/* One link: 8 octets that stand for the issuer's name, the issuer's point, and the serial number
 * after its length. The point is all zero when the issuer may not sign CRLs (RFC 5280 6.3.3 (f)).
 */
#define EVIDENCE_LINK_OCTETS_MAX (8 + P256_POINT_OCTETS + 1 + SERIAL_OCTETS_MAX)
#define EVIDENCE_OCTETS_MAX      (PATH_CERTIFICATES_MAX * EVIDENCE_LINK_OCTETS_MAX)

struct evidence {
    uint8_t octets[EVIDENCE_OCTETS_MAX];
    size_t size;
};

/* Of the path by which DOMAIN, one that VERDICT says trusts it, did so: a link for each
 * certificate, from the one below the anchor to the leaf, which is the last. */
enum result evidence_write(const struct trust_store *store, const struct path_verdict *verdict,
    size_t domain, struct evidence *out) WARN_UNUSED;

struct evidence_link {
    uint64_t issuer;
    struct bytes point, serial; /* views into what was read */
};

/* Takes a link from the front of EVIDENCE; false at its end, or when what follows is no link. */
bool evidence_next(struct bytes *evidence, struct evidence_link *out);

/* The first 8 octets of the name's canonical digest (tls/distinguished_name.h). Two different
 * numbers are those of different names; equal ones are those of equal names, but for one chance in
 * 2^64. */
enum result evidence_issuer(struct bytes name, uint64_t *out) WARN_UNUSED;
/* The same of the SHA-256 of the name's DER: evidence had it instead once, and keys that a running
 * daemon inherits from an older version still do. */
enum result evidence_old_issuer(struct bytes name, uint64_t *out) WARN_UNUSED;
