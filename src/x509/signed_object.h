/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What certificates and CRLs have in common (RFC 5280 4.1, 5.1). */
#pragma once

#include "base/bytes.h"

/* SEQUENCE { what is signed SEQUENCE, AlgorithmIdentifier, BIT STRING } and nothing after it. */
struct signed_object {
    struct bytes tbs;         /* what is signed, header included */
    struct bytes tbs_content; /* the same without */
    struct bytes algorithm;   /* header included */
    struct bytes signature;   /* content, without the count of unused bits (0) */
};
bool signed_object_read(struct bytes der, struct signed_object *out) WARN_UNUSED;

/* Takes AlgorithmIdentifier ecdsa-with-SHA256, parameters absent: the only one (TS-0003 10.1). */
bool x509_take_algorithm(struct bytes *in) WARN_UNUSED;
/* Takes a Name; its header is included. */
bool x509_take_name(struct bytes *in, struct bytes *out) WARN_UNUSED;

bool x509_take_exactly(struct bytes *in, const uint8_t *expected, size_t size) WARN_UNUSED;
