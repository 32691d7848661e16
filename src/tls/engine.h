/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wolfSSL, as far as context, handshake and initiator share it. Private to this room. */
#pragma once

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>

#include "base/bytes.h"
#include "policy/match.h"
#include "tls/context.h"
#include "tls/exporter.h"
#include "tls/message.h"

/* The engine looks into no certificate, neither its own nor the peer's (scripts/wolfssl.patch): we
 * judge the peer's (tls/path), and give the engine the public key. A Certificate message for which
 * it was given none ends the handshake. */

/* NULL when out of memory or a suite is unknown to the engine. No session cache. */
WOLFSSL_CTX *engine_new_server(const struct policy_tls *tls) WARN_UNUSED;
WOLFSSL_CTX *engine_new_client(void) WARN_UNUSED;

/* The certificate types that the end-point can present. */
const struct certificate_types *tls_endpoint_has(const struct tls_endpoint *endpoint);
/* The engine that answers with TYPE, which the end-point has. */
WOLFSSL_CTX *tls_endpoint_engine(const struct tls_endpoint *endpoint, enum certificate_type type);

/* Raw public keys (RFC 7250) and nothing else. For a server: that is what the initiator has to
 * present in this handshake; that is what it answers with itself. */
bool engine_take_raw_public_key(WOLFSSL *engine) WARN_UNUSED;
bool engine_answer_raw_public_key(WOLFSSL_CTX *engine) WARN_UNUSED;
/* For a client: that is what it presents; that is what the terminating end-point has to answer. */
bool engine_offer_raw_public_key(WOLFSSL_CTX *engine) WARN_UNUSED;
bool engine_want_raw_public_key(WOLFSSL_CTX *engine) WARN_UNUSED;

/* Flights over memory: the engine reads IN to its end and appends to OUT. */
struct engine_io {
    struct bytes in;
    struct buffer *out;
};

enum engine_step { ENGINE_DONE, ENGINE_WANTS_MORE, ENGINE_FAILED };

/* Runs STEP (wolfSSL_accept or wolfSSL_connect) on the flight IN. On failure FAULT has the engine's
 * reason, and its alert where it wrote one. */
enum engine_step engine_run(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, struct fault *fault) WARN_UNUSED;

/* RFC 5705, TS-0003 10.3.1. After the last flight. */
enum result engine_export(WOLFSSL *engine, struct exported_key *out, struct fault *fault)
    WARN_UNUSED;

/* For wolfSSL_SetEccVerifyCtx: a signature that was verified beforehand, with whose key. */
struct verified_signature {
    bool known;
    bool used;
    uint8_t digest[32];
    struct bytes signature;
    struct bytes spki;
};
/* Instead of verifying CertificateVerify a second time: yes to exactly that signature of exactly
 * that key over exactly that transcript. */
int engine_recognise_signature(WOLFSSL *engine, const unsigned char *signature,
    unsigned int signature_size, const unsigned char *digest, unsigned int digest_size,
    const unsigned char *spki, unsigned int spki_size, int *good, void *context);
