/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private key of the profile (TS-0003 10.1: P-256) that is read from a file. It is only ever in
 * secret memory, also while it is read and while it signs. */
#pragma once

#include "base/fault.h"
#include "x509/public_key.h"

#define KEY_FILE_OCTETS_MAX 65536 /* of a file that holds a key */

struct private_key;

/* Reads the file PATH, PEM or DER: PKCS#8 (RFC 5208) or SEC1 (RFC 5915), not encrypted. The text of
 * FAULT is "PATH: what is wrong". Release with private_key_free, which wipes. */
enum result private_key_read(const char *path, struct private_key **out, struct fault *fault)
    WARN_UNUSED;
/* The same for the content of such a file. RESULT_BAD_INPUT when it is no such key,
 * RESULT_NO_MEMORY. */
enum result private_key_parse(struct bytes text, struct private_key **out) WARN_UNUSED;
void private_key_free(struct private_key *key);
DEFINE_CLEANUP(struct private_key *, private_key_free)

/* Returns the public key of KEY: a view that is valid as long as KEY. */
struct public_key private_key_public(const struct private_key *key);

/* Writes an ECDSA-Sig-Value of DIGEST to SIGNATURE. A digest longer than 32 octets is cut to its
 * first 32, as ECDSA demands (FIPS 186-4 6.4). RANDOM is as for ecdsa_sign_digest. Thread-safe.
 * Fails when random numbers or memory do. */
enum result private_key_sign(const struct private_key *key, struct bytes digest,
    struct WC_RNG *random, uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size) WARN_UNUSED;
