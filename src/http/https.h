/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTPS (http.tls): the TLS of one hop (Mcc, Mca), which GnuTLS does within libmicrohttpd. It is
 * not the handshake of the E2EKey procedure. */
#pragma once

#include <gnutls/abstract.h>

#include "base/bytes.h"
#include "base/report.h"
#include "http/peer.h"
#include "policy/policy.h"
#include "x509/private_key.h"

#define HTTPS_CHAIN_MAX 16

/* Zero-initialise; release with https_release. */
struct https {
    struct private_key *key; /* on P-256, in secret memory, signs for GnuTLS; NULL for other keys */
    gnutls_privkey_t signer; /* uses .key, or holds another key in GnuTLS' memory, not locked */
    gnutls_pcert_st chain[HTTPS_CHAIN_MAX];
    unsigned chain_count;
    struct buffer client_anchors; /* PEM, with a NUL; empty: clients need no certificate */
};

/* Reads the files and checks that the key belongs to the certificate. Adds to REPORT faults, and a
 * warning of a certificate that expires soon or has expired. OUT must not be moved afterwards,
 * because its signer points into it. */
enum result https_load(const struct policy_http *http, struct https *out, struct report *report)
    WARN_UNUSED;
void https_release(struct https *https); /* wipes */

/* Sets HTTPS, whose certificates and key https_choose gives to GnuTLS; with NULL it gives none.
 * There is one for the process, as libmicrohttpd passes no context to that callback
 * (MHD_OPTION_HTTPS_CERT_CALLBACK). */
void https_serve(const struct https *https);
int https_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
    unsigned *chain_count, gnutls_privkey_t *key);

/* Whether the client presented a certificate for TLS clients that is valid under the anchors. */
bool https_is_client_trusted(gnutls_session_t session);

/* The client as its certificate shows it; PEER stays where there is none. */
void https_client_peer(gnutls_session_t session, struct peer *peer);

/* TLS 1.2 and later. */
#define HTTPS_PRIORITIES "NORMAL:-VERS-TLS1.1:-VERS-TLS1.0:-VERS-DTLS-ALL"
