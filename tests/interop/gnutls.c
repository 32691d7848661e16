/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GnuTLS as the Initiating End-Point. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/initiator.h"

struct session {
    struct wire *wire;
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
    struct session *session = data;
    gnutls_deinit(session->tls);
    if (session->credentials)
        gnutls_certificate_free_credentials(session->credentials);
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
    struct session *session = data;
    size_t taken = wire_read(session->wire, out, size);
    if (taken > 0)
        return (ssize_t)taken;
    gnutls_transport_set_errno(session->tls, EAGAIN);
    return -1;
}

static int pull_timeout(gnutls_transport_ptr_t data, unsigned wait_ms)
{
    const struct session *session = data;
    (void)wait_ms;
    return session->wire->in.size > 0;
}

static ssize_t push(gnutls_transport_ptr_t data, const void *octets, size_t size)
{
    struct session *session = data;
    if (wire_write(session->wire, octets, size))
        return (ssize_t)size;
    gnutls_transport_set_errno(session->tls, EIO);
    return -1;
}

static bool load(struct session *session, const struct options *options)
{
    gnutls_certificate_credentials_t *credentials = &session->credentials;
    return good("credentials", gnutls_certificate_allocate_credentials(credentials)) &&
           good(options->certificate,
               gnutls_certificate_set_x509_key_file(*credentials, options->certificate,
                   options->private_key, GNUTLS_X509_FMT_PEM)) &&
           good(options->anchors, gnutls_certificate_set_x509_trust_file(
                                      *credentials, options->anchors, GNUTLS_X509_FMT_PEM));
}

static bool configure(struct session *session, const struct options *options)
{
    const unsigned flags = GNUTLS_CLIENT | GNUTLS_NO_TICKETS | GNUTLS_NONBLOCK |
                           (options->takes_raw_public_key ? GNUTLS_ENABLE_RAWPK : 0);
    char priority[256];
    snprintf(priority, sizeof(priority),
        "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:%s:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+COMP-NULL:"
        "%s+CTYPE-X509%s",
        suites[options->suite], options->takes_raw_public_key ? "+CTYPE-SRV-RAWPK:" : "",
        options->extended_master_secret ? "" : ":%NO_SESSION_HASH");
    return good("set-up", gnutls_init(&session->tls, flags)) &&
           good(priority, gnutls_priority_set_direct(session->tls, priority, NULL)) &&
           good("set-up",
               gnutls_credentials_set(session->tls, GNUTLS_CRD_CERTIFICATE, session->credentials));
}

static bool name_server(struct session *session, const char *name)
{
    gnutls_session_set_verify_cert(session->tls, name, 0);
    return !name ||
           good(name, gnutls_server_name_set(session->tls, GNUTLS_NAME_DNS, name, strlen(name)));
}

static void *start(const struct options *options, struct wire *wire)
{
    struct session *session = calloc(1, sizeof(*session));
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
    struct session *session = data;
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
    struct session *session = data;
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
