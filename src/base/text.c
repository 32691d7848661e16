/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <string.h>

#define DNS_NAME_OCTETS_MAX  253
#define DNS_LABEL_OCTETS_MAX 63 /* RFC 1035 2.3.4 */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* --- DNS names --- */

static bool is_label(struct bytes label)
{
    if (label.size == 0 || label.size > DNS_LABEL_OCTETS_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_letter(label.data[i]) && !is_digit(label.data[i]) && label.data[i] != '-')
            return false;
    return true;
}

bool dns_name_is_valid(struct bytes name)
{
    if (name.size == 0 || name.size > DNS_NAME_OCTETS_MAX)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '.')
            continue;
        if (!is_label(bytes_of(name.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

/* --- PKCS#11 URIs --- */

bool is_token_uri(const char *text)
{
    static const char scheme[] = "pkcs11:";
    return strncmp(text, scheme, sizeof(scheme) - 1) == 0;
}

/* --- case --- */

bool bytes_equal_caseless(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool text_equal_caseless(const char *a, const char *b)
{
    return bytes_equal_caseless(bytes_of_string(a), bytes_of_string(b));
}

const char *text_after_caseless(const char *text, const char *prefix)
{
    for (; *prefix; text++, prefix++)
        if (lower((uint8_t)*text) != lower((uint8_t)*prefix))
            return NULL;
    return text;
}

void text_to_lower(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] = (char)lower((uint8_t)text[i]);
}

/* --- escapes --- */

/* Returns the size of the escape that IN begins with; 0 when it does not begin with one. */
static size_t escape_at(struct bytes in)
{
    uint8_t octet;
    if (in.size < 4 || in.data[0] != '\\' || in.data[1] != 'x')
        return 0;
    const char digits[] = {(char)in.data[2], (char)in.data[3], '\0'};
    return bytes_from_hex(digits, &octet, 1) ? 4 : 0;
}

void bytes_escape(struct bytes in, char *text, size_t size)
{
    char *const end = text + size - 1;
    while (in.size > 0) {
        char escape[] = "\\x00";
        bytes_to_hex(bytes_of(in.data, 1), escape + 2);
        bool is_plain = in.data[0] >= 0x20 && in.data[0] < 0x7f;
        size_t whole = escape_at(in), length = is_plain && !whole ? 1 : strlen(escape);
        if (length > (size_t)(end - text))
            break;
        memcpy(text, is_plain ? (const char *)in.data : escape, length);
        text += length;
        in = bytes_of(in.data + (whole ? whole : 1), in.size - (whole ? whole : 1));
    }
    *text = '\0';
}

size_t json_escape(char c, char out[JSON_ESCAPE_OCTETS])
{
    uint8_t octet = (uint8_t)c;

    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = c;
        return 2;
    }
    if (octet >= ' ') {
        out[0] = c;
        return 1;
    }
    char escape[JSON_ESCAPE_OCTETS + 1] = "\\u00";
    bytes_to_hex(bytes_of(&octet, 1), escape + 4);
    memcpy(out, escape, JSON_ESCAPE_OCTETS);
    return JSON_ESCAPE_OCTETS;
}
