/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/public_key.h"

#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "x509/certificate.h"
#include "x509/pem.h"
#include "x509/private_key.h"
#include "x509/signed_object.h"

#define KEY_FILE_OCTETS 65536

/* Up to the point: id-ecPublicKey, secp256r1, uncompressed. */
static const uint8_t p256_spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    0x04};
_Static_assert(sizeof(p256_spki) - 1 + P256_POINT_OCTETS == P256_SPKI_OCTETS, "0x04 is in both");

bool public_key_take(struct bytes *in, struct public_key *out)
{
    struct bytes start = *in, coordinates;
    if (!x509_take_exactly(in, p256_spki, sizeof(p256_spki)) ||
        !bytes_take(in, P256_POINT_OCTETS - 1, &coordinates))
        return false;
    out->spki = bytes_of(start.data, P256_SPKI_OCTETS);
    out->point = bytes_of(coordinates.data - 1, P256_POINT_OCTETS); /* from the 0x04 on */
    return ecdsa_is_point(out->point);
}

bool public_key_parse(struct bytes spki, struct public_key *out)
{
    return public_key_take(&spki, out) && spki.size == 0;
}

void public_key_write(const uint8_t point[P256_POINT_OCTETS], uint8_t spki[P256_SPKI_OCTETS])
{
    memcpy(spki, p256_spki, sizeof(p256_spki) - 1);
    memcpy(spki + sizeof(p256_spki) - 1, point, P256_POINT_OCTETS);
}

/* --- from files --- */

static enum result read_public_key(
    struct bytes der, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    struct public_key key;
    if (!public_key_parse(der, &key))
        return fault_set(fault, RESULT_BAD_INPUT,
            "public key is not an uncompressed point on P-256 (TS-0003 10.1)");
    memcpy(spki, key.spki.data, P256_SPKI_OCTETS);
    return RESULT_OK;
}

static enum result read_certificate(
    struct bytes der, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    struct certificate certificate;
    enum result result = certificate_parse(der, &certificate, fault);
    if (result == RESULT_OK)
        memcpy(spki, certificate.spki.data, P256_SPKI_OCTETS);
    return result;
}

/* TEXT is not, as it seems, a private key. */
static enum result read_public(
    struct bytes text, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    AUTO_BUFFER struct buffer der = {.limit = text.size};
    struct signed_object object;
    struct public_key key;
    struct bytes rest = text;
    if (pem_is_in(text) && pem_next(&rest, "PUBLIC KEY", &der) == RESULT_OK)
        return read_public_key(buffer_bytes(&der), spki, fault);
    rest = text;
    if (pem_is_in(text) && pem_next(&rest, "CERTIFICATE", &der) == RESULT_OK)
        return read_certificate(buffer_bytes(&der), spki, fault);
    if (!pem_is_in(text) && public_key_parse(text, &key))
        return read_public_key(text, spki, fault);
    if (!pem_is_in(text) && signed_object_read(text, &object))
        return read_certificate(text, spki, fault);
    return fault_set(
        fault, RESULT_BAD_INPUT, "no certificate, public key or private key, in PEM or DER");
}

enum result public_key_of_file(
    const char *path, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    AUTO_BUFFER struct buffer file = {0};
    struct fault why = FAULT_INIT;
    if (private_key_read(path, &key, fault) == RESULT_OK) {
        memcpy(spki, private_key_public(key).spki.data, P256_SPKI_OCTETS);
        return RESULT_OK;
    }
    enum result result = file_read(path, KEY_FILE_OCTETS, &file, &why);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s", why.text);
    struct bytes text = buffer_bytes(&file);
    if ((pem_is_in(text) && memmem(text.data, text.size, "PRIVATE KEY-----", 16)) ||
        private_key_parse(text, &key) == RESULT_OK)
        return fault->result; /* of a private key, and what is wrong with it */
    result = read_public(text, spki, &why);
    return result == RESULT_OK ? result : fault_set(fault, result, "%s: %s", path, why.text);
}
