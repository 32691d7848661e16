/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/gnutls_key.h"

#include <string.h>

#include <gnutls/urls.h>

#include "observe/log.h"

/* GnuTLS asks what kind of key it is (gnutls_privkey_info_func). */
static int describe_key(gnutls_privkey_t signer, unsigned what, void *context)
{
    (void)signer;
    (void)context;
    switch (what & 0xff) { /* the upper bits name the signature algorithm that it asks about */
    case GNUTLS_PRIVKEY_INFO_PK_ALGO:
        return GNUTLS_PK_ECDSA;
    case GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS:
        return 256;
    case GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO:
        switch (GNUTLS_FLAGS_TO_SIGN_ALGO(what)) {
        case GNUTLS_SIGN_ECDSA_SHA256:
        case GNUTLS_SIGN_ECDSA_SHA384:
        case GNUTLS_SIGN_ECDSA_SHA512:
        case GNUTLS_SIGN_ECDSA_SECP256R1_SHA256:
            return 1;
        default:
            return 0;
        }
    default:
        return -1;
    }
}

/* GnuTLS has a digest signed (gnutls_privkey_sign_hash_func). */
static int sign(gnutls_privkey_t signer, gnutls_sign_algorithm_t algorithm, void *context,
    unsigned flags, const gnutls_datum_t *digest, gnutls_datum_t *out)
{
    uint8_t signature[ECDSA_SIGNATURE_OCTETS];
    size_t size;

    (void)signer;
    (void)algorithm;
    (void)flags;
    if (private_key_sign(context, bytes_of(digest->data, digest->size), NULL, signature, &size) !=
        RESULT_OK)
        return GNUTLS_E_PK_SIGN_FAILED;
    out->data = gnutls_malloc(size);
    if (!out->data)
        return GNUTLS_E_MEMORY_ERROR;
    memcpy(out->data, signature, size);
    out->size = (unsigned)size;
    return 0;
}

int gnutls_key_import(gnutls_privkey_t signer, struct private_key *key)
{
    return gnutls_privkey_import_ext4(signer, key, NULL, sign, NULL, NULL, describe_key, 0);
}

/* --- by URL --- */

/* GnuTLS releases the key (gnutls_privkey_deinit_func). */
static void release_key(gnutls_privkey_t signer, void *context)
{
    (void)signer;
    private_key_free(context);
}

/* GnuTLS wants the key that URL names (gnutls_privkey_import_url_func). */
static int import_url(gnutls_privkey_t signer, const char *url, unsigned flags)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    struct fault fault = FAULT_INIT;

    (void)flags;
    if (private_key_read(url + strlen(GNUTLS_KEY_URL), &key, &fault) != RESULT_OK) {
        log_warning("%s", fault.text);
        return GNUTLS_E_FILE_ERROR;
    }
    int error =
        gnutls_privkey_import_ext4(signer, key, NULL, sign, NULL, release_key, describe_key, 0);
    if (error >= 0)
        TAKE_PTR(key);
    return error;
}

enum result gnutls_key_register_url(struct fault *fault)
{
    static const gnutls_custom_url_st scheme = {
        .name = GNUTLS_KEY_URL,
        .name_size = sizeof(GNUTLS_KEY_URL) - 1,
        .import_key = import_url,
    };
    static bool is_known;

    int error = is_known ? 0 : gnutls_register_custom_url(&scheme);
    if (error < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "GnuTLS: %s", gnutls_strerror(error));
    is_known = true;
    return RESULT_OK;
}
