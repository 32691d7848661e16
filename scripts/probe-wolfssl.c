/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this wolfSSL have what e2ekeyd needs? Compiled and run by scripts/build-wolfssl; each #error
 * is one reason, in words for whoever runs make. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/version.h>

#include <stdio.h>

#if LIBWOLFSSL_VERSION_HEX < 0x05007002
#error "older than 5.7.2"
#endif
#ifndef HAVE_RPK
#error "no raw public keys (--enable-rpk)"
#endif
#ifndef HAVE_KEYING_MATERIAL
#error "no RFC 5705 exporter (--enable-keying-material)"
#endif
#ifndef HAVE_SNI
#error "no server name indication (--enable-sni)"
#endif
#ifndef HAVE_EXTENDED_MASTER
#error "no extended master secret (--enable-extended-master)"
#endif
#ifndef HAVE_PK_CALLBACKS
#error "no public-key callbacks (--enable-pkcallbacks)"
#endif
#ifndef WOLFSSL_ALT_CERT_CHAINS
#error "presented intermediates would stay in the context (WOLFSSL_ALT_CERT_CHAINS)"
#endif
#ifndef WOLFSSL_ALWAYS_VERIFY_CB
#error "verify callback not always called (WOLFSSL_ALWAYS_VERIFY_CB)"
#endif
#ifndef HAVE_AESCCM
#error "no AES-CCM (--enable-aesccm)"
#endif
#if !defined(WOLFSSL_NO_ASN_STRICT) || !defined(IGNORE_NAME_CONSTRAINTS)
#error "refuses the certificates of oneM2M (WOLFSSL_NO_ASN_STRICT, IGNORE_NAME_CONSTRAINTS)"
#endif
#if !defined(WOLFSSL_SP_MATH) || defined(HAVE_CURVE25519) || defined(HAVE_CURVE448)
#error "takes other curves than P-256 (--enable-sp=ec256 --enable-sp-math)"
#endif

int main(void)
{
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_2_server_method());
    int good = context && wolfSSL_CTX_set_cipher_list(context,
                              "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES128-CCM-8:ECDHE-ECDSA-AES128-CCM") == WOLFSSL_SUCCESS;
    if (!good)
        fprintf(stderr,
            "build-wolfssl: this wolfSSL lacks TLS 1.2 or a ciphersuite of TS-0003 10.2.3\n");
    wolfSSL_CTX_free(context);
    wolfSSL_Cleanup();
    return !good;
}
