/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

#include <string.h>

#include "base/wipe.h"

struct bytes bytes_of_string(const char *text)
{
    return bytes_of(text, strlen(text));
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* --- reading --- */

bool bytes_take(struct bytes *in, size_t size, struct bytes *out)
{
    if (in->size < size)
        return false;
    *out = bytes_of(in->data, size);
    if (size > 0)
        *in = bytes_of(in->data + size, in->size - size);
    return true;
}

/* A number of SIZE octets, at most four. */
static bool take_number(struct bytes *in, size_t size, uint32_t *out)
{
    struct bytes octets;
    if (!bytes_take(in, size, &octets))
        return false;
    *out = 0;
    for (size_t i = 0; i < size; i++)
        *out = *out << 8 | octets.data[i];
    return true;
}

bool bytes_take_u8(struct bytes *in, uint8_t *out)
{
    uint32_t number;
    if (!take_number(in, 1, &number))
        return false;
    *out = (uint8_t)number;
    return true;
}

bool bytes_take_u16(struct bytes *in, uint16_t *out)
{
    uint32_t number;
    if (!take_number(in, 2, &number))
        return false;
    *out = (uint16_t)number;
    return true;
}

static bool take_block(struct bytes *in, size_t length_size, struct bytes *out)
{
    struct bytes rest = *in;
    uint32_t length;
    if (!take_number(&rest, length_size, &length) || !bytes_take(&rest, length, out))
        return false;
    *in = rest;
    return true;
}

bool bytes_take_block_8(struct bytes *in, struct bytes *out)
{
    return take_block(in, 1, out);
}

bool bytes_take_block_16(struct bytes *in, struct bytes *out)
{
    return take_block(in, 2, out);
}

bool bytes_take_block_24(struct bytes *in, struct bytes *out)
{
    return take_block(in, 3, out);
}

/* --- as hex --- */

static const char hex_digits[] = "0123456789abcdef";

void bytes_to_hex(struct bytes in, char *text)
{
    for (size_t i = 0; i < in.size; i++) {
        *text++ = hex_digits[in.data[i] >> 4];
        *text++ = hex_digits[in.data[i] & 15];
    }
    *text = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bytes_from_hex(const char *text, uint8_t *out, size_t size)
{
    if (strnlen(text, 2 * size + 1) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* --- the growing buffer --- */

#define BUFFER_LEAST 256

enum result buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->size > buffer->limit || size > buffer->limit - buffer->size)
        return RESULT_BUSY;
    size_t needed = buffer->size + size;
    if (needed <= buffer->capacity)
        return RESULT_OK;

    size_t capacity = buffer->capacity < BUFFER_LEAST / 2 ? BUFFER_LEAST : buffer->capacity * 2;
    if (capacity > buffer->limit)
        capacity = buffer->limit;
    if (capacity < needed)
        capacity = needed;
    uint8_t *data = wiping_realloc(buffer->data, capacity);
    if (!data)
        return RESULT_NO_MEMORY;
    buffer->data = data;
    buffer->capacity = capacity;
    return RESULT_OK;
}

enum result buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    TRY(buffer_reserve(buffer, size));
    if (size == 0)
        return RESULT_OK;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return RESULT_OK;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    if (size > buffer->size)
        size = buffer->size;
    if (size == 0)
        return;
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
    secret_wipe(buffer->data + buffer->size, size);
}

void buffer_release(struct buffer *buffer)
{
    wiping_free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit};
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->size);
}
