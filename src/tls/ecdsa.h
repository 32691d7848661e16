/* SPDX-License-Identifier: GPL-2.0-or-later */
/* P-256 and SHA-256 as the certificate profile uses them (TS-0003 10.1), by wolfCrypt. */
#pragma once

#include "base/bytes.h"

#define SHA256_OCTETS     32
#define P256_POINT_OCTETS 65 /* 0x04, X, Y */

/* Does POINT (uncompressed) lie on the curve? */
bool ecdsa_is_point(struct bytes point);

/* The point that goes with a private key (DER, PKCS#8 or SEC1); false when it is none on P-256. */
bool ecdsa_point_of(struct bytes private_key, uint8_t point[P256_POINT_OCTETS]);

/* Is SIGNATURE (ECDSA-Sig-Value, strict DER) that of CONTENT by POINT's key, with SHA-256? */
bool ecdsa_verify(struct bytes point, struct bytes content, struct bytes signature);

/* The same for a digest in hand. */
bool ecdsa_verify_digest(
    struct bytes point, const uint8_t digest[SHA256_OCTETS], struct bytes signature);

/* SHA-256 of A followed by B. */
enum result sha256_of(struct bytes a, struct bytes b, uint8_t digest[SHA256_OCTETS]) WARN_UNUSED;
