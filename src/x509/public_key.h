/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A public key of the profile (TS-0003 10.1): a SubjectPublicKeyInfo of P-256 with an uncompressed
 * point (RFC 5480 2). It has the same form in a certificate and as a raw public key (RFC 7250). */
#pragma once

#include "base/fault.h"
#include "identity/names.h"
#include "x509/p256.h"

#define P256_SPKI_OCTETS 91

/* Both are views into what was read. */
struct public_key {
    struct bytes spki; /* header included */
    struct bytes point;
};

/* Takes a public key in DER from the front of IN. False when it has another form, or its point is
 * not on the curve. */
bool public_key_take(struct bytes *in, struct public_key *out) WARN_UNUSED;
/* The same when SPKI is the public key and nothing else. */
bool public_key_parse(struct bytes spki, struct public_key *out) WARN_UNUSED;

/* Writes the SubjectPublicKeyInfo of POINT, which the caller knows to be on the curve. */
void public_key_write(const uint8_t point[P256_POINT_OCTETS], uint8_t spki[P256_SPKI_OCTETS]);

/* Writes the SHA-256 of a SubjectPublicKeyInfo, which is in the public key identifier of a raw
 * public key (RFC 6920). */
enum result spki_digest(struct bytes spki, uint8_t digest[SPKI_DIGEST_SIZE]) WARN_UNUSED;
