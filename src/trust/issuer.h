/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 64-bit hash of an issuer's name: small enough to be kept with every key. */
#pragma once

#include "base/bytes.h"

/* A 64-bit hash of NAME (DER, valid): the first 8 octets of its canonical digest
 * (x509/distinguished_name.h). Two different hashes mean two different issuers. Two different names
 * have the same hash with a chance of one in 2^64, so callers that have both names compare them as
 * well. Fails only for lack of memory. */
enum result issuer_hash(struct bytes name, uint64_t *out) WARN_UNUSED;
/* The first 8 octets of the SHA-256 of the name's DER. Earlier versions wrote this hash into
 * evidence, and keys that the daemon takes over from such a version still have it. */
enum result issuer_old_hash(struct bytes name, uint64_t *out) WARN_UNUSED;
