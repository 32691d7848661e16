/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 as RFC 4648 section 4: padded, no line breaks, canonical (no stray bits, no white space).
 * And base64url without padding (section 5), for RFC 6920 identifiers. */
#pragma once

#include "base/bytes.h"

#define BASE64_OCTETS(size) (((size) + 2) / 3 * 4) /* without a NUL */

/* Appends the text. Buffer's errors. */
enum result base64_encode(struct bytes in, struct buffer *out) WARN_UNUSED;
/* Writes BASE64_OCTETS(in.size) characters and a NUL to TEXT. */
void base64_encode_text(struct bytes in, char *text);
/* Appends the octets, and may do so in place: TEXT then starts where OUT's content ends, in room
 * that was reserved. RESULT_BAD_INPUT when TEXT is not strict base64; else buffer's errors. */
enum result base64_decode(struct bytes text, struct buffer *out) WARN_UNUSED;
/* Base64url without padding of exactly SIZE octets; RESULT_BAD_INPUT otherwise. */
enum result base64url_decode_exact(struct bytes text, uint8_t *out, size_t size) WARN_UNUSED;
void base64url_encode_text(struct bytes in, char *text); /* room as for base64, NUL included */
