/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/file.h"
#include "x509/certificate.h"
#include "x509/pem.h"

#define CREDENTIAL_FILE_OCTETS 65536

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

static enum result read_leaf(
    const struct credential *credential, struct certificate *out, struct fault *fault)
{
    struct fault why = FAULT_INIT;
    enum result result = certificate_parse(buffer_bytes(&credential->leaf), out, &why);

    return result == RESULT_OK ? result : fault_set(fault, result, "certificate: %s", why.text);
}

/* One for both engines of an end-point. */
static enum result load_file(struct credential *credential, const char *path, struct fault *fault)
{
    return credential->key ? RESULT_OK : private_key_read(path, &credential->key, fault);
}

/* The leaf's, or that which goes with the private key. */
static enum result find_public_key(struct credential *credential, const char *private_key_path,
    struct public_key *out, struct fault *fault)
{
    struct certificate leaf;

    if (credential->leaf.size == 0) {
        if (token_is_uri(private_key_path))
            return fault_set(fault, RESULT_BAD_CONFIGURATION,
                "a token does not tell the public key: name a certificate that has it, or "
                "have the private key in a file");
        enum result loaded = load_file(credential, private_key_path, fault);
        if (loaded == RESULT_OK)
            *out = private_key_public(credential->key);
        return loaded;
    }
    enum result result = read_leaf(credential, &leaf, fault);
    if (result == RESULT_OK)
        *out = (struct public_key){.spki = leaf.spki, .point = leaf.point};
    return result;
}

enum result credential_load_public_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *private_key_path, struct fault *fault)
{
    struct public_key key = {0};
    enum result result = find_public_key(credential, private_key_path, &key, fault);

    if (result == RESULT_OK && wolfSSL_CTX_use_certificate_buffer(engine, key.spki.data,
                                   (long)key.spki.size, WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        result = fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
    return result;
}

static enum result load_token(struct credential *credential, const char *uri,
    const struct public_key *key, struct fault *fault)
{
    return credential->token ? RESULT_OK
                             : token_key_open(uri, key->point, &credential->token, fault);
}

static enum result load_matching_file(struct credential *credential, const char *path,
    const struct public_key *key, struct fault *fault)
{
    enum result result = load_file(credential, path, fault);

    if (result == RESULT_OK && !bytes_equal(private_key_public(credential->key).spki, key->spki))
        result = fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: is not the private key of the certificate", path);
    return result;
}

/* Of wolfSSL (CallbackEccSign). */
static int sign(WOLFSSL *engine, const unsigned char *digest, unsigned int digest_size,
    unsigned char *out, word32 *out_size, const unsigned char *key, unsigned int key_size,
    void *context)
{
    const struct credential *credential = context;
    uint8_t signature[ECDSA_SIGNATURE_OCTETS];
    size_t size;

    (void)key;
    (void)key_size;
    if (digest_size != SHA256_OCTETS)
        return BAD_FUNC_ARG;
    struct bytes in = bytes_of(digest, digest_size);
    switch (credential->token
                ? token_key_sign(credential->token, in, signature, &size)
                : private_key_sign(credential->key, in, wolfSSL_GetRNG(engine), signature, &size)) {
    case RESULT_OK:
        break;
    case RESULT_NO_MEMORY:
        return MEMORY_E;
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

/* The engine gets the public key in the private one's place: all that it needs besides a callback.
 */
enum result credential_load_private_key(
    struct credential *credential, WOLFSSL_CTX *engine, const char *path, struct fault *fault)
{
    struct public_key key = {0};
    enum result result = find_public_key(credential, path, &key, fault);

    if (result == RESULT_OK)
        result = token_is_uri(path) ? load_token(credential, path, &key, fault)
                                    : load_matching_file(credential, path, &key, fault);
    if (result != RESULT_OK)
        return result;
    wolfSSL_CTX_SetEccSignCb(engine, sign);
    wolfSSL_CTX_SetEccSignCtx(engine, credential);
    if (wolfSSL_CTX_use_PrivateKey_buffer(
            engine, key.spki.data, (long)key.spki.size, WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no sign callback");
    return RESULT_OK;
}

void credential_release(struct credential *credential)
{
    token_key_close(credential->token);
    private_key_free(credential->key);
    buffer_release(&credential->leaf);
    *credential = (struct credential){0};
}
