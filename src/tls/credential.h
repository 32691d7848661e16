/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an end-point proves itself by: a certificate and its private key, which is in a file or on a
 * token. The engine gets neither: it asks for each signature. Private to this room. */
#pragma once

#include "base/fault.h"
#include "tls/engine.h"
#include "token/token.h"
#include "x509/private_key.h"

struct credential {
    struct buffer leaf;      /* DER */
    struct private_key *key; /* what signs: this, */
    struct token_key *token; /* or this */
};

/* Certificate chain, leaf first, from a file into ENGINE. */
enum result credential_load_certificate(struct credential *credential, WOLFSSL_CTX *engine,
    const char *path, struct fault *fault) WARN_UNUSED;

/* The raw public key (RFC 7250) into ENGINE: the leaf's, or without one that of the private key. */
enum result credential_load_public_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *private_key_path, struct fault *fault) WARN_UNUSED;

/* Then the private key of either, from a file, or on a token (PATH is a pkcs11: URI); ENGINE lets
 * it sign. CREDENTIAL has to outlive ENGINE. */
enum result credential_load_private_key(struct credential *credential, WOLFSSL_CTX *engine,
    const char *path, struct fault *fault) WARN_UNUSED;

void credential_release(struct credential *credential);
