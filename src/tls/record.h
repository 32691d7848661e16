/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS records (RFC 5246 6.2), one after another. */
#pragma once

#include "base/bytes.h"
#include "tls/numbers.h"

#define RECORD_HEADER_OCTETS  5
#define RECORD_PLAINTEXT_MAX  16384                         /* octets of a fragment: 6.2.1 */
#define RECORD_CIPHERTEXT_MAX (RECORD_PLAINTEXT_MAX + 2048) /* of an encrypted one: 6.2.3 */

struct record {
    uint8_t type; /* RECORD_HANDSHAKE and so on */
    uint16_t version;
    struct bytes fragment; /* a view, never empty */
};

/* Takes one record from the front of MESSAGE. Returns false, and leaves MESSAGE as it is, when it
 * does not begin with a whole record. */
bool record_take(struct bytes *message, struct record *out) WARN_UNUSED;

/* Joins the records in MESSAGE from octet BEFORE on, which are whole and of one type, into as few
 * as can hold them (RFC 5246 6.2.1). */
void record_join(struct buffer *message, size_t before);

/* Whether the header at the front of MESSAGE announces a fragment of more than MOST octets. */
bool record_overflows(struct bytes message, size_t most);
