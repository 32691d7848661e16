/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we prove ourselves by, as end-point or as initiator: a certificate or a raw public key, and
 * the private key, which is in a file or on a token. The engine never holds the private key: it
 * asks for each signature. Private to this room. */
#pragma once

#include "base/fault.h"
#include "tls/engine.h"
#include "token/token.h"
#include "x509/private_key.h"

/* Zero-initialise; release with credential_release. */
struct credential {
    struct buffer leaf;      /* the certificate, DER; empty: a raw public key alone */
    struct private_key *key; /* signs, when the private key is in a file */
    struct token_key *token; /* signs, when it is on a token */
};

/* Reads a certificate chain, leaf first, and has ENGINE present it. FAULT names the file, as it
 * does in the two functions below. */
enum result credential_load_certificate(struct credential *credential, WOLFSSL_CTX *engine,
    const char *path, struct fault *fault) WARN_UNUSED;

/* Has ENGINE present a raw public key (RFC 7250): that of the leaf, or, if no certificate was
 * loaded, the one that belongs to the private key. */
enum result credential_load_public_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *private_key_path, struct fault *fault) WARN_UNUSED;

/* To be called after one of the two above. Reads the private key from a file, or finds it on a
 * token (PATH is a pkcs11: URI), checks that it belongs to the public key, and has it sign for
 * ENGINE. CREDENTIAL has to outlive ENGINE. */
enum result credential_load_private_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *path, struct fault *fault) WARN_UNUSED;

void credential_release(struct credential *credential);
