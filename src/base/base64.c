/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/base64.h"

#include <string.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char alphabet[] = ALPHANUMERIC "+/";
static const char url_alphabet[] = ALPHANUMERIC "-_";

/* The value of each character of the alphabet, with the bit VALID; all other characters are 0. */
#define VALID       0x40
#define ONE(c, v)   [c] = VALID | (v)
#define TWO(c, v)   ONE(c, v), ONE((c) + 1, (v) + 1)
#define EIGHT(c, v) TWO(c, v), TWO((c) + 2, (v) + 2), TWO((c) + 4, (v) + 4), TWO((c) + 6, (v) + 6)
#define LETTERS(c, v)                                                                              \
    EIGHT(c, v), EIGHT((c) + 8, (v) + 8), EIGHT((c) + 16, (v) + 16), TWO((c) + 24, (v) + 24)
#define DIGITS(c, v) EIGHT(c, v), TWO((c) + 8, (v) + 8)

static const uint8_t values[256] = {
    LETTERS('A', 0), LETTERS('a', 26), DIGITS('0', 52), ONE('+', 62), ONE('/', 63)};
static const uint8_t url_values[256] = {
    LETTERS('A', 0), LETTERS('a', 26), DIGITS('0', 52), ONE('-', 62), ONE('_', 63)};

/* Writes the characters of one group, of one to three octets: two to four characters, no padding.
 */
static char *encode_group(const char *digits, struct bytes in, char *text)
{
    uint32_t group = (uint32_t)in.data[0] << 16;
    group |= in.size > 1 ? (uint32_t)in.data[1] << 8 : 0;
    group |= in.size > 2 ? in.data[2] : 0;
    *text++ = digits[group >> 18];
    *text++ = digits[group >> 12 & 63];
    if (in.size > 1)
        *text++ = digits[group >> 6 & 63];
    if (in.size > 2)
        *text++ = digits[group & 63];
    return text;
}

/* Writes no padding and no NUL; returns the end of what it wrote. */
static char *encode(const char *digits, struct bytes in, char *text)
{
    for (; in.size >= 3; in = bytes_of(in.data + 3, in.size - 3))
        text = encode_group(digits, bytes_of(in.data, 3), text);
    return in.size > 0 ? encode_group(digits, in, text) : text;
}

static char *encode_padded(struct bytes in, char *text)
{
    char *end = encode(alphabet, in, text);
    while ((end - text) % 4 != 0)
        *end++ = '=';
    return end;
}

void base64_encode_text(struct bytes in, char *text)
{
    *encode_padded(in, text) = '\0';
}

void base64url_encode_text(struct bytes in, char *text)
{
    *encode(url_alphabet, in, text) = '\0';
}

enum result base64_encode(struct bytes in, struct buffer *out)
{
    if (in.size > out->limit) /* before the sum below can overflow */
        return RESULT_BUSY;
    TRY(buffer_reserve(out, BASE64_OCTETS(in.size)));
    if (in.size == 0)
        return RESULT_OK;
    encode_padded(in, (char *)out->data + out->size);
    out->size += BASE64_OCTETS(in.size);
    return RESULT_OK;
}

/* Decodes a last group of two or three characters, whose unused bits must be zero. */
static bool decode_tail(const uint8_t table[256], struct bytes text, uint8_t *out)
{
    if (text.size < 2)
        return text.size == 0;
    uint8_t a = table[text.data[0]], b = table[text.data[1]];
    uint8_t c = text.size > 2 ? table[text.data[2]] : VALID;
    if (!(a & b & c & VALID))
        return false;
    uint32_t group = (a & 63U) << 18 | (b & 63U) << 12 | (c & 63U) << 6;
    out[0] = (uint8_t)(group >> 16);
    if (text.size > 2)
        out[1] = (uint8_t)(group >> 8);
    return (group & (text.size > 2 ? 0xffU : 0xffffU)) == 0;
}

/* TEXT is without padding; OUT has room for text.size * 3 / 4 octets. */
static bool decode(const uint8_t table[256], struct bytes text, uint8_t *out)
{
    uint8_t valid = VALID;
    for (; text.size >= 4; text = bytes_of(text.data + 4, text.size - 4), out += 3) {
        uint8_t a = table[text.data[0]], b = table[text.data[1]];
        uint8_t c = table[text.data[2]], d = table[text.data[3]];
        valid &= a & b & c & d;
        uint32_t group = (a & 63U) << 18 | (b & 63U) << 12 | (c & 63U) << 6 | (d & 63U);
        out[0] = (uint8_t)(group >> 16);
        out[1] = (uint8_t)(group >> 8);
        out[2] = (uint8_t)group;
    }
    return valid && decode_tail(table, text, out);
}

enum result base64_decode(struct bytes text, struct buffer *out)
{
    if (text.size % 4 != 0)
        return RESULT_BAD_INPUT;
    for (int i = 0; i < 2 && text.size > 0 && text.data[text.size - 1] == '='; i++)
        text.size--;
    size_t size = text.size / 4 * 3 + text.size % 4 * 3 / 4;
    TRY(buffer_reserve(out, size));
    if (text.size == 0)
        return RESULT_OK;
    if (!decode(values, text, out->data + out->size))
        return RESULT_BAD_INPUT;
    out->size += size;
    return RESULT_OK;
}

enum result base64_decode_spaced(struct bytes text, struct buffer *out)
{
    struct buffer joined AUTO_BUFFER = {.limit = text.size};
    TRY(buffer_reserve(&joined, text.size));
    for (size_t i = 0; i < text.size; i++) {
        if (!memchr(" \t\r\n", text.data[i], 4))
            joined.data[joined.size++] = text.data[i];
    }
    return base64_decode(buffer_bytes(&joined), out);
}

enum result base64url_decode_exact(struct bytes text, uint8_t *out, size_t size)
{
    if (text.size != size / 3 * 4 + (size % 3 * 4 + 2) / 3)
        return RESULT_BAD_INPUT;
    return decode(url_values, text, out) ? RESULT_OK : RESULT_BAD_INPUT;
}
