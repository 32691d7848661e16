/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What certificates and CRLs have in common (RFC 5280 4.1, 5.1). */
#pragma once

#include "base/bytes.h"

/* SEQUENCE { tbs SEQUENCE, AlgorithmIdentifier, signature BIT STRING }, with nothing after it. All
 * are views into the DER that was read. */
struct signed_object {
    struct bytes tbs;         /* to be signed; header included */
    struct bytes tbs_content; /* the same without header */
    struct bytes algorithm;   /* header included */
    struct bytes signature;   /* content, without the count of unused bits (0) */
};
bool signed_object_read(struct bytes der, struct signed_object *out) WARN_UNUSED;

/* Takes the AlgorithmIdentifier ecdsa-with-SHA256 without parameters, the only one that the profile
 * allows (TS-0003 10.1); false for any other. */
bool x509_take_algorithm(struct bytes *in) WARN_UNUSED;
/* Takes a Name; its header is included. */
bool x509_take_name(struct bytes *in, struct bytes *out) WARN_UNUSED;

/* Takes the SIZE octets EXPECTED from the front of IN; false when IN begins otherwise. */
bool x509_take_exactly(struct bytes *in, const uint8_t *expected, size_t size) WARN_UNUSED;
