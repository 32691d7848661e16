/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DER (X.690), read strictly: definite, minimal lengths and low tag numbers only. */
#pragma once

#include "base/bytes.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0A,
    DER_UTF8_STRING = 0x0C,
    DER_RELATIVE_OID = 0x0D,
    DER_PRINTABLE_STRING = 0x13,
    DER_TELETEX_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1C,
    DER_BMP_STRING = 0x1E,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(number)             (0x80 | (number)) /* IMPLICIT, of a primitive type */
#define DER_CONTEXT_CONSTRUCTED(number) (0xA0 | (number))

struct der {
    uint8_t tag;
    struct bytes content;
    struct bytes whole; /* header included */
};

/* Each of these takes one element from the front of IN. It returns false and leaves IN as it is
 * when the element is malformed or not there. What is taken is a view into IN; its .data is never
 * NULL. */
bool der_take(struct bytes *in, struct der *out) WARN_UNUSED;
bool der_take_tag(struct bytes *in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* Sets *CONTENT if IN is exactly one element, with TAG; else returns false. */
bool der_only(struct bytes in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* Takes an OPTIONAL element: when the next one has another tag, or IN is at its end, returns true
 * with {NULL, 0}. */
bool der_take_optional(struct bytes *in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* Takes a BOOLEAN DEFAULT FALSE: absent means false; if present it has to be TRUE, encoded as 0xFF
 * (X.690 11.1, 11.5). */
bool der_take_flag(struct bytes *in, bool *out) WARN_UNUSED;
/* Takes a UTCTime (1950 to 2049) or GeneralizedTime, with seconds and ending in Z, as seconds since
 * the epoch. Either is taken for any year that it can express: RFC 5280 4.1.2.5 demands UTCTime up
 * to 2049 of CAs, and that applications process both. */
bool der_take_time(struct bytes *in, int64_t *out_s) WARN_UNUSED;

/* Is INTEGER the content of an INTEGER that is not negative, in as few octets as possible? */
bool der_is_natural(struct bytes integer);
/* Reads INTEGER, the content of an INTEGER from 0 to 255; false for any other. */
bool der_small_number(struct bytes integer, int *out) WARN_UNUSED;
/* Reads INTEGER, the content of an INTEGER that counts certificates (pathLenConstraint, SkipCerts);
 * false when it is negative or malformed. Numbers above DER_COUNT_MAX become DER_COUNT_MAX, as no
 * path is that long. */
#define DER_COUNT_MAX 255
bool der_count(struct bytes integer, int *out) WARN_UNUSED;

/* Is OID the content of an OBJECT IDENTIFIER? It has one arc at least, each in as few octets as
 * possible (X.690 8.19) and of at most 128 bits, which the longest assigned ones have (UUIDs,
 * X.667). */
bool der_oid_is_valid(struct bytes oid);
/* Writes the content of an OBJECT IDENTIFIER or, with RELATIVE, of a RELATIVE-OID as dotted
 * decimals to OUT. False when it is malformed, has an arc of more than 64 bits, or does not fit
 * SIZE octets with its NUL. */
bool der_oid_text(struct bytes oid, bool relative, char *out, size_t size) WARN_UNUSED;
