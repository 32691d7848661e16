/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private key of the profile (TS-0003 10.1: P-256) that came in a file. It is in secret memory
 * and nowhere else: also while it is read, and while it signs. */
#pragma once

#include "base/fault.h"
#include "x509/public_key.h"

#define KEY_FILE_OCTETS_MAX 65536 /* of a file that holds a key */

struct private_key;

/* Of a file in PEM or DER: PKCS#8 (RFC 5208) or SEC1 (RFC 5915), not encrypted. FAULT: "PATH: what
 * is wrong". Release with private_key_free, which wipes. */
enum result private_key_read(const char *path, struct private_key **out, struct fault *fault)
    WARN_UNUSED;
/* The same of a file's content: RESULT_BAD_INPUT when it is no such key, RESULT_NO_MEMORY. */
enum result private_key_parse(struct bytes text, struct private_key **out) WARN_UNUSED;
void private_key_free(struct private_key *key);
DEFINE_CLEANUP(struct private_key *, private_key_free)

/* The public key that belongs to it: a view that lives as long as KEY. */
struct public_key private_key_public(const struct private_key *key);

/* SIGNATURE: ECDSA-Sig-Value of the SHA-256 DIGEST; of a longer one of its first 32 octets, as
 * ECDSA has it (FIPS 186-4 6.4). RANDOM: as of ecdsa_sign_digest. Thread-safe. Fails when random
 * numbers or memory do. */
enum result private_key_sign(const struct private_key *key, struct bytes digest,
    struct WC_RNG *random, uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size) WARN_UNUSED;
