/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ClientHello of Message 1 (RFC 5246 7.4.1.2), and what is negotiated from it.
 *
 * All of it is read and decided here. The TLS engine then gets a ClientHello of our own, which
 * offers what was chosen and nothing else, so that its limits (19 signature algorithms, 150
 * ciphersuites) and its reading of extensions do not matter. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "policy/match.h"
#include "tls/numbers.h"

/* Views point into the handshake message that was read. */
struct hello {
    struct bytes random;         /* 32 octets */
    struct bytes suites;         /* two octets each, in the initiator's order of preference */
    char server_name[256];       /* SNI host_name in lower case; "" = none */
    bool extended_master_secret; /* RFC 7627 */
    bool encrypt_then_mac;       /* RFC 7366 */
    bool secure_renegotiation;   /* RFC 5746: by its SCSV, or the extension */
    bool groups, point_formats;  /* RFC 8422 5.1: the extension is there, and lists ours */
    struct bytes client_types;   /* client_certificate_type, in order of preference; empty: X.509 */
    struct bytes server_types;   /* server_certificate_type, the same */
};

/* BODY is the content of the handshake message. RESULT_TLS_REFUSED, with the alert that the RFC
 * names, when it is malformed or does not offer what every exchange here uses: TLS 1.2, null
 * compression, secp256r1 with uncompressed points, ECDSA with SHA-256. */
enum result hello_read(struct bytes body, struct hello *out, struct fault *fault) WARN_UNUSED;

struct hello_choice {
    uint16_t suite; /* IANA code point */
    enum certificate_type client_type, server_type;
};

/* Chooses the first of TLS's ciphersuites that the initiator offers, and from each of its lists of
 * certificate types the first that can be used (RFC 7250 4.1, 4.2): TAKES is what the end-point
 * takes from initiators, PRESENTS what it can present itself. RESULT_TLS_REFUSED with
 * handshake_failure or unsupported_certificate when nothing is common. */
enum result hello_choose(const struct hello *hello, const struct policy_tls *tls,
    const struct certificate_types *takes, const struct certificate_types *presents,
    struct hello_choice *out, struct fault *fault) WARN_UNUSED;

#define HELLO_OCTETS_MAX 128 /* of a ClientHello that hello_write writes */

/* Writes a ClientHello, its handshake header included, that offers CHOICE and nothing else. Returns
 * it as a view into OUT. */
struct bytes hello_write(
    const struct hello *hello, const struct hello_choice *choice, uint8_t out[HELLO_OCTETS_MAX]);
