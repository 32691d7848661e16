/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A public key of the profile (TS-0003 10.1): P-256, as SubjectPublicKeyInfo with an uncompressed
 * point (RFC 5480 2). It is the same within a certificate and, alone, as a raw public key (RFC
 * 7250).
 */
#pragma once

#include "base/fault.h"
#include "identity/names.h"
#include "x509/p256.h"

#define P256_SPKI_OCTETS 91

/* A view into what was read. */
struct public_key {
    struct bytes spki; /* header included */
    struct bytes point;
};

/* Takes one from the front of IN: in DER, with a point that is on the curve. */
bool public_key_take(struct bytes *in, struct public_key *out) WARN_UNUSED;
/* The same of all of SPKI: nothing may follow the key. */
bool public_key_parse(struct bytes spki, struct public_key *out) WARN_UNUSED;

/* Writes the SubjectPublicKeyInfo of POINT, which is on the curve. */
void public_key_write(const uint8_t point[P256_POINT_OCTETS], uint8_t spki[P256_SPKI_OCTETS]);

/* SHA-256 of a SubjectPublicKeyInfo: what the RFC 6920 identifier of a raw public key holds. */
enum result spki_digest(struct bytes spki, uint8_t digest[SPKI_DIGEST_SIZE]) WARN_UNUSED;
