/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/general_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "x509/der.h"
#include "x509/distinguished_name.h"

/* OBJECT IDENTIFIERs under which device ids are assigned, as DER content. */
static const struct {
    uint8_t octets[8];
    size_t size;
} device_arcs[] = {
    {{0x02, 0x83, 0x61, 0x01}, 4}, /* 0.2.481.1: M2M Device Indication ID */
};

static const uint8_t form_tags[GENERAL_NAME_FORMS] = {
    [GENERAL_NAME_OTHER] = DER_CONTEXT_CONSTRUCTED(0),
    [GENERAL_NAME_RFC822] = DER_CONTEXT(1),
    [GENERAL_NAME_DNS] = DER_CONTEXT(2),
    [GENERAL_NAME_X400] = DER_CONTEXT_CONSTRUCTED(3),
    [GENERAL_NAME_DIRECTORY] = DER_CONTEXT_CONSTRUCTED(4), /* EXPLICIT: Name is a CHOICE */
    [GENERAL_NAME_EDI_PARTY] = DER_CONTEXT_CONSTRUCTED(5),
    [GENERAL_NAME_URI] = DER_CONTEXT(6),
    [GENERAL_NAME_IP] = DER_CONTEXT(7),
    [GENERAL_NAME_REGISTERED_ID] = DER_CONTEXT(8),
};

/* Is TEXT an IA5String, and so ASCII? dNSName and URI are checked further where they are used. */
static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] > 0x7f)
            return false;
    }
    return true;
}

static bool shape_is_valid(const struct general_name *name)
{
    struct bytes type, value;
    switch (name->form) {
    case GENERAL_NAME_OTHER:
        return other_name_split(name->value, &type, &value);
    case GENERAL_NAME_RFC822:
        return is_ascii(name->value);
    case GENERAL_NAME_DIRECTORY:
        return distinguished_name_is_valid(name->value);
    case GENERAL_NAME_REGISTERED_ID:
        return der_oid_is_valid(name->value);
    default:
        return true;
    }
}

bool general_name_take(struct bytes *in, struct general_name *out)
{
    struct bytes rest = *in;
    struct der element;
    if (!der_take(&rest, &element))
        return false;
    out->form = element.tag & 0x1f;
    out->value = element.content;
    if (out->form >= GENERAL_NAME_FORMS || form_tags[out->form] != element.tag ||
        !shape_is_valid(out))
        return false;
    *in = rest;
    return true;
}

size_t general_names_count(struct bytes names)
{
    struct general_name name;
    size_t count = 0;
    for (; names.size > 0 && count <= GENERAL_NAMES_MAX; count++) {
        if (!general_name_take(&names, &name) ||
            (name.form == GENERAL_NAME_IP && name.value.size != IPV4_OCTETS &&
                name.value.size != IPV6_OCTETS))
            return 0;
    }
    return count;
}

bool general_names_are_valid(struct bytes names)
{
    const size_t count = general_names_count(names);
    return count > 0 && count <= GENERAL_NAMES_MAX;
}

/* RFC 3986 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":" */
static size_t scheme_size(struct bytes uri)
{
    size_t i = 0;
    while (i < uri.size && uri.data[i] < 0x80 &&
           (isalpha(uri.data[i]) || (i > 0 && isdigit(uri.data[i])) ||
               (i > 0 && memchr("+-.", uri.data[i], 3))))
        i++;
    return i > 0 && i < uri.size && uri.data[i] == ':' ? i + 1 : 0;
}

static bool uri_authority(struct bytes uri, struct bytes *authority)
{
    size_t start = scheme_size(uri);
    if (uri.size - start < 2 || uri.data[start] != '/' || uri.data[start + 1] != '/')
        return false;
    start += 2;
    size_t end = start;
    while (end < uri.size && !memchr("/?#", uri.data[end], 3))
        end++;
    *authority = bytes_of(uri.data + start, end - start);
    return true;
}

/* User information ("@") and brackets are refused, as no DNS name has these characters. */
bool uri_host(struct bytes uri, struct bytes *host)
{
    if (!uri_authority(uri, host))
        return false;
    size_t end = host->size;
    while (end > 0 && isdigit(host->data[end - 1]))
        end--;
    if (end > 0 && host->data[end - 1] == ':')
        host->size = end - 1;
    return dns_name_is_valid(*host);
}

bool uri_is_valid(struct bytes uri)
{
    struct bytes authority;
    for (size_t i = 0; i < uri.size; i++) {
        if (uri.data[i] <= ' ' || uri.data[i] > '~' || uri.data[i] == '*')
            return false;
    }
    return scheme_size(uri) > 0 || uri_authority(uri, &authority);
}

bool other_name_split(struct bytes other_name, struct bytes *type, struct bytes *value)
{
    struct bytes explicit_value;
    struct der element;
    if (!der_take_tag(&other_name, DER_OID, type) || !der_oid_is_valid(*type) ||
        !der_take_tag(&other_name, DER_CONTEXT_CONSTRUCTED(0), &explicit_value) ||
        other_name.size != 0 || !der_take(&explicit_value, &element) || explicit_value.size != 0)
        return false;
    *value = element.whole;
    return true;
}

bool other_name_type_is_device(struct bytes type)
{
    for (size_t i = 0; i < ARRAY_SIZE(device_arcs); i++) {
        if (type.size >= device_arcs[i].size &&
            memcmp(type.data, device_arcs[i].octets, device_arcs[i].size) == 0)
            return true;
    }
    return false;
}

/* Copies TEXT, if it is decimals without leading zeros with single dots between them. */
static bool dotted_text(struct bytes text, char *out, size_t size)
{
    if (text.size >= size)
        return false;
    bool at_start = true; /* of an arc */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i], before = i > 0 ? text.data[i - 1] : '.';
        bool single_zero = before == '0' && (i < 2 || text.data[i - 2] == '.');
        if (c == '.' ? at_start : !isdigit(c) || single_zero)
            return false;
        at_start = c == '.';
        out[i] = (char)c;
    }
    out[text.size] = '\0';
    return !at_start;
}

static bool rest_text(struct bytes value, char out[NAME_OCTETS])
{
    struct der element;
    if (!der_take(&value, &element))
        return false;
    switch (element.tag) {
    case DER_OID:
        return der_oid_text(element.content, false, out, NAME_OCTETS);
    case DER_RELATIVE_OID:
        return der_oid_text(element.content, true, out, NAME_OCTETS);
    case DER_UTF8_STRING:
    case DER_IA5_STRING:
        return dotted_text(element.content, out, NAME_OCTETS);
    default:
        return false;
    }
}

bool device_id_text(struct bytes type, struct bytes value, bool may_be_empty, char out[NAME_OCTETS])
{
    char prefix[NAME_OCTETS], rest[NAME_OCTETS];
    struct bytes text;
    if (!der_oid_text(type, false, prefix, sizeof(prefix)))
        return false;
    if (may_be_empty && der_only(value, DER_UTF8_STRING, &text) && text.size == 0) {
        memcpy(out, prefix, sizeof(prefix));
        return true;
    }
    if (!rest_text(value, rest))
        return false;
    /* An OBJECT IDENTIFIER may hold the whole id, which then begins with type-id. */
    size_t size = strlen(prefix);
    bool whole = value.data[0] == DER_OID && strncmp(rest, prefix, size) == 0 && rest[size] == '.';
    int written = snprintf(out, NAME_OCTETS, "%s%s%s", whole ? "" : prefix, whole ? "" : ".", rest);
    return written > 0 && written < NAME_OCTETS;
}

/* Writes a DER header before the SIZE octets (less than 256) at CONTENT. Returns where the header
 * begins. */
static uint8_t *put_header(uint8_t tag, uint8_t *content, size_t size)
{
    *--content = (uint8_t)size;
    if (size > 0x7f)
        *--content = 0x81;
    *--content = tag;
    return content;
}

bool device_name_write(const char *text, uint8_t storage[DEVICE_NAME_OCTETS], struct bytes *out)
{
    static const char arc[] = DEVICE_ARC_TEXT ".";
    static const uint8_t type[] = {DER_OID, 4, 0x02, 0x83, 0x61, 0x01};
    if (strncmp(text, arc, sizeof(arc) - 1) != 0)
        return false;
    const char *rest = text + sizeof(arc) - 1;
    const size_t size = strlen(rest);
    uint8_t *const end = storage + DEVICE_NAME_OCTETS;
    if (size > NAME_OCTETS - sizeof(arc))
        return false;
    memcpy(end - size, rest, size);
    uint8_t *start = put_header(DER_UTF8_STRING, end - size, size);
    start = put_header(DER_CONTEXT_CONSTRUCTED(0), start, (size_t)(end - start));
    start -= sizeof(type);
    memcpy(start, type, sizeof(type));
    *out = bytes_of(start, (size_t)(end - start));
    return true;
}
