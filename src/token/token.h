/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private keys that stay on a PKCS#11 token, which signs for us: by GnuTLS and p11-kit, whose
 * headers nobody else sees. Private to this room. */
#pragma once

#include "base/fault.h"
#include "x509/p256.h"

struct token_key;

/* Does TEXT name a key on a token ("pkcs11:…", RFC 7512) and not a file? */
bool token_is_uri(const char *text);

/* Logs in and lets the token sign, to see that the key is there and is that of POINT (P-256,
 * uncompressed). FAULT names URI, without its query, and what to do. */
enum result token_key_open(
    const char *uri, struct bytes point, struct token_key **out, struct fault *fault) WARN_UNUSED;
void token_key_close(struct token_key *key);
DEFINE_CLEANUP(struct token_key *, token_key_close)

/* SIGNATURE: ECDSA-Sig-Value. Thread-safe. It blocks as long as the token does; who has waited for
 * another thread's turn for some seconds gives up. A token that fails is opened anew, now and with
 * later calls, at most once a second; that it fails and that it signs again is logged, once each.
 */
enum result token_key_sign(struct token_key *key, struct bytes digest,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size) WARN_UNUSED;
