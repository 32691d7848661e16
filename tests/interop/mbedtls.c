/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mbed TLS as the Initiating End-Point: 2.28 (Debian 12) and 3.6 (Debian 13). */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "interop/initiator.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define MBEDTLS_3
#include <psa/crypto.h>
#endif

#define FILE_MAX      65536
#define MASTER_OCTETS 48
#define RANDOM_OCTETS 32

struct mbedtls_initiator {
    struct stack_wire *wire;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt certificate, anchors;
    mbedtls_pk_context private_key;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    int suites[SUITE_COUNT + 1]; /* ends with 0 */
    /* What an exporter is made of, from the key export callback. */
    uint8_t master[MASTER_OCTETS], randoms[2 * RANDOM_OCTETS]; /* client's, server's */
    mbedtls_tls_prf_types prf;
};

static const int suite_codes[SUITE_COUNT] = {
    [SUITE_CBC] = MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    [SUITE_GCM] = MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    [SUITE_CCM_8] = MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    [SUITE_CCM] = MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
};

static void end(void *data)
{
    struct mbedtls_initiator *session = data;
    mbedtls_ssl_free(&session->ssl);
    mbedtls_ssl_config_free(&session->config);
    mbedtls_pk_free(&session->private_key);
    mbedtls_x509_crt_free(&session->certificate);
    mbedtls_x509_crt_free(&session->anchors);
    mbedtls_ctr_drbg_free(&session->random);
    mbedtls_entropy_free(&session->entropy);
    secret_wipe(session, sizeof(*session));
    free(session);
}

static bool good(const char *what, int code)
{
    char text[128];
    if (code == 0)
        return true;
    mbedtls_strerror(code, text, sizeof(text));
    initiator_error("%s: %s", what, text);
    return false;
}

static int read_wire(void *data, unsigned char *out, size_t size)
{
    struct mbedtls_initiator *session = data;
    size_t taken = wire_read(session->wire, out, size);
    return taken > 0 ? (int)taken : MBEDTLS_ERR_SSL_WANT_READ;
}

static int write_wire(void *data, const unsigned char *octets, size_t size)
{
    struct mbedtls_initiator *session = data;
    return wire_write(session->wire, octets, size) ? (int)size : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void keep(struct mbedtls_initiator *session, const unsigned char *master,
    const unsigned char client_random[RANDOM_OCTETS],
    const unsigned char server_random[RANDOM_OCTETS], mbedtls_tls_prf_types prf)
{
    memcpy(session->master, master, MASTER_OCTETS);
    memcpy(session->randoms, client_random, RANDOM_OCTETS);
    memcpy(session->randoms + RANDOM_OCTETS, server_random, RANDOM_OCTETS);
    session->prf = prf;
}

#ifdef MBEDTLS_3
static void keep_keys(void *session, mbedtls_ssl_key_export_type type, const unsigned char *secret,
    size_t size, const unsigned char client_random[RANDOM_OCTETS],
    const unsigned char server_random[RANDOM_OCTETS], mbedtls_tls_prf_types prf)
{
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET && size == MASTER_OCTETS)
        keep(session, secret, client_random, server_random, prf);
}
#else
static int keep_keys(void *session, const unsigned char *master, const unsigned char *keys,
    size_t mac_size, size_t key_size, size_t iv_size,
    const unsigned char client_random[RANDOM_OCTETS],
    const unsigned char server_random[RANDOM_OCTETS], mbedtls_tls_prf_types prf)
{
    (void)keys, (void)mac_size, (void)key_size, (void)iv_size;
    keep(session, master, client_random, server_random, prf);
    return 0;
}
#endif

/* Mbed TLS has no name constraints and refuses a CA whose constraints are critical, unless this
 * takes them for understood. */
static int admit_constraints(void *unused, const mbedtls_x509_crt *certificate,
    const mbedtls_x509_buf *oid, int critical, const unsigned char *start,
    const unsigned char *stop)
{
    (void)unused, (void)certificate, (void)critical, (void)start, (void)stop;
    return MBEDTLS_OID_CMP(MBEDTLS_OID_NAME_CONSTRAINTS, oid) == 0
               ? 0
               : MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
}

/* One certificate, PEM. */
static bool load_anchors(const char *path, mbedtls_x509_crt *out)
{
    struct buffer text AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    if (file_read(path, FILE_MAX, &text, &fault) != RESULT_OK ||
        buffer_reserve(&text, 1) != RESULT_OK) {
        initiator_error("%s", fault.text);
        return false;
    }
    text.data[text.size] = 0;
    mbedtls_pem_context pem;
    mbedtls_pem_init(&pem);
    size_t used;
    int code = mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE-----", text.data, NULL, 0, &used);
    if (code == 0) {
#ifdef MBEDTLS_3
        size_t size;
        const unsigned char *der = mbedtls_pem_get_buffer(&pem, &size);
#else
        const unsigned char *der = pem.buf;
        size_t size = pem.buflen;
#endif
        code = mbedtls_x509_crt_parse_der_with_ext_cb(out, der, size, 1, admit_constraints, NULL);
    }
    mbedtls_pem_free(&pem);
    return good(path, code);
}

static int load_private_key(struct mbedtls_initiator *session, const char *path)
{
#ifdef MBEDTLS_3
    return mbedtls_pk_parse_keyfile(
        &session->private_key, path, NULL, mbedtls_ctr_drbg_random, &session->random);
#else
    return mbedtls_pk_parse_keyfile(&session->private_key, path, NULL);
#endif
}

static bool load(struct mbedtls_initiator *session, const struct initiator_options *options)
{
    mbedtls_ssl_config *config = &session->config;
    if (!good(options->certificate,
            mbedtls_x509_crt_parse_file(&session->certificate, options->certificate)) ||
        !good(options->private_key, load_private_key(session, options->private_key)) ||
        !load_anchors(options->anchors, &session->anchors))
        return false;
    mbedtls_ssl_conf_ca_chain(config, &session->anchors, NULL);
    return good(
        "set-up", mbedtls_ssl_conf_own_cert(config, &session->certificate, &session->private_key));
}

/* TLS 1.2, P-256, ECDSA with SHA-256: each release has its own words for them. */
static void restrict_profile(mbedtls_ssl_config *config)
{
#ifdef MBEDTLS_3
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, 0};
    static const uint16_t signatures[] = {
        MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
#else
    static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, groups);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
#endif
}

static bool configure(struct mbedtls_initiator *session, const struct initiator_options *options)
{
    mbedtls_ssl_config *config = &session->config;
    if (!good("set-up", mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT,
                            MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT)))
        return false;
    restrict_profile(config);
    if (options->suite == SUITE_COUNT)
        memcpy(session->suites, suite_codes, sizeof(suite_codes));
    else
        session->suites[0] = suite_codes[options->suite];
    mbedtls_ssl_conf_ciphersuites(config, session->suites);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &session->random);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    mbedtls_ssl_conf_extended_master_secret(config, options->extended_master_secret
                                                        ? MBEDTLS_SSL_EXTENDED_MS_ENABLED
                                                        : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
#ifndef MBEDTLS_3
    mbedtls_ssl_conf_export_keys_ext_cb(config, keep_keys, session);
#endif
    return true;
}

static bool set_up(struct mbedtls_initiator *session, const char *server_name)
{
    mbedtls_ssl_context *ssl = &session->ssl;
    if (!good("set-up", mbedtls_ssl_setup(ssl, &session->config)) ||
        !good("server name", mbedtls_ssl_set_hostname(ssl, server_name)))
        return false;
#ifdef MBEDTLS_3
    mbedtls_ssl_set_export_keys_cb(ssl, keep_keys, session);
#endif
    mbedtls_ssl_set_bio(ssl, session, write_wire, read_wire, NULL);
    return true;
}

static bool seed(struct mbedtls_initiator *session)
{
#ifdef MBEDTLS_3
    if (psa_crypto_init() != PSA_SUCCESS)
        return false;
#endif
    return good("random",
        mbedtls_ctr_drbg_seed(&session->random, mbedtls_entropy_func, &session->entropy, NULL, 0));
}

static void *start(const struct initiator_options *options, struct stack_wire *wire)
{
    struct mbedtls_initiator *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->wire = wire;
    mbedtls_entropy_init(&session->entropy);
    mbedtls_ctr_drbg_init(&session->random);
    mbedtls_x509_crt_init(&session->certificate);
    mbedtls_x509_crt_init(&session->anchors);
    mbedtls_pk_init(&session->private_key);
    mbedtls_ssl_config_init(&session->config);
    mbedtls_ssl_init(&session->ssl);
    if (seed(session) && configure(session, options) && load(session, options) &&
        set_up(session, options->server_name))
        return session;
    end(session);
    return NULL;
}

static enum progress advance(void *data)
{
    struct mbedtls_initiator *session = data;
    int code = mbedtls_ssl_handshake(&session->ssl);
    if (code == 0)
        return HANDSHAKE_DONE;
    if (code == MBEDTLS_ERR_SSL_WANT_READ)
        return HANDSHAKE_WAITS;
    (void)good("handshake", code);
    return HANDSHAKE_FAILED;
}

static bool export(void *data, const char *label, uint8_t *out, size_t size)
{
    struct mbedtls_initiator *session = data;
    return good("export", mbedtls_ssl_tls_prf(session->prf, session->master, MASTER_OCTETS, label,
                              session->randoms, sizeof(session->randoms), out, size));
}

const struct stack initiator_stack = {
    .name = "mbedtls",
    .start = start,
    .advance = advance,
    .export = export,
    .end = end,
};
