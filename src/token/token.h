/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private keys that stay on a PKCS#11 token, which signs for us. This is the only user of p11-kit
 * and of GnuTLS for tokens. */
#pragma once

#include "base/fault.h"
#include "x509/p256.h"

struct token_key;

/* Logs in and has the token sign, to see that the key is there and belongs to POINT (P-256,
 * uncompressed). FAULT names URI, without its query, and says what to do. */
enum result token_key_open(
    const char *uri, struct bytes point, struct token_key **out, struct fault *fault) WARN_UNUSED;
void token_key_close(struct token_key *key);
DEFINE_CLEANUP(struct token_key *, token_key_close)

/* SIGNATURE: ECDSA-Sig-Value. Thread-safe. Blocks as long as the token does, or some seconds while
 * another thread uses a token (RESULT_BUSY). A token that fails is opened again, by this call and
 * by later ones, at most once a second; that it fails, and that it signs again, is logged once
 * each. */
enum result token_key_sign(struct token_key *key, struct bytes digest,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size) WARN_UNUSED;
