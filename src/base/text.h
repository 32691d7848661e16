/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text as the protocols and formats around us define it: ASCII in any locale. */
#pragma once

#include "base/bytes.h"

/* A DNS name in the preferred syntax (RFC 1034 3.5, RFC 1123 2.1): labels of letters, digits and
 * hyphens, at most 253 octets in all; no wildcard, no trailing dot. */
bool dns_name_is_valid(struct bytes name);

/* Whether TEXT is a pkcs11: URI (RFC 7512), which names a key on a token, and so not the path of a
 * file. */
bool is_token_uri(const char *text);

/* Upper and lower case of the ASCII letters A to Z are equal, as in DNS names, URI schemes and HTTP
 * header fields. */
bool bytes_equal_caseless(struct bytes a, struct bytes b);
bool text_equal_caseless(const char *a, const char *b);
/* Returns what follows PREFIX in TEXT; NULL when TEXT does not begin with it. */
const char *text_after_caseless(const char *text, const char *prefix);
/* Turns the ASCII letters among the first SIZE characters of TEXT into lower case. */
void text_to_lower(char *text, size_t size);

/* Writes IN as one line of printable ASCII to TEXT, which has room for SIZE octets: any other octet
 * becomes \xNN. An escape that is in IN already stays as it is. What does not fit is cut off, never
 * within an escape. */
void bytes_escape(struct bytes in, char *text, size_t size);

#define JSON_ESCAPE_OCTETS 6
/* Writes C as it stands in a JSON string (RFC 8259 7) to OUT, without a NUL, and returns how many
 * octets that takes: 1 for a character that needs no escape. Octets of UTF-8 need none. */
size_t json_escape(char c, char out[JSON_ESCAPE_OCTETS]);
