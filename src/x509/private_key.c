/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/private_key.h"

#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "x509/der.h"
#include "x509/pem.h"
#include "x509/signed_object.h"

struct private_key {
    uint8_t scalar[P256_SCALAR_OCTETS];
    uint8_t spki[P256_SPKI_OCTETS];
};

/* --- DER --- */

/* The AlgorithmIdentifier id-ecPublicKey with secp256r1, and that curve alone (RFC 5480 2.1.1). */
static const uint8_t p256_algorithm[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t secp256r1[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

static bool take_version(struct bytes *in, int most, int *out)
{
    struct bytes version;
    return der_take_tag(in, DER_INTEGER, &version) && der_small_number(version, out) &&
           *out <= most;
}

/* RFC 5915 3: ECPrivateKey ::= SEQUENCE { version 1, privateKey OCTET STRING, curve [0] OPTIONAL,
 * publicKey [1] OPTIONAL }. Some programs write the private key without its leading zeros. The
 * public key is not read, since we compute it. */
static bool read_sec1(struct bytes der, uint8_t scalar[P256_SCALAR_OCTETS])
{
    struct bytes content, number, curve, public_key;
    int version;
    if (!der_only(der, DER_SEQUENCE, &content) || !take_version(&content, 1, &version) ||
        version != 1 || !der_take_tag(&content, DER_OCTET_STRING, &number) ||
        !der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(0), &curve) ||
        !der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(1), &public_key) ||
        content.size != 0 || number.size > P256_SCALAR_OCTETS)
        return false;
    if (curve.data && (!x509_take_exactly(&curve, secp256r1, sizeof(secp256r1)) || curve.size > 0))
        return false;
    memset(scalar, 0, P256_SCALAR_OCTETS);
    memcpy(scalar + P256_SCALAR_OCTETS - number.size, number.data, number.size);
    return true;
}

/* RFC 5208, RFC 5958: PrivateKeyInfo ::= SEQUENCE { version, AlgorithmIdentifier, OCTET STRING, [0]
 * attributes OPTIONAL, [1] public key OPTIONAL }. */
static bool read_pkcs8(struct bytes der, uint8_t scalar[P256_SCALAR_OCTETS])
{
    struct bytes content, key, attributes, public_key;
    int version;
    return der_only(der, DER_SEQUENCE, &content) && take_version(&content, 1, &version) &&
           x509_take_exactly(&content, p256_algorithm, sizeof(p256_algorithm)) &&
           der_take_tag(&content, DER_OCTET_STRING, &key) &&
           der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(0), &attributes) &&
           der_take_optional(&content, DER_CONTEXT(1), &public_key) && content.size == 0 &&
           read_sec1(key, scalar);
}

/* --- files --- */

struct reading {
    struct bytes text;
    struct buffer der; /* in secret memory: its size is fixed, so that it is never moved */
    struct private_key *key;
    bool good;
};

static bool decode(struct bytes text, struct buffer *out)
{
    struct bytes rest = text;
    enum result result = pem_next(&rest, "PRIVATE KEY", out);
    if (result != RESULT_NOT_FOUND)
        return result == RESULT_OK;
    rest = text;
    return pem_next(&rest, "EC PRIVATE KEY", out) == RESULT_OK;
}

static void read_key(void *context)
{
    struct reading *reading = context;
    struct private_key *key = reading->key;
    struct bytes der = reading->text;
    uint8_t point[P256_POINT_OCTETS];
    if (pem_is_in(reading->text)) {
        if (!decode(reading->text, &reading->der))
            return;
        der = buffer_bytes(&reading->der);
    }
    reading->good = (read_pkcs8(der, key->scalar) || read_sec1(der, key->scalar)) &&
                    ecdsa_point_of(key->scalar, point);
    if (reading->good)
        public_key_write(point, key->spki);
}

enum result private_key_parse(struct bytes text, struct private_key **out)
{
    struct private_key *key CLEANUP(auto_private_key_free) = secret_alloc(sizeof(*key));
    void *der CLEANUP(auto_secret_free) = secret_alloc(text.size + 1);
    if (!key || !der)
        return RESULT_NO_MEMORY;
    struct reading reading = {
        .text = text,
        .der = {.data = der, .capacity = text.size, .limit = text.size},
        .key = key,
    };
    TRY(secret_call(read_key, &reading));
    if (!reading.good)
        return RESULT_BAD_INPUT;
    *out = TAKE_PTR(key);
    return RESULT_OK;
}

enum result private_key_read(const char *path, struct private_key **out, struct fault *fault)
{
    void *text CLEANUP(auto_secret_free) = NULL;
    size_t size;
    TRY(file_read_secret(path, KEY_FILE_OCTETS_MAX, &text, &size, fault));
    enum result result = private_key_parse(bytes_of(text, size), out);
    if (result == RESULT_BAD_INPUT)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: no usable private key (P-256; PEM or DER; PKCS#8 or SEC1; not encrypted)", path);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s: no secret memory left", path);
    return RESULT_OK;
}

void private_key_free(struct private_key *key)
{
    secret_free(key);
}

struct public_key private_key_public(const struct private_key *key)
{
    return (struct public_key){
        .spki = bytes_of(key->spki, P256_SPKI_OCTETS),
        .point = bytes_of(key->spki + P256_SPKI_OCTETS - P256_POINT_OCTETS, P256_POINT_OCTETS),
    };
}

/* --- signing --- */

struct signing {
    const struct private_key *key;
    const uint8_t *digest;
    struct WC_RNG *random;
    uint8_t *signature;
    size_t *size;
    bool good;
};

static void sign(void *context)
{
    struct signing *signing = context;
    signing->good = ecdsa_sign_digest(
        signing->key->scalar, signing->digest, signing->random, signing->signature, signing->size);
}

enum result private_key_sign(const struct private_key *key, struct bytes digest,
    struct WC_RNG *random, uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size)
{
    struct signing signing = {key, digest.data, random, signature, size, false};
    if (digest.size < SHA256_OCTETS)
        return RESULT_INTERNAL;
    enum result result = secret_call(sign, &signing);
    return result == RESULT_OK && !signing.good ? RESULT_INTERNAL : result;
}
