/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GnuTLS as the Initiating End-Point. */
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/initiator.h"

#define CHAIN_MAX 9

struct gnutls_initiator {
    struct stack_wire *wire;
    const char *server_name;
    gnutls_privkey_t key; /* ours, and what goes with it */
    gnutls_pcert_st chain[CHAIN_MAX], raw;
    unsigned chain_count;
    bool has_raw;
    gnutls_datum_t peer; /* SubjectPublicKeyInfo to expect, rather than a certificate */
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t tls;
};

static const char *const suites[SUITE_COUNT + 1] = {
    [SUITE_CBC] = "+AES-128-CBC:+SHA256",
    [SUITE_GCM] = "+AES-128-GCM:+AEAD",
    [SUITE_CCM_8] = "+AES-128-CCM-8:+AEAD",
    [SUITE_CCM] = "+AES-128-CCM:+AEAD",
    [SUITE_COUNT] = "+AES-128-CBC:+AES-128-GCM:+AES-128-CCM-8:+AES-128-CCM:+SHA256:+AEAD",
};

static void end(void *data)
{
    struct gnutls_initiator *session = data;
    gnutls_deinit(session->tls);
    if (session->credentials)
        gnutls_certificate_free_credentials(session->credentials);
    for (unsigned i = 0; i < session->chain_count; i++)
        gnutls_pcert_deinit(&session->chain[i]);
    if (session->has_raw)
        gnutls_pcert_deinit(&session->raw);
    gnutls_privkey_deinit(session->key);
    gnutls_free(session->peer.data);
    free(session);
}

static bool good(const char *what, int code)
{
    if (code < 0)
        initiator_error("%s: %s", what, gnutls_strerror(code));
    return code >= 0;
}

static ssize_t pull(gnutls_transport_ptr_t data, void *out, size_t size)
{
    struct gnutls_initiator *session = data;
    size_t taken = wire_read(session->wire, out, size);
    if (taken > 0)
        return (ssize_t)taken;
    gnutls_transport_set_errno(session->tls, EAGAIN);
    return -1;
}

static int pull_timeout(gnutls_transport_ptr_t data, unsigned wait_ms)
{
    const struct gnutls_initiator *session = data;
    (void)wait_ms;
    return session->wire->in.size > 0;
}

static ssize_t push(gnutls_transport_ptr_t data, const void *octets, size_t size)
{
    struct gnutls_initiator *session = data;
    if (wire_write(session->wire, octets, size))
        return (ssize_t)size;
    gnutls_transport_set_errno(session->tls, EIO);
    return -1;
}

static bool load_private_key(struct gnutls_initiator *session, const char *path)
{
    gnutls_datum_t pem = {0};
    bool loaded = good(path, gnutls_load_file(path, &pem)) &&
                  good(path, gnutls_privkey_init(&session->key)) &&
                  good(path, gnutls_privkey_import_x509_raw(
                                 session->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0));
    gnutls_free(pem.data);
    return loaded;
}

static bool load_chain(struct gnutls_initiator *session, const char *path)
{
    unsigned count = CHAIN_MAX;
    if (!good(path, gnutls_pcert_list_import_x509_file(
                        session->chain, &count, path, GNUTLS_X509_FMT_PEM, NULL, NULL, 0)))
        return false;
    session->chain_count = count;
    return true;
}

static bool load_raw_public_key(struct gnutls_initiator *session)
{
    gnutls_pubkey_t key = NULL;
    session->has_raw =
        good("public key", gnutls_pubkey_init(&key)) &&
        good("public key", gnutls_pubkey_import_privkey(key, session->key, 0, 0)) &&
        good("public key", gnutls_pcert_import_rawpk(&session->raw, key, 0)); /* takes KEY */
    if (!session->has_raw)
        gnutls_pubkey_deinit(key);
    return session->has_raw;
}

/* GnuTLS finds no certificate itself once there is a raw public key beside it. */
static int present(gnutls_session_t tls, const gnutls_datum_t *authorities, int authority_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **out,
    unsigned *count, gnutls_privkey_t *key)
{
    struct gnutls_initiator *session = gnutls_session_get_ptr(tls);
    const bool raw = gnutls_certificate_type_get2(tls, GNUTLS_CTYPE_OURS) == GNUTLS_CRT_RAWPK;
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    *out = raw ? &session->raw : session->chain;
    *count = raw ? session->has_raw : session->chain_count;
    *key = session->key;
    return 0;
}

/* The SubjectPublicKeyInfo of the certificate in the file PATH. */
static bool load_peer(struct gnutls_initiator *session, const char *path)
{
    gnutls_datum_t pem = {0};
    gnutls_x509_crt_t certificate = NULL;
    gnutls_pubkey_t key = NULL;
    bool loaded = good(path, gnutls_load_file(path, &pem)) &&
                  good(path, gnutls_x509_crt_init(&certificate)) &&
                  good(path, gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM)) &&
                  good(path, gnutls_pubkey_init(&key)) &&
                  good(path, gnutls_pubkey_import_x509(key, certificate, 0)) &&
                  good(path, gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &session->peer));
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(certificate);
    gnutls_free(pem.data);
    return loaded;
}

static bool has(const enum type types[2], enum type type)
{
    return types[0] == type || types[1] == type;
}

static bool load(struct gnutls_initiator *session, const struct initiator_options *options)
{
    gnutls_certificate_credentials_t *credentials = &session->credentials;
    if (!good("credentials", gnutls_certificate_allocate_credentials(credentials)))
        return false;
    gnutls_certificate_set_retrieve_function2(*credentials, present);
    return load_private_key(session, options->private_key) &&
           (!has(options->gives, TYPE_X509) || load_chain(session, options->certificate)) &&
           (!has(options->gives, TYPE_RAW) || load_raw_public_key(session)) &&
           (!options->peer || load_peer(session, options->peer)) &&
           good(options->anchors, gnutls_certificate_set_x509_trust_file(
                                      *credentials, options->anchors, GNUTLS_X509_FMT_PEM));
}

static bool configure(struct gnutls_initiator *session, const struct initiator_options *options)
{
    static const char *const ours[] = {"", ":+CTYPE-CLI-X509", ":+CTYPE-CLI-RAWPK"},
                             *const theirs[] = {"", ":+CTYPE-SRV-X509", ":+CTYPE-SRV-RAWPK"};
    const bool raw = has(options->gives, TYPE_RAW) || has(options->takes, TYPE_RAW);
    const unsigned flags =
        GNUTLS_CLIENT | GNUTLS_NO_TICKETS | GNUTLS_NONBLOCK | (raw ? GNUTLS_ENABLE_RAWPK : 0);
    char priority[320];
    snprintf(priority, sizeof(priority),
        "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:%s:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+COMP-NULL"
        "%s%s%s%s%s",
        suites[options->suite], ours[options->gives[0]], ours[options->gives[1]],
        theirs[options->takes[0]], theirs[options->takes[1]],
        options->extended_master_secret ? "" : ":%NO_SESSION_HASH");
    return good("set-up", gnutls_init(&session->tls, flags)) &&
           good(priority, gnutls_priority_set_direct(session->tls, priority, NULL)) &&
           good("set-up",
               gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE, session->credentials));
}

/* 0 to go on. GnuTLS judges no raw public keys. */
static int verify(gnutls_session_t tls)
{
    const struct gnutls_initiator *session = gnutls_session_get_ptr(tls);
    unsigned count = 0, status = 0;
    if (gnutls_certificate_type_get2(tls, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_RAWPK)
        return gnutls_certificate_verify_peers3(tls, session->server_name, &status) < 0 ||
               status != 0;
    const gnutls_datum_t *key = gnutls_certificate_get_peers(tls, &count);
    return !key || count != 1 || !session->peer.data ||
           !bytes_equal(
               bytes_of(key->data, key->size), bytes_of(session->peer.data, session->peer.size));
}

static bool name_server(struct gnutls_initiator *session, const char *name)
{
    session->server_name = name;
    gnutls_session_set_ptr(session->tls, session);
    gnutls_session_set_verify_function(session->tls, verify);
    return !name ||
           good(name, gnutls_server_name_set(session->tls, GNUTLS_NAME_DNS, name, strlen(name)));
}

static void *start(const struct initiator_options *options, struct stack_wire *wire)
{
    struct gnutls_initiator *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->wire = wire;
    if (!load(session, options) || !configure(session, options) ||
        !name_server(session, options->server_name)) {
        end(session);
        return NULL;
    }
    gnutls_transport_set_ptr(session->tls, session);
    gnutls_transport_set_pull_function(session->tls, pull);
    gnutls_transport_set_pull_timeout_function(session->tls, pull_timeout);
    gnutls_transport_set_push_function(session->tls, push);
    return session;
}

static enum progress advance(void *data)
{
    struct gnutls_initiator *session = data;
    int code = gnutls_handshake(session->tls);
    if (code == GNUTLS_E_SUCCESS)
        return HANDSHAKE_DONE;
    if (code == GNUTLS_E_AGAIN)
        return HANDSHAKE_WAITS;
    gnutls_alert_send_appropriate(session->tls, code);
    (void)good("handshake", code);
    return HANDSHAKE_FAILED;
}

static bool export(void *data, const char *label, uint8_t *out, size_t size)
{
    struct gnutls_initiator *session = data;
    return good("export",
        gnutls_prf_rfc5705(session->tls, strlen(label), label, 0, NULL, size, (char *)out));
}

const struct stack initiator_stack = {
    .name = "gnutls",
    .start = start,
    .advance = advance,
    .export = export,
    .end = end,
};
