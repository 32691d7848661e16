/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.tls: the hop's own TLS (Mcc, Mca), by GnuTLS within libmicrohttpd. Not the E2EKey handshake.
 */
#pragma once

#include <gnutls/abstract.h>

#include "base/bytes.h"
#include "base/report.h"
#include "policy/policy.h"
#include "x509/private_key.h"

#define HTTPS_CHAIN_MAX 16

/* Zero-initialise; release with https_release. */
struct https {
    struct private_key *key; /* on P-256: in secret memory, and signs for GnuTLS; any other: NULL */
    gnutls_privkey_t signer; /* that key, or one in GnuTLS' own memory, which is not locked */
    gnutls_pcert_st chain[HTTPS_CHAIN_MAX];
    unsigned chain_count;
    struct buffer client_anchors; /* PEM, with a NUL; empty: clients need no certificate */
};

/* Reads the files and holds key and certificate against each other. Faults, and a warning of a
 * certificate that is about to expire or has, to REPORT. OUT then stays where it is: its signer
 * points into it. */
enum result https_load(const struct policy_http *http, struct https *out, struct report *report)
    WARN_UNUSED;
void https_release(struct https *https); /* wipes */

/* For MHD_OPTION_HTTPS_CERT_CALLBACK: gives HTTPS' certificates and key, of the one that serves. It
 * has no argument of ours, so there is one in a process; NULL when it does not serve any more. */
void https_serve(const struct https *https);
int https_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
    unsigned *chain_count, gnutls_privkey_t *key);

/* Whether the other side showed a certificate for clients that is valid under the anchors. */
bool https_is_client_trusted(gnutls_session_t session);

/* TLS 1.2 and later. */
#define HTTPS_PRIORITIES "NORMAL:-VERS-TLS1.1:-VERS-TLS1.0:-VERS-DTLS-ALL"
