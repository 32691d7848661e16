/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distinguished names (X.501 Name), compared as RFC 5280 7.1 says.
 *
 * Two names are equal when they have the same RDNs in the same order, and two RDNs are equal when
 * they have the same attributes in whatever order. Text is compared by its characters, not by its
 * encoding: ASCII letters without regard to case, spaces at the ends left out, and several spaces
 * in a row as one. Characters beyond ASCII are only equal to themselves: we do not have the tables
 * of RFC 4518 that fold and normalise them. */
#pragma once

#include "base/bytes.h"
#include "x509/p256.h"

#define RDN_ATTRIBUTES_MAX 16

/* Is a name within a name constraint's base? MATCH_UNCLEAR: we cannot tell, which has to count
 * against the name. */
enum match { MATCH_NO, MATCH_YES, MATCH_UNCLEAR };

/* Is WHOLE, header included, a well-formed Name in DER? That is a sequence of RDNs, each with one
 * to RDN_ATTRIBUTES_MAX attributes in the order of X.690 11.6, each type at most once (X.501 9.3).
 * Strings have to be valid in their encoding and free of control characters; other values may be
 * anything. All functions below take valid names. */
bool distinguished_name_is_valid(struct bytes whole);

bool distinguished_name_equal(struct bytes a, struct bytes b);

/* Are BASE's RDNs the first ones of NAME (RFC 5280 4.2.1.10)? MATCH_UNCLEAR when the two differ in
 * nothing but values that are not both ASCII text. */
enum match distinguished_name_match(struct bytes name, struct bytes base);

/* Sets *VALUE to the content of the attribute value number INDEX, from 0, among those of TYPE
 * (content of its OBJECT IDENTIFIER) in NAME. False when there are not so many. */
bool distinguished_name_value(
    struct bytes name, struct bytes type, size_t index, struct bytes *value) WARN_UNUSED;

/* Writes the SHA-256 of a canonical form of NAME: names have equal digests when they are equal, and
 * only then. RESULT_INTERNAL when wolfCrypt fails. */
enum result distinguished_name_digest(struct bytes name, uint8_t digest[SHA256_OCTETS]) WARN_UNUSED;
