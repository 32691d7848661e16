/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Public key identifiers of raw public keys (TS-0003 10.1.2): RFC 6920 "ni" URIs over the SHA-256
 * digest of the SubjectPublicKeyInfo, whole or truncated. */
#pragma once

#include <stdbool.h>

#include "identity/names.h"

enum public_key_id_kind {
    PUBLIC_KEY_ID_SHA_256,
    PUBLIC_KEY_ID_SHA_256_128, /* the first 128 bits */
    PUBLIC_KEY_ID_SHA_256_120,
    PUBLIC_KEY_ID_KINDS,
};

#define PUBLIC_KEY_ID_OCTETS 64 /* the longest in canonical form, NUL included */

struct public_key_id {
    enum public_key_id_kind kind;
    uint8_t digest[SPKI_DIGEST_SIZE]; /* zero after as many octets as the kind has */
};

/* Reads "ni:///sha-256;…" and the two truncated forms. An authority is allowed and ignored: it only
 * names a host to ask (RFC 6920 section 3). False for anything else, query parameters included. */
bool public_key_id_parse(const char *text, struct public_key_id *out);

/* Writes the canonical form, which has no authority. */
void public_key_id_format(enum public_key_id_kind kind, const uint8_t digest[SPKI_DIGEST_SIZE],
    char text[PUBLIC_KEY_ID_OCTETS]);

/* Whether ID identifies the key with DIGEST: its kind may hold only the first octets of it. */
bool public_key_id_matches(const struct public_key_id *id, const uint8_t digest[SPKI_DIGEST_SIZE]);

/* Whether both can identify the same key: the longer digest begins with the shorter one. */
bool public_key_ids_agree(const struct public_key_id *a, const struct public_key_id *b);
