/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/https.h"

#include <stdatomic.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "tls/expiry.h"
#include "token/gnutls_key.h"

#define KEY_OCTETS_MAX  65536
#define FILE_OCTETS_MAX 1048576

static void auto_credentials(gnutls_certificate_credentials_t *credentials)
{
    if (*credentials)
        gnutls_certificate_free_credentials(*credentials);
}

static void auto_certificate(gnutls_x509_crt_t *certificate)
{
    if (*certificate)
        gnutls_x509_crt_deinit(*certificate);
}

static gnutls_datum_t datum(const struct buffer *buffer)
{
    return (gnutls_datum_t){.data = buffer->data, .size = (unsigned)buffer->size - 1};
}

static bool read_text(const struct policy_file *file, struct buffer *out, struct report *report)
{
    struct fault fault = FAULT_INIT;

    enum result result = file_read(file->path, FILE_OCTETS_MAX, out, &fault);
    if (result == RESULT_OK) {
        out->limit = FILE_OCTETS_MAX + 1;
        result = buffer_append(out, "", 1);
    }
    if (result == RESULT_OK)
        return true;
    report_fault(
        report, &file->place, "%s", fault.text[0] != '\0' ? fault.text : result_text(result));
    return false;
}

/* --- the private key --- */

/* A key on P-256 stays in our secret memory, and GnuTLS calls us to sign. Any other key (RSA, other
 * curves) is handed to GnuTLS, which keeps it in memory that may be swapped out. */
static int import_key(struct bytes text, struct https *out)
{
    const gnutls_datum_t pem = {.data = (unsigned char *)text.data, .size = (unsigned)text.size};
    int error = gnutls_privkey_init(&out->signer);

    if (error < 0)
        return error;
    switch (private_key_parse(text, &out->key)) {
    case RESULT_OK:
        return gnutls_key_import(out->signer, out->key);
    case RESULT_BAD_INPUT:
        return gnutls_privkey_import_x509_raw(out->signer, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    default:
        return GNUTLS_E_MEMORY_ERROR;
    }
}

static bool read_key(const struct policy_file *file, struct https *out, struct report *report)
{
    void *text CLEANUP(auto_secret_free) = NULL;
    struct fault fault = FAULT_INIT;
    size_t size = 0;

    if (file_read_secret(file->path, KEY_OCTETS_MAX, &text, &size, &fault) != RESULT_OK) {
        report_fault(report, &file->place, "%s", fault.text);
        return false;
    }
    int error = import_key(bytes_of(text, size), out);
    if (error < 0)
        report_fault(report, &file->place, "%s: %s", file->path, gnutls_strerror(error));
    return error >= 0;
}

/* --- the certificate --- */

static bool read_chain(const struct policy_file *file, const struct buffer *text, struct https *out,
    struct report *report)
{
    const gnutls_datum_t pem = datum(text);

    out->chain_count = HTTPS_CHAIN_MAX;
    int error =
        gnutls_pcert_list_import_x509_raw(out->chain, &out->chain_count, &pem, GNUTLS_X509_FMT_PEM,
            GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED | GNUTLS_X509_CRT_LIST_SORT);
    if (error >= 0 && out->chain_count > 0)
        return true;
    out->chain_count = 0;
    report_fault(report, &file->place, "%s: %s", file->path,
        error < 0 ? gnutls_strerror(error) : "no certificate in PEM in it");
    return false;
}

/* Whether the certificate's public key verifies what the private key signs. */
static bool check_pair(
    const struct policy_http *http, const struct https *https, struct report *report)
{
    static const gnutls_datum_t sample = {.data = (unsigned char *)"sample", .size = 6};
    gnutls_pubkey_t ours = https->chain[0].pubkey;
    gnutls_datum_t signature = {0};
    gnutls_digest_algorithm_t hash;

    int error = gnutls_pubkey_get_preferred_hash_algorithm(ours, &hash, NULL);
    if (error >= 0)
        error = gnutls_privkey_sign_data(https->signer, hash, 0, &sample, &signature);
    if (error >= 0)
        error = gnutls_pubkey_verify_data2(ours,
            gnutls_pk_to_sign(gnutls_pubkey_get_pk_algorithm(ours, NULL), hash), 0, &sample,
            &signature);
    gnutls_free(signature.data);
    if (error >= 0)
        return true;
    report_fault(report, &http->certificate.place, "%s with %s: %s", http->certificate.path,
        http->private_key.path, gnutls_strerror(GNUTLS_E_CERTIFICATE_KEY_MISMATCH));
    return false;
}

/* Dates are only warned of: whether to accept such a certificate is up to the clients. */
static void warn_of_dates(
    const struct policy_http *http, const struct https *https, struct report *report)
{
    gnutls_x509_crt_t certificate CLEANUP(auto_certificate) = NULL;
    const gnutls_datum_t *der = &https->chain[0].cert;
    const struct policy_file *file = &http->certificate;
    int64_t now_s = clock_wall_s();

    if (gnutls_x509_crt_init(&certificate) < 0 ||
        gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) < 0)
        return;
    int64_t left_s = gnutls_x509_crt_get_expiration_time(certificate) - now_s;
    if (gnutls_x509_crt_get_activation_time(certificate) > now_s)
        report_warning(report, &file->place, "%s: certificate is not valid yet", file->path);
    else if (left_s < 0)
        report_warning(report, &file->place, "%s: certificate is out of date", file->path);
    else if (left_s < EXPIRY_CERTIFICATE_S)
        report_warning(report, &file->place, "%s: certificate expires in %lld days", file->path,
            (long long)left_s / 86400);
}

static bool check_anchors(
    const struct policy_http *http, const struct https *https, struct report *report)
{
    gnutls_certificate_credentials_t credentials CLEANUP(auto_credentials) = NULL;
    const gnutls_datum_t anchors = datum(&https->client_anchors);

    if (gnutls_certificate_allocate_credentials(&credentials) == 0 &&
        gnutls_certificate_set_x509_trust_mem(credentials, &anchors, GNUTLS_X509_FMT_PEM) > 0)
        return true;
    report_fault(report, &http->client_anchors.place, "%s: no certificate in PEM in it",
        http->client_anchors.path);
    return false;
}

enum result https_load(const struct policy_http *http, struct https *out, struct report *report)
{
    struct buffer certificate AUTO_BUFFER = {0};

    bool has_certificate = read_text(&http->certificate, &certificate, report) &&
                           read_chain(&http->certificate, &certificate, out, report);
    bool has_key = read_key(&http->private_key, out, report);
    bool ok = has_certificate && has_key && check_pair(http, out, report);
    if (ok)
        warn_of_dates(http, out, report);
    if (http->client_anchors.path)
        ok = read_text(&http->client_anchors, &out->client_anchors, report) &&
             check_anchors(http, out, report) && ok;
    return ok ? RESULT_OK : RESULT_BAD_CONFIGURATION;
}

void https_release(struct https *https)
{
    for (unsigned i = 0; i < https->chain_count; i++)
        gnutls_pcert_deinit(&https->chain[i]);
    if (https->signer)
        gnutls_privkey_deinit(https->signer);
    private_key_free(https->key);
    buffer_release(&https->client_anchors);
    *https = (struct https){0};
}

/* --- serving --- */

/* The main thread sets it, libmicrohttpd's threads read it. */
static const struct https *_Atomic serving;

void https_serve(const struct https *https)
{
    atomic_store_explicit(&serving, https, memory_order_release);
}

int https_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
    unsigned *chain_count, gnutls_privkey_t *key)
{
    const struct https *https = atomic_load_explicit(&serving, memory_order_acquire);

    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    if (!https)
        return -1;
    *chain = (gnutls_pcert_st *)https->chain; /* GnuTLS only reads it, and the key */
    *chain_count = https->chain_count;
    *key = https->signer;
    return 0;
}

/* libmicrohttpd asks clients for a certificate but also serves those that present none. */
bool https_is_client_trusted(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    unsigned status = 0;

    return session && gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 &&
           status == 0;
}

void https_client_peer(gnutls_session_t session, struct peer *peer)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);

    if (chain && count > 0)
        peer_of_certificate(bytes_of(chain[0].data, chain[0].size), peer);
}
