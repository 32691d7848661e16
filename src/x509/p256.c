/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/p256.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "x509/der.h"

#define SCALAR_OCTETS_MAX 33 /* 256 bits, and a zero octet before a set sign bit */

static void release_key(ecc_key *key)
{
    (void)wc_ecc_free(key);
}

static bool is_uncompressed(struct bytes point)
{
    return point.size == P256_POINT_OCTETS && point.data[0] == 0x04;
}

static bool import_point(struct bytes point, ecc_key *key)
{
    return is_uncompressed(point) &&
           wc_ecc_import_x963_ex(point.data, (word32)point.size, key, ECC_SECP256R1) == 0;
}

bool ecdsa_is_point(struct bytes point)
{
    ecc_key key CLEANUP(release_key);
    mp_int a, b, prime;
    if (wc_ecc_init(&key) != 0 || !import_point(point, &key) ||
        mp_init_multi(&a, &b, &prime, NULL, NULL, NULL) != MP_OKAY)
        return false;
    /* wolfCrypt does not check on import that the point is on the curve. */
    return mp_read_radix(&a, key.dp->Af, MP_RADIX_HEX) == MP_OKAY &&
           mp_read_radix(&b, key.dp->Bf, MP_RADIX_HEX) == MP_OKAY &&
           mp_read_radix(&prime, key.dp->prime, MP_RADIX_HEX) == MP_OKAY &&
           wc_ecc_is_point(&key.pubkey, &a, &b, &prime) == MP_OKAY;
}

static bool import_scalar(const uint8_t scalar[P256_SCALAR_OCTETS], ecc_key *key)
{
    return wc_ecc_import_private_key_ex(scalar, P256_SCALAR_OCTETS, NULL, 0, key, ECC_SECP256R1) ==
           0;
}

bool ecdsa_point_of(const uint8_t scalar[P256_SCALAR_OCTETS], uint8_t point[P256_POINT_OCTETS])
{
    ecc_key key CLEANUP(release_key) = {0};
    word32 size = P256_POINT_OCTETS;
    return wc_ecc_init(&key) == 0 && import_scalar(scalar, &key) &&
           wc_ecc_make_pub(&key, NULL) == MP_OKAY && /* checks the range of the scalar */
           wc_ecc_export_x963(&key, point, &size) == 0 && size == P256_POINT_OCTETS;
}

static void release_random(WC_RNG *random)
{
    (void)wc_FreeRng(random);
}

static bool sign_digest(const uint8_t scalar[P256_SCALAR_OCTETS],
    const uint8_t digest[SHA256_OCTETS], WC_RNG *random, uint8_t signature[ECDSA_SIGNATURE_OCTETS],
    size_t *size)
{
    ecc_key key CLEANUP(release_key) = {0};
    word32 room = ECDSA_SIGNATURE_OCTETS;
    if (wc_ecc_init(&key) != 0 || !import_scalar(scalar, &key) ||
        wc_ecc_sign_hash(digest, SHA256_OCTETS, signature, &room, random, &key) != 0)
        return false;
    *size = room;
    return true;
}

/* The generator need not be wiped: its state does not reveal nonces that it gave before (SP 800-90A
 * 8.8). */
bool ecdsa_sign_digest(const uint8_t scalar[P256_SCALAR_OCTETS],
    const uint8_t digest[SHA256_OCTETS], struct WC_RNG *random,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size)
{
    WC_RNG own CLEANUP(release_random) = {0};
    if (!random && wc_InitRng(&own) != 0)
        return false;
    return sign_digest(scalar, digest, random ? random : &own, signature, size);
}

/* RFC 5480 appendix A: SEQUENCE { r INTEGER, s INTEGER }. wolfCrypt checks their range. */
static bool is_signature(struct bytes signature)
{
    struct bytes content, r, s;
    return der_only(signature, DER_SEQUENCE, &content) && der_take_tag(&content, DER_INTEGER, &r) &&
           der_take_tag(&content, DER_INTEGER, &s) && content.size == 0 && der_is_natural(r) &&
           der_is_natural(s) && r.size <= SCALAR_OCTETS_MAX && s.size <= SCALAR_OCTETS_MAX;
}

static enum result check_digest(
    struct bytes point, const uint8_t digest[SHA256_OCTETS], struct bytes signature)
{
    ecc_key key CLEANUP(release_key) = {0};
    int good = 0;
    if (!is_signature(signature) || !is_uncompressed(point))
        return RESULT_BAD_INPUT;
    if (wc_ecc_init(&key) != 0 || !import_point(point, &key))
        return RESULT_INTERNAL;
    int error = wc_ecc_verify_hash(
        signature.data, (word32)signature.size, digest, SHA256_OCTETS, &good, &key);
    if (error == MEMORY_E || error == MP_MEM)
        return RESULT_INTERNAL;
    return error == 0 && good == 1 ? RESULT_OK : RESULT_BAD_INPUT;
}

bool ecdsa_verify_digest(
    struct bytes point, const uint8_t digest[SHA256_OCTETS], struct bytes signature)
{
    return check_digest(point, digest, signature) == RESULT_OK;
}

enum result ecdsa_check(struct bytes point, struct bytes content, struct bytes signature)
{
    uint8_t digest[SHA256_OCTETS];
    enum result result = sha256_of(content, (struct bytes){0}, digest);
    return result == RESULT_OK ? check_digest(point, digest, signature) : result;
}

bool ecdsa_verify(struct bytes point, struct bytes content, struct bytes signature)
{
    return ecdsa_check(point, content, signature) == RESULT_OK;
}

static void release_hash(wc_Sha256 *hash)
{
    wc_Sha256Free(hash);
}

enum result sha256_of(struct bytes a, struct bytes b, uint8_t digest[SHA256_OCTETS])
{
    wc_Sha256 hash CLEANUP(release_hash);
    if (wc_InitSha256(&hash) != 0 || wc_Sha256Update(&hash, a.data, (word32)a.size) != 0 ||
        wc_Sha256Update(&hash, b.data, (word32)b.size) != 0 || wc_Sha256Final(&hash, digest) != 0)
        return RESULT_INTERNAL;
    return RESULT_OK;
}
