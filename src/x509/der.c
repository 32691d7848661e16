/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/der.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define TAG_NUMBER       0x1f /* all ones mean a long form, which X.509 does not use */
#define LENGTH_OCTETS    3
#define LENGTH_LONG_FORM 0x80
#define ARC_OCTETS_MAX   19 /* 128 bits */

/* X.690 10.1: the length is definite and in as few octets as possible. */
static bool take_length(struct bytes *in, size_t *out)
{
    uint8_t octet;
    if (!bytes_take_u8(in, &octet))
        return false;
    *out = octet;
    if (octet < LENGTH_LONG_FORM)
        return true;

    size_t count = octet & 0x7fU, length = 0;
    if (count == 0 || count > LENGTH_OCTETS)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!bytes_take_u8(in, &octet) || (i == 0 && octet == 0))
            return false;
        length = length << 8 | octet;
    }
    *out = length;
    return length >= LENGTH_LONG_FORM;
}

bool der_take(struct bytes *in, struct der *out)
{
    struct bytes rest = *in;
    struct der element;
    size_t length;
    if (!bytes_take_u8(&rest, &element.tag) || (element.tag & TAG_NUMBER) == TAG_NUMBER ||
        !take_length(&rest, &length) || !bytes_take(&rest, length, &element.content))
        return false;
    element.whole = bytes_of(in->data, in->size - rest.size);
    *in = rest;
    *out = element;
    return true;
}

bool der_take_tag(struct bytes *in, uint8_t tag, struct bytes *content)
{
    struct bytes rest = *in;
    struct der element;
    if (!der_take(&rest, &element) || element.tag != tag)
        return false;
    *in = rest;
    *content = element.content;
    return true;
}

bool der_only(struct bytes in, uint8_t tag, struct bytes *content)
{
    return der_take_tag(&in, tag, content) && in.size == 0;
}

bool der_take_optional(struct bytes *in, uint8_t tag, struct bytes *content)
{
    *content = (struct bytes){0};
    if (in->size == 0 || in->data[0] != tag)
        return true;
    return der_take_tag(in, tag, content);
}

bool der_take_flag(struct bytes *in, bool *out)
{
    struct bytes content;
    if (!der_take_optional(in, DER_BOOLEAN, &content))
        return false;
    *out = content.data != NULL;
    return !*out || (content.size == 1 && content.data[0] == 0xff);
}

static bool take_digits(struct bytes *in, size_t count, int *out)
{
    struct bytes digits;
    if (!bytes_take(in, count, &digits))
        return false;
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *out = *out * 10 + (digits.data[i] - '0');
    }
    return true;
}

/* RFC 5280 4.1.2.5.1: a UTCTime's year is one of 1950 to 2049. */
static bool take_year(struct bytes *in, uint8_t tag, int *out)
{
    if (tag == DER_GENERALIZED_TIME)
        return take_digits(in, 4, out);
    if (tag != DER_UTC_TIME || !take_digits(in, 2, out))
        return false;
    *out += *out < 50 ? 2000 : 1900;
    return true;
}

bool der_take_time(struct bytes *in, int64_t *out_s)
{
    struct der element;
    struct calendar date;
    uint8_t zone;
    if (!der_take(in, &element))
        return false;
    struct bytes text = element.content;
    if (!take_year(&text, element.tag, &date.year) || !take_digits(&text, 2, &date.month) ||
        !take_digits(&text, 2, &date.day) || !take_digits(&text, 2, &date.hour) ||
        !take_digits(&text, 2, &date.minute) || !take_digits(&text, 2, &date.second) ||
        !bytes_take_u8(&text, &zone) || zone != 'Z' || text.size != 0)
        return false;
    return calendar_to_seconds(&date, out_s);
}

bool der_is_natural(struct bytes integer)
{
    if (integer.size == 0 || (integer.data[0] & 0x80) != 0)
        return false;
    return integer.size == 1 || integer.data[0] != 0 || (integer.data[1] & 0x80) != 0;
}

bool der_small_number(struct bytes integer, int *out)
{
    if (!der_is_natural(integer) || integer.size > 2 || (integer.size == 2 && integer.data[0] != 0))
        return false;
    *out = integer.data[integer.size - 1];
    return true;
}

bool der_count(struct bytes integer, int *out)
{
    if (!der_small_number(integer, out))
        *out = DER_COUNT_MAX;
    return der_is_natural(integer);
}

bool der_oid_is_valid(struct bytes oid)
{
    size_t octets = 0; /* of the arc */
    for (size_t i = 0; i < oid.size; i++) {
        if ((octets == 0 && oid.data[i] == 0x80) || octets == ARC_OCTETS_MAX)
            return false;
        octets = (oid.data[i] & 0x80) != 0 ? octets + 1 : 0;
    }
    return oid.size > 0 && octets == 0;
}

/* X.690 8.19.2: seven bits an octet, no leading zero bits. */
static bool take_arc(struct bytes *in, uint64_t *out)
{
    uint8_t octet;
    *out = 0;
    do {
        if (!bytes_take_u8(in, &octet) || (*out == 0 && octet == 0x80) || *out >> 57 != 0)
            return false;
        *out = *out << 7 | (octet & 0x7fU);
    } while ((octet & 0x80) != 0);
    return true;
}

static bool append_arc(char *out, size_t size, size_t *used, uint64_t arc)
{
    int written = snprintf(out + *used, size - *used, *used > 0 ? ".%" PRIu64 : "%" PRIu64, arc);
    if (written < 0 || (size_t)written >= size - *used)
        return false;
    *used += (size_t)written;
    return true;
}

bool der_oid_text(struct bytes oid, bool relative, char *out, size_t size)
{
    size_t used = 0;
    for (bool first = !relative; oid.size > 0; first = false) {
        uint64_t arc;
        if (!take_arc(&oid, &arc))
            return false;
        if (first) { /* X.690 8.19.4: the first two arcs share a number */
            uint64_t root = arc < 80 ? arc / 40 : 2;
            if (!append_arc(out, size, &used, root))
                return false;
            arc -= root * 40;
        }
        if (!append_arc(out, size, &used, arc))
            return false;
    }
    return used > 0;
}
