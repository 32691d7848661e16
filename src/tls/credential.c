/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "x509/certificate.h"
#include "x509/pem.h"

#define CREDENTIAL_FILE_OCTETS 65536

/* Appends the certificates of TEXT to LIST as they stand in a Certificate message (RFC 5246 7.4.2),
 * each after its length; the first one to LEAF too. */
static enum result read_list(
    struct bytes text, struct buffer *leaf, struct buffer *list, struct fault *fault)
{
    for (size_t count = 0;; count++) {
        struct buffer der AUTO_BUFFER = {.limit = text.size};
        enum result result = pem_or_der_next(&text, "CERTIFICATE", &der, fault);

        if (result == RESULT_NOT_FOUND && count > 0)
            return RESULT_OK;
        if (result != RESULT_OK)
            return result;
        const uint8_t length[] = {
            (uint8_t)(der.size >> 16), (uint8_t)(der.size >> 8), (uint8_t)der.size};
        if (buffer_append(list, length, sizeof(length)) != RESULT_OK ||
            buffer_append(list, der.data, der.size) != RESULT_OK ||
            (count == 0 && buffer_append(leaf, der.data, der.size) != RESULT_OK))
            return fault_set(fault, RESULT_NO_MEMORY, "no room for its certificates");
    }
}

/* Gives the engine the leaf's public key, and the certificates as octets to send. */
static enum result use_list(
    WOLFSSL_CTX *engine, struct bytes leaf, const struct buffer *list, struct fault *fault)
{
    struct certificate certificate;

    TRY(certificate_parse(leaf, &certificate, fault));
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
    struct buffer file AUTO_BUFFER = {0};
    struct buffer list AUTO_BUFFER = {.limit = CREDENTIAL_FILE_OCTETS};
    struct fault why = FAULT_INIT;

    TRY(file_read(path, CREDENTIAL_FILE_OCTETS, &file, fault));
    credential->leaf.limit = CREDENTIAL_FILE_OCTETS;
    if (read_list(buffer_bytes(&file), &credential->leaf, &list, &why) != RESULT_OK)
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: no usable certificate: %s", path, why.text);
    if (use_list(engine, buffer_bytes(&credential->leaf), &list, &why) != RESULT_OK)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: %s", path, why.text);
    return RESULT_OK;
}

/* Reads the file unless that is done already: the two engines of an end-point share the key. */
static enum result load_file(struct credential *credential, const char *path, struct fault *fault)
{
    return credential->key ? RESULT_OK : private_key_read(path, &credential->key, fault);
}

/* The leaf's public key, or without a leaf the one that belongs to the private key. */
static enum result find_public_key(struct credential *credential, const char *private_key_path,
    struct public_key *out, struct fault *fault)
{
    struct certificate leaf;
    struct fault why = FAULT_INIT;

    if (credential->leaf.size > 0) {
        enum result result = certificate_parse(buffer_bytes(&credential->leaf), &leaf, &why);
        if (result != RESULT_OK)
            return fault_set(fault, result, "certificate: %s", why.text);
        *out = certificate_key(&leaf);
        return RESULT_OK;
    }
    if (is_token_uri(private_key_path))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "a token does not tell the public key: name a certificate that has it, or "
            "have the private key in a file");
    TRY(load_file(credential, private_key_path, fault));
    *out = private_key_public(credential->key);
    return RESULT_OK;
}

enum result credential_load_public_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *private_key_path, struct fault *fault)
{
    struct public_key key = {0};

    TRY(find_public_key(credential, private_key_path, &key, fault));
    if (wolfSSL_CTX_use_certificate_buffer(
            engine, key.spki.data, (long)key.spki.size, WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
    return RESULT_OK;
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
    TRY(load_file(credential, path, fault));
    if (!bytes_equal(private_key_public(credential->key).spki, key->spki))
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: is not the private key of the certificate", path);
    return RESULT_OK;
}

/* wolfSSL's CallbackEccSign. engine_run knows the errors that it returns. */
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

/* The engine gets the public key in place of the private one: since it has a callback that signs,
 * it needs only the size of the key. */
enum result credential_load_private_key(
    struct credential *credential, WOLFSSL_CTX *engine, const char *path, struct fault *fault)
{
    struct public_key key = {0};

    TRY(find_public_key(credential, path, &key, fault));
    TRY(is_token_uri(path) ? load_token(credential, path, &key, fault)
                           : load_matching_file(credential, path, &key, fault));
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
