/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Octets: a borrowed view, a reader over it, and a growing buffer with a bound. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

/* A view of octets that somebody else owns. {NULL, 0} is empty. Readers move its start forward. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

struct bytes bytes_of_string(const char *text);   /* without the NUL */
bool bytes_equal(struct bytes a, struct bytes b); /* not in constant time: never for secrets */

/* Each of these reads from the front of IN and moves IN on. When IN is too short, it returns false
 * and leaves IN as it is. Numbers are big-endian, as in TLS. bytes_take_block_N reads a length of N
 * bits, and then as many octets. */
bool bytes_take(struct bytes *in, size_t size, struct bytes *out) WARN_UNUSED;
bool bytes_take_u8(struct bytes *in, uint8_t *out) WARN_UNUSED;
bool bytes_take_u16(struct bytes *in, uint16_t *out) WARN_UNUSED;
bool bytes_take_block_8(struct bytes *in, struct bytes *out) WARN_UNUSED;
bool bytes_take_block_16(struct bytes *in, struct bytes *out) WARN_UNUSED;
bool bytes_take_block_24(struct bytes *in, struct bytes *out) WARN_UNUSED;

/* Writes IN as lower-case hex and a NUL to TEXT, which has room for 2 * in.size + 1 characters. */
void bytes_to_hex(struct bytes in, char *text);
/* Reads exactly 2 * SIZE hex digits of either case; false for any other text. */
bool bytes_from_hex(const char *text, uint8_t *out, size_t size) WARN_UNUSED;

/* A buffer that owns its content and grows up to a limit. Zero-initialise with .limit set; release
 * with buffer_release. The content is wiped before it is freed or moved. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* most octets it may hold */
};

/* Appends SIZE octets. RESULT_BUSY when the content would exceed the limit, RESULT_NO_MEMORY when
 * memory is short; on either the content stays as it was. */
enum result buffer_append(struct buffer *buffer, const void *data, size_t size) WARN_UNUSED;
/* Makes room for SIZE more octets at data + size; the caller writes them and raises size. Fails as
 * buffer_append does. */
enum result buffer_reserve(struct buffer *buffer, size_t size) WARN_UNUSED;
/* Removes the first SIZE octets, or all if there are fewer, and wipes the memory that this frees.
 */
void buffer_consume(struct buffer *buffer, size_t size);
/* Wipes and frees the content. The buffer is empty then, and can be used again. */
void buffer_release(struct buffer *buffer);
/* Returns a view of the content, which is valid until the buffer changes. */
struct bytes buffer_bytes(const struct buffer *buffer);

#define AUTO_BUFFER CLEANUP(buffer_release)
