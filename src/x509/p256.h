/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ECDSA on P-256, and SHA-256, as the certificate profile demands them (TS-0003 10.1). wolfCrypt
 * computes. */
#pragma once

#include "base/bytes.h"

#define SHA256_OCTETS      32
#define P256_POINT_OCTETS  65 /* 0x04, X, Y */
#define P256_SCALAR_OCTETS 32

#define ECDSA_SIGNATURE_OCTETS 72 /* the longest ECDSA-Sig-Value on P-256 */

/* Does POINT (uncompressed) lie on the curve? */
bool ecdsa_is_point(struct bytes point);

/* Both take a private key, SCALAR in big-endian order. The first writes its public point. The
 * second writes a signature (ECDSA-Sig-Value) of DIGEST; the nonce comes from RANDOM, a generator
 * of wolfCrypt, or from one made for the call if RANDOM is NULL. Both leave parts of the key and of
 * the nonce on the stack: call them through secret_call. False when SCALAR is not in [1, n-1], or
 * when random numbers or memory fail. */
struct WC_RNG;
bool ecdsa_point_of(const uint8_t scalar[P256_SCALAR_OCTETS], uint8_t point[P256_POINT_OCTETS]);
bool ecdsa_sign_digest(const uint8_t scalar[P256_SCALAR_OCTETS],
    const uint8_t digest[SHA256_OCTETS], struct WC_RNG *random,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size);

/* Is SIGNATURE (ECDSA-Sig-Value, strict DER) a valid ecdsa-with-SHA256 signature of CONTENT by the
 * key with POINT? */
bool ecdsa_verify(struct bytes point, struct bytes content, struct bytes signature);

/* The same for callers that remember the answer: RESULT_BAD_INPUT when the signature is not valid,
 * and RESULT_INTERNAL when it could not be verified, such as for lack of memory. */
enum result ecdsa_check(struct bytes point, struct bytes content, struct bytes signature)
    WARN_UNUSED;

/* The same for content whose SHA-256 is DIGEST. */
bool ecdsa_verify_digest(
    struct bytes point, const uint8_t digest[SHA256_OCTETS], struct bytes signature);

/* SHA-256 of A followed by B. */
enum result sha256_of(struct bytes a, struct bytes b, uint8_t digest[SHA256_OCTETS]) WARN_UNUSED;
