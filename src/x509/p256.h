/* SPDX-License-Identifier: GPL-2.0-or-later */
/* P-256 and SHA-256 as the certificate profile uses them (TS-0003 10.1), by wolfCrypt. */
#pragma once

#include "base/bytes.h"

#define SHA256_OCTETS      32
#define P256_POINT_OCTETS  65 /* 0x04, X, Y */
#define P256_SCALAR_OCTETS 32

#define ECDSA_SIGNATURE_OCTETS 72 /* most, of an ECDSA-Sig-Value on P-256 */

/* Does POINT (uncompressed) lie on the curve? */
bool ecdsa_is_point(struct bytes point);

/* With a private key, big-endian: its point, and a signature (ECDSA-Sig-Value) with RANDOM, a
 * generator of wolfCrypt's, or where it is NULL with one of its own. Both leave parts of the key
 * and of the nonce on the stack: call them by secret_call. False when SCALAR is not in [1, n-1], or
 * when random numbers or memory fail. */
struct WC_RNG;
bool ecdsa_point_of(const uint8_t scalar[P256_SCALAR_OCTETS], uint8_t point[P256_POINT_OCTETS]);
bool ecdsa_sign_digest(const uint8_t scalar[P256_SCALAR_OCTETS],
    const uint8_t digest[SHA256_OCTETS], struct WC_RNG *random,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size);

/* Is SIGNATURE (ECDSA-Sig-Value, strict DER) that of CONTENT by POINT's key, with SHA-256? */
bool ecdsa_verify(struct bytes point, struct bytes content, struct bytes signature);

/* The same, for whoever remembers the answer: RESULT_BAD_INPUT when the signature is not valid, and
 * RESULT_INTERNAL when that could not be found out, for lack of memory or so. */
enum result ecdsa_check(struct bytes point, struct bytes content, struct bytes signature)
    WARN_UNUSED;

/* The same, when the content's digest is known. */
bool ecdsa_verify_digest(
    struct bytes point, const uint8_t digest[SHA256_OCTETS], struct bytes signature);

/* SHA-256 of A followed by B. */
enum result sha256_of(struct bytes a, struct bytes b, uint8_t digest[SHA256_OCTETS]) WARN_UNUSED;
