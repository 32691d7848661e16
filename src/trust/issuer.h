/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 64-bit hash that stands for the name of an issuer: small enough to be kept with every key. */
#pragma once

#include "base/bytes.h"

/* A 64-bit hash of NAME (DER, valid): the first 8 octets of its canonical digest
 * (x509/distinguished_name.h). Two different hashes mean two different issuers; equal hashes mean
 * equal names but for one chance in 2^64, so that whoever has both names compares them too. Fails
 * only for lack of memory. */
enum result issuer_hash(struct bytes name, uint64_t *out) WARN_UNUSED;
/* The same of the SHA-256 of the name's DER. Evidence once had this one instead, and keys that a
 * running daemon takes over from an older version still do. */
enum result issuer_old_hash(struct bytes name, uint64_t *out) WARN_UNUSED;
