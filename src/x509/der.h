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

/* Each takes one element from the front of IN; false, and IN unmoved, when it is not there or
 * malformed. What is taken is a view into IN and never has a NULL start. */
bool der_take(struct bytes *in, struct der *out) WARN_UNUSED;
bool der_take_tag(struct bytes *in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* The element's content, when IN is exactly that one element. */
bool der_only(struct bytes in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* OPTIONAL: true with {NULL, 0} when the next element has another tag or IN is at its end. */
bool der_take_optional(struct bytes *in, uint8_t tag, struct bytes *content) WARN_UNUSED;
/* BOOLEAN DEFAULT FALSE: absent is false; present it has to be TRUE, as 0xFF. */
bool der_take_flag(struct bytes *in, bool *out) WARN_UNUSED;
/* UTCTime (1950 to 2049) or GeneralizedTime, to the second, in Z form; seconds since the epoch.
 * Either form is taken for any year that it can say: RFC 5280 4.1.2.5 binds CAs to UTCTime up to
 * 2049, and asks of us to process both. */
bool der_take_time(struct bytes *in, int64_t *out_s) WARN_UNUSED;

/* Content of an INTEGER: minimal, not negative. */
bool der_is_natural(struct bytes integer);
/* Content of an INTEGER from 0 to 255. */
bool der_small_number(struct bytes integer, int *out) WARN_UNUSED;
/* Content of an INTEGER that counts certificates (pathLenConstraint, SkipCerts): any from 0. More
 * than DER_COUNT_MAX is as good as no bound, and comes out as DER_COUNT_MAX. */
#define DER_COUNT_MAX 255
bool der_count(struct bytes integer, int *out) WARN_UNUSED;

/* Content of an OBJECT IDENTIFIER: one arc at least, each in as few octets as can be (X.690 8.19)
 * and of at most 128 bits, which is as long as assigned ones get (those of UUIDs, X.667). */
bool der_oid_is_valid(struct bytes oid);
/* Content of an OBJECT IDENTIFIER, or of a RELATIVE-OID, as dotted decimals; false when it is
 * malformed, has an arc above 64 bits, or does not fit with its NUL. */
bool der_oid_text(struct bytes oid, bool relative, char *out, size_t size) WARN_UNUSED;
