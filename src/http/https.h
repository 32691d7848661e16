/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.tls: the hop's own TLS (Mcc, Mca), by GnuTLS within libmicrohttpd. Not the E2EKey handshake.
 */
#pragma once

#include <gnutls/x509.h>

#include "base/bytes.h"
#include "policy/report.h"

/* PEM, each with a NUL at its end. Zero-initialise; release with https_release. */
struct https {
    char *private_key; /* secret memory */
    struct buffer certificate;
    struct buffer client_anchors; /* empty: clients need no certificate */
};

/* Reads the files and holds key and certificate against each other. Faults, and a warning of a
 * certificate that is about to expire or has, to REPORT. */
enum result https_load(const struct policy_http *http, struct https *out, struct report *report)
    WARN_UNUSED;
void https_release(struct https *https); /* wipes */

/* Whether the other side showed a certificate for clients that is valid under the anchors. */
bool https_is_client_trusted(gnutls_session_t session);

/* TLS 1.2 and later. */
#define HTTPS_PRIORITIES "NORMAL:-VERS-TLS1.1:-VERS-TLS1.0:-VERS-DTLS-ALL"
