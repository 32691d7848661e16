/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private keys that stay on a PKCS#11 token, which signs for us. This is the only user of p11-kit
 * and of GnuTLS for tokens. */
#pragma once

#include "base/fault.h"
#include "x509/p256.h"

struct token_key;

/* Opens the key that URI names. Logs in and has the token sign, to make sure that the key is there
 * and belongs to POINT (P-256, uncompressed). Release with token_key_close. RESULT_BUSY when a
 * token does not answer, RESULT_BAD_CONFIGURATION when the key cannot be used. FAULT names URI,
 * without its query, and says what to do. */
enum result token_key_open(
    const char *uri, struct bytes point, struct token_key **out, struct fault *fault) WARN_UNUSED;
void token_key_close(struct token_key *key);
DEFINE_CLEANUP(struct token_key *, token_key_close)

/* Writes an ECDSA-Sig-Value of DIGEST to SIGNATURE. Thread-safe. Blocks for as long as the token
 * takes. RESULT_BUSY when other threads have used a token for five seconds, RESULT_SYSTEM_ERROR
 * when the token does not sign. A token that fails is opened again by this call and by later ones,
 * at most once a second. When it begins to fail, and when it signs again, that is logged once. */
enum result token_key_sign(struct token_key *key, struct bytes digest,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size) WARN_UNUSED;
