/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence: what is kept of a certificate path, beside the key that was established with it, to
 * compare the path with later CRLs. It has the issuer and the serial number of each certificate but
 * the anchor. With these one can tell that a CRL lists one of the certificates, without keeping
 * them. Since paths and serial numbers are bounded, evidence always fits KEY_EVIDENCE_OCTETS of
 * keys/key.h. */
#pragma once

#include "base/fault.h"
#include "trust/path_verdict.h"
#include "trust/store.h"

/* One link: the issuer's hash (trust/issuer.h, big-endian), the issuer's public key as a point, and
 * the serial number after its length. The point is all zero when the issuer may not sign CRLs (RFC
 * 5280 6.3.3 (f)). */
#define EVIDENCE_LINK_OCTETS_MAX (8 + P256_POINT_OCTETS + 1 + SERIAL_OCTETS_MAX)
#define EVIDENCE_OCTETS_MAX      (PATH_CERTIFICATES_MAX * EVIDENCE_LINK_OCTETS_MAX)

struct evidence {
    uint8_t octets[EVIDENCE_OCTETS_MAX];
    size_t size; /* 0 for a raw public key, which no CRL can list */
};

/* Writes the evidence of the path that VERDICT has for DOMAIN: a link for each certificate, from
 * the one below the anchor to the leaf, which is the last. Fails only for lack of memory. */
enum result evidence_write(const struct trust_store *store, const struct path_verdict *verdict,
    size_t domain, struct evidence *out) WARN_UNUSED;

struct evidence_link {
    uint64_t issuer;            /* issuer_hash of its name */
    struct bytes point, serial; /* views into what was read */
};

/* Takes a link from the front of EVIDENCE. Returns false at its end, or when it does not begin with
 * a whole link. */
bool evidence_next(struct bytes *evidence, struct evidence_link *out);
