/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/record.h"

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

bool record_overflows(struct bytes message, size_t most)
{
    uint8_t type;
    uint16_t version, size;

    return bytes_take_u8(&message, &type) && bytes_take_u16(&message, &version) &&
           bytes_take_u16(&message, &size) && version >> 8 == 3 && size > most;
}
