/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 as RFC 4648 section 4: padded, no line breaks, canonical (no stray bits, no white space).
 * And base64url without padding (section 5), for RFC 6920 identifiers. */
#pragma once

#include "base/bytes.h"

#define BASE64_OCTETS(size) (((size) + 2) / 3 * 4) /* without a NUL */

/* Appends the base64 of IN to OUT, without a NUL. Fails as buffer_append does. */
enum result base64_encode(struct bytes in, struct buffer *out) WARN_UNUSED;
/* Writes the base64 of IN, BASE64_OCTETS(in.size) characters, and a NUL to TEXT. */
void base64_encode_text(struct bytes in, char *text);
/* Appends the octets that TEXT encodes to OUT. TEXT may lie in OUT itself, in reserved room right
 * after its content. RESULT_BAD_INPUT when TEXT is not strict base64; else fails as buffer_append
 * does. */
enum result base64_decode(struct bytes text, struct buffer *out) WARN_UNUSED;
/* The same, but white space (blanks, tabs, CR, LF) may stand anywhere in TEXT, as in
 * xs:base64Binary; TEXT must not lie in OUT. */
enum result base64_decode_spaced(struct bytes text, struct buffer *out) WARN_UNUSED;
/* Writes the SIZE octets that TEXT encodes in base64url to OUT. RESULT_BAD_INPUT when TEXT is
 * malformed, padded, or encodes more or fewer octets. */
enum result base64url_decode_exact(struct bytes text, uint8_t *out, size_t size) WARN_UNUSED;
/* Writes the base64url of IN, without padding, and a NUL to TEXT, which has room for
 * BASE64_OCTETS(in.size) + 1 octets. */
void base64url_encode_text(struct bytes in, char *text);
