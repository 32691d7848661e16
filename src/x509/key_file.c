/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/key_file.h"

#include <string.h>

#include "base/file.h"
#include "x509/certificate.h"
#include "x509/pem.h"
#include "x509/private_key.h"
#include "x509/signed_object.h"

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
    TRY(certificate_parse(der, &certificate, fault));
    memcpy(spki, certificate.spki.data, P256_SPKI_OCTETS);
    return RESULT_OK;
}

/* Reads TEXT, which is no private key, as a public key or a certificate. */
static enum result read_public(
    struct bytes text, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    struct buffer der AUTO_BUFFER = {.limit = text.size};
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
    struct buffer file AUTO_BUFFER = {0};
    struct fault why = FAULT_INIT;
    if (private_key_read(path, &key, fault) == RESULT_OK) {
        memcpy(spki, private_key_public(key).spki.data, P256_SPKI_OCTETS);
        return RESULT_OK;
    }
    enum result result = file_read(path, KEY_FILE_OCTETS_MAX, &file, &why);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s", why.text);
    struct bytes text = buffer_bytes(&file);
    if ((pem_is_in(text) && memmem(text.data, text.size, "PRIVATE KEY-----", 16)) ||
        private_key_parse(text, &key) == RESULT_OK)
        return fault
            ->result; /* it is meant to be a private key: private_key_read said what is wrong */
    result = read_public(text, spki, &why);
    return result == RESULT_OK ? result : fault_set(fault, result, "%s: %s", path, why.text);
}
