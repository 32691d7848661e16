/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenSSL as the Initiating End-Point. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/initiator.h"

struct openssl_initiator {
    struct stack_wire *wire;
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
};

static void end(void *data)
{
    struct openssl_initiator *session = data;
    SSL_free(session->ssl);
    SSL_CTX_free(session->context);
    free(session);
}

static void error(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    initiator_error("%s: %s", what, reason ? reason : "no reason given");
}

static bool load(SSL_CTX *context, const struct initiator_options *options)
{
    SSL_CTX_set_security_level(context, 0); /* our certificate is for the other side to judge */
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        error(options->certificate);
    else if (SSL_CTX_use_PrivateKey_file(context, options->private_key, SSL_FILETYPE_PEM) != 1)
        error(options->private_key);
    else if (SSL_CTX_load_verify_locations(context, options->anchors, NULL) != 1)
        error(options->anchors);
    else
        return true;
    return false;
}

static bool configure(SSL_CTX *context, const struct initiator_options *options)
{
    char suites[256];
    snprintf(suites, sizeof(suites), "%s:@SECLEVEL=0", /* CCM_8's short tag is below level 1 */
        options->suite_name ? options->suite_name
                            : "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN); /* what the file holds, and nothing else */
    if (!options->extended_master_secret)
        SSL_CTX_set_options(context, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, suites) == 1 &&
           SSL_CTX_set1_groups_list(context, "P-256") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256") == 1;
}

static bool name_server(SSL *ssl, const char *name)
{
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

static bool connect_memory(struct openssl_initiator *session)
{
    session->in = BIO_new(BIO_s_mem());
    session->out = BIO_new(BIO_s_mem());
    SSL_set_bio(session->ssl, session->in, session->out);
    SSL_set_connect_state(session->ssl);
    return session->in && session->out;
}

static void *start(const struct initiator_options *options, struct stack_wire *wire)
{
    struct openssl_initiator *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->wire = wire;
    session->context = SSL_CTX_new(TLS_client_method());
    if (session->context && load(session->context, options)) {
        if (configure(session->context, options) &&
            (session->ssl = SSL_new(session->context)) != NULL && connect_memory(session) &&
            (!options->server_name || name_server(session->ssl, options->server_name)))
            return session;
        error("set-up");
    }
    end(session);
    return NULL;
}

static enum progress advance(void *data)
{
    struct openssl_initiator *session = data;
    char octets[4096];
    size_t size;
    while ((size = wire_read(session->wire, octets, sizeof(octets))) > 0)
        if (BIO_write(session->in, octets, (int)size) != (int)size)
            return HANDSHAKE_FAILED;
    int done = SSL_do_handshake(session->ssl);
    int reason = SSL_get_error(session->ssl, done);
    int taken;
    while ((taken = BIO_read(session->out, octets, sizeof(octets))) > 0)
        if (!wire_write(session->wire, octets, (size_t)taken))
            return HANDSHAKE_FAILED;
    if (done == 1)
        return BIO_pending(session->in) > 0 ? HANDSHAKE_FAILED : HANDSHAKE_DONE;
    if (reason == SSL_ERROR_WANT_READ)
        return HANDSHAKE_WAITS;
    error("handshake");
    return HANDSHAKE_FAILED;
}

static bool export(void *data, const char *label, uint8_t *out, size_t size)
{
    struct openssl_initiator *session = data;
    if (SSL_export_keying_material(session->ssl, out, size, label, strlen(label), NULL, 0, 0) == 1)
        return true;
    error("export");
    return false;
}

const struct stack initiator_stack = {
    .name = "openssl",
    .start = start,
    .advance = advance,
    .export = export,
    .end = end,
};
