/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/file.h"
#include "base/secret.h"

#define CREDENTIAL_FILE_OCTETS 65536

/* PEM, or the DER that it holds. */
static int format_of(const void *data, size_t size)
{
    return memmem(data, size, "-----BEGIN ", 11) ? WOLFSSL_FILETYPE_PEM : WOLFSSL_FILETYPE_ASN1;
}

static enum result use_certificate(
    WOLFSSL_CTX *engine, const char *path, struct buffer *leaf, struct fault *fault)
{
    AUTO_BUFFER struct buffer file = {0};
    enum result result = file_read(path, CREDENTIAL_FILE_OCTETS, &file, fault);

    if (result != RESULT_OK)
        return result;
    int used = wolfSSL_CTX_use_certificate_chain_buffer_format(
        engine, file.data, (long)file.size, format_of(file.data, file.size));
    if (used != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: no usable certificate", path);

    DerBuffer *der = NULL;
    leaf->limit = CERTIFICATE_OCTETS_MAX;
    if (format_of(file.data, file.size) == WOLFSSL_FILETYPE_ASN1)
        return buffer_append(leaf, file.data, file.size);
    if (wc_PemToDer(file.data, (long)file.size, CERT_TYPE, &der, NULL, NULL, NULL) != 0)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: no usable certificate", path);
    result = buffer_append(leaf, der->buffer, der->length);
    wc_FreeDer(&der);
    if (result != RESULT_OK)
        fault_set(
            fault, result, "%s: certificate larger than %d octets", path, CERTIFICATE_OCTETS_MAX);
    return result;
}

static enum result use_private_key(WOLFSSL_CTX *engine, const char *path, struct fault *fault)
{
    void *key CLEANUP(auto_secret_free) = NULL;
    size_t size;
    enum result result = file_read_secret(path, CREDENTIAL_FILE_OCTETS, &key, &size, fault);

    if (result != RESULT_OK)
        return result;
    if (wolfSSL_CTX_use_PrivateKey_buffer(engine, key, (long)size, format_of(key, size)) !=
        WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: no usable private key (P-256; PEM or DER; PKCS#8 or SEC1; not encrypted)", path);
    return RESULT_OK;
}

enum result credential_load(WOLFSSL_CTX *engine, const char *certificate_path,
    const char *private_key_path, struct buffer *leaf, struct fault *fault)
{
    enum result result = use_certificate(engine, certificate_path, leaf, fault);

    if (result == RESULT_OK)
        result = use_private_key(engine, private_key_path, fault);
    if (result != RESULT_OK)
        return result;
    if (wolfSSL_CTX_check_private_key(engine) != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: is not the private key of certificate %s", private_key_path, certificate_path);
    return RESULT_OK;
}
