/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wolfSSL, as far as the two sides of the handshake share it. Private to this room.
 *
 * The engine looks into no certificate, neither its own nor the peer's (scripts/wolfssl.patch). The
 * peer's is validated by trust/path, and the engine is given the public key. It ends the
 * handshake at a Certificate message for which it was given none. */
#pragma once

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "policy/policy.h"
#include "tls/exporter.h"

/* NULL when out of memory or a suite is unknown to the engine. No session cache. */
WOLFSSL_CTX *engine_new_server(const struct policy_tls *tls) WARN_UNUSED;
WOLFSSL_CTX *engine_new_client(void) WARN_UNUSED;

/* Have ENGINE, a server's or a client's, negotiate that the terminating or the initiating side
 * presents a raw public key and nothing else (RFC 7250). RESULT_INTERNAL when the engine refuses.
 */
enum result engine_terminating_raw_public_key(WOLFSSL_CTX *engine, struct fault *fault) WARN_UNUSED;
enum result engine_initiating_raw_public_key(WOLFSSL_CTX *engine, struct fault *fault) WARN_UNUSED;
/* The same as engine_initiating_raw_public_key for one handshake of a server. */
enum result engine_take_raw_public_key(WOLFSSL *engine, struct fault *fault) WARN_UNUSED;

/* The engine's connection: it reads the flight IN to its end and appends its own to OUT. */
struct engine_io {
    struct bytes in;
    struct buffer *out;
};

/* Runs STEP (wolfSSL_accept or wolfSSL_connect) on the flight IN. *IS_DONE: the handshake is, else
 * the engine waits for the next flight. On failure FAULT has the engine's reason, and its alert
 * where it wrote one. */
enum result engine_run(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, bool *is_done, struct fault *fault) WARN_UNUSED;

/* The same for a flight that must not end the handshake: RESULT_OK when the engine waits for the
 * next one. */
enum result engine_run_on(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, struct fault *fault) WARN_UNUSED;

/* Exports the key (RFC 5705, TS-0003 10.3.1). To be called when the handshake is done. */
enum result engine_export(WOLFSSL *engine, struct exported_key *out, struct fault *fault)
    WARN_UNUSED;

/* For wolfSSL_SetEccVerifyCtx on a server: the signature of CertificateVerify, verified before the
 * engine runs. Instead of verifying it again, the engine accepts exactly this signature by this key
 * over this digest, and no other. */
struct verified_signature {
    bool known; /* there is one */
    bool used;  /* the engine has asked for it */
    uint8_t digest[32];
    struct bytes signature;
    struct bytes spki;
};
