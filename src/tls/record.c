/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/record.h"

#include <string.h>

bool record_take(struct bytes *message, struct record *out)
{
    struct bytes rest = *message;

    if (!bytes_take_u8(&rest, &out->type) || !bytes_take_u16(&rest, &out->version) ||
        !bytes_take_block_16(&rest, &out->fragment))
        return false;
    if (out->version >> 8 != 3 || out->fragment.size == 0 ||
        out->fragment.size > RECORD_CIPHERTEXT_MAX)
        return false;
    *message = rest;
    return true;
}

/* In place: what is written never catches up with what is read, which has more headers. */
void record_join(struct buffer *message, size_t before)
{
    struct bytes rest = bytes_of(message->data + before, message->size - before);
    uint8_t *header = NULL, *end = message->data + before;
    struct record record;
    size_t size = 0;

    while (record_take(&rest, &record)) {
        if (!header || size + record.fragment.size > RECORD_PLAINTEXT_MAX) {
            header = end;
            header[0] = record.type;
            header[1] = (uint8_t)(record.version >> 8);
            header[2] = (uint8_t)record.version;
            end += RECORD_HEADER_OCTETS;
            size = 0;
        }
        memmove(end, record.fragment.data, record.fragment.size);
        end += record.fragment.size;
        size += record.fragment.size;
        header[3] = (uint8_t)(size >> 8);
        header[4] = (uint8_t)size;
    }
    message->size = (size_t)(end - message->data);
}

bool record_overflows(struct bytes message, size_t most)
{
    uint8_t type;
    uint16_t version, size;

    return bytes_take_u8(&message, &type) && bytes_take_u16(&message, &version) &&
           bytes_take_u16(&message, &size) && version >> 8 == 3 && size > most;
}
