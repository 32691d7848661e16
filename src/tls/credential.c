/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "tls/certificate.h"
#include "tls/pem.h"

#define CREDENTIAL_FILE_OCTETS 65536

static int format_of(const void *data, size_t size)
{
    return pem_is_in(bytes_of(data, size)) ? WOLFSSL_FILETYPE_PEM : WOLFSSL_FILETYPE_ASN1;
}

/* The certificates of a file as they stand in a Certificate message, each after its length; the
 * first one into LEAF too. */
static enum result read_list(
    struct bytes text, struct buffer *leaf, struct buffer *list, struct fault *fault)
{
    for (size_t count = 0;; count++) {
        AUTO_BUFFER struct buffer der = {.limit = text.size};
        enum result result = pem_or_der_next(&text, "CERTIFICATE", &der, fault);

        if (result == RESULT_NOT_FOUND && count > 0)
            return RESULT_OK;
        const uint8_t length[] = {
            (uint8_t)(der.size >> 16), (uint8_t)(der.size >> 8), (uint8_t)der.size};
        if (result == RESULT_OK)
            result = buffer_append(list, length, sizeof(length));
        if (result == RESULT_OK)
            result = buffer_append(list, der.data, der.size);
        if (result == RESULT_OK && count == 0)
            result = buffer_append(leaf, der.data, der.size);
        if (result != RESULT_OK)
            return result;
    }
}

/* The engine gets the leaf's public key, and the certificates as octets to send. */
static enum result use_list(
    WOLFSSL_CTX *engine, struct bytes leaf, const struct buffer *list, struct fault *fault)
{
    struct certificate certificate;
    enum result result = certificate_parse(leaf, &certificate, fault);

    if (result != RESULT_OK)
        return result;
    if (wolfSSL_CTX_use_certificate_buffer(engine, certificate.spki.data,
            (long)certificate.spki.size, WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_certificate_list(engine, list->data, (unsigned)list->size) !=
            WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_NO_MEMORY, "the TLS engine is out of memory");
    return RESULT_OK;
}

enum result credential_load_certificate(
    struct credential *credential, WOLFSSL_CTX *engine, const char *path, struct fault *fault)
{
    AUTO_BUFFER struct buffer file = {0}, list = {0};
    struct fault why = FAULT_INIT;
    enum result result = file_read(path, CREDENTIAL_FILE_OCTETS, &file, fault);

    if (result != RESULT_OK)
        return result;
    credential->leaf.limit = list.limit = CREDENTIAL_FILE_OCTETS;
    if (read_list(buffer_bytes(&file), &credential->leaf, &list, &why) != RESULT_OK)
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: no usable certificate: %s", path, why.text);
    result = use_list(engine, buffer_bytes(&credential->leaf), &list, &why);
    return result == RESULT_OK
               ? result
               : fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: %s", path, why.text);
}

static enum result use_file(WOLFSSL_CTX *engine, const char *path, struct fault *fault)
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

/* Of wolfSSL (CallbackEccSign). */
static int sign_by_token(WOLFSSL *engine, const unsigned char *digest, unsigned int digest_size,
    unsigned char *out, word32 *out_size, const unsigned char *key, unsigned int key_size,
    void *context)
{
    uint8_t signature[TOKEN_SIGNATURE_OCTETS];
    size_t size;

    (void)engine;
    (void)key;
    (void)key_size;
    if (digest_size != SHA256_OCTETS)
        return BAD_FUNC_ARG;
    switch (token_key_sign(context, bytes_of(digest, digest_size), signature, &size)) {
    case RESULT_OK:
        break;
    case RESULT_BUSY:
        return WC_HW_WAIT_E;
    default:
        return WC_HW_E;
    }
    if (size > *out_size)
        return BUFFER_E;
    memcpy(out, signature, size);
    *out_size = (word32)size;
    return 0;
}

static enum result read_leaf(
    const struct credential *credential, struct certificate *out, struct fault *fault)
{
    struct fault why = FAULT_INIT;
    enum result result = certificate_parse(buffer_bytes(&credential->leaf), out, &why);

    return result == RESULT_OK ? result : fault_set(fault, result, "certificate: %s", why.text);
}

/* The engine gets the public key in the private one's place: all that it needs besides a callback.
 */
static enum result use_token(
    struct credential *credential, WOLFSSL_CTX *engine, const char *uri, struct fault *fault)
{
    struct certificate leaf;
    enum result result = read_leaf(credential, &leaf, fault);

    if (result == RESULT_OK && !credential->token)
        result = token_key_open(uri, leaf.point, &credential->token, fault);
    if (result != RESULT_OK)
        return result;
    wolfSSL_CTX_SetEccSignCb(engine, sign_by_token);
    wolfSSL_CTX_SetEccSignCtx(engine, credential->token);
    if (wolfSSL_CTX_use_PrivateKey_buffer(
            engine, leaf.spki.data, (long)leaf.spki.size, WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no key on a token");
    return RESULT_OK;
}

/* The leaf's, or that which goes with the private key. */
static enum result find_public_key(const struct credential *credential,
    const char *private_key_path, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault)
{
    struct certificate leaf;

    if (credential->leaf.size == 0)
        return token_is_uri(private_key_path)
                   ? fault_set(fault, RESULT_BAD_CONFIGURATION,
                         "a token does not tell the public key: name a certificate that has it, or "
                         "have the private key in a file")
                   : public_key_of_private_key(private_key_path, spki, fault);
    enum result result = read_leaf(credential, &leaf, fault);
    if (result == RESULT_OK)
        memcpy(spki, leaf.spki.data, P256_SPKI_OCTETS);
    return result;
}

enum result credential_load_public_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *private_key_path, struct fault *fault)
{
    uint8_t spki[P256_SPKI_OCTETS];
    enum result result = find_public_key(credential, private_key_path, spki, fault);

    if (result == RESULT_OK && wolfSSL_CTX_use_certificate_buffer(engine, spki, sizeof(spki),
                                   WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        result = fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
    return result;
}

/* Whether the private key in PATH is that of the certificate, if there is one. */
static enum result check_match(
    const struct credential *credential, const char *path, struct fault *fault)
{
    uint8_t ours[P256_SPKI_OCTETS], spki[P256_SPKI_OCTETS];
    enum result result = find_public_key(credential, path, ours, fault);

    if (result == RESULT_OK)
        result = public_key_of_private_key(path, spki, fault);
    if (result == RESULT_OK && memcmp(ours, spki, sizeof(spki)) != 0)
        result = fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: is not the private key of the certificate", path);
    return result;
}

enum result credential_load_private_key(
    struct credential *credential, WOLFSSL_CTX *engine, const char *path, struct fault *fault)
{
    if (token_is_uri(path))
        return use_token(credential, engine, path, fault);
    enum result result = check_match(credential, path, fault);
    return result == RESULT_OK ? use_file(engine, path, fault) : result;
}

void credential_release(struct credential *credential)
{
    token_key_close(credential->token);
    credential->token = NULL;
    buffer_release(&credential->leaf);
}
