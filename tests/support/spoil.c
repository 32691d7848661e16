/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/spoil.h"

#include <check.h>
#include <stdlib.h>

#include "tls/message.h"

void spoil_append(struct buffer *message, const void *data, size_t size)
{
    ck_assert_int_eq(buffer_append(message, data, size), RESULT_OK);
}

void spoil_copy(const struct buffer *from, struct buffer *to)
{
    *to = (struct buffer){.limit = 65536};
    spoil_append(to, from->data, from->size);
}

void spoil_drop_last(struct buffer *message)
{
    message->size--;
}

void spoil_add_octet(struct buffer *message)
{
    spoil_append(message, "", 1);
}

void spoil_add_alert(struct buffer *message)
{
    uint8_t alert[TLS_ALERT_RECORD_OCTETS];

    message_write_alert(TLS_ALERT_DECODE_ERROR, alert);
    spoil_append(message, alert, sizeof(alert));
}

void spoil_only_alert(struct buffer *message)
{
    message->size = 0;
    spoil_add_alert(message);
}

void spoil_strip_record_header(struct buffer *message)
{
    buffer_consume(message, 5);
}

void spoil_as_application_data(struct buffer *message)
{
    message->data[0] = 23;
}

size_t spoil_tail(const struct buffer *message, size_t count)
{
    size_t starts[16] = {0}, records = 0;
    struct bytes rest = buffer_bytes(message);
    struct record record;

    while (records < ARRAY_SIZE(starts) && rest.size > 0) {
        starts[records++] = message->size - rest.size;
        ck_assert(record_take(&rest, &record));
    }
    ck_assert_uint_ge(records, count);
    return starts[records - count];
}

void spoil_certificate(struct buffer *message, struct bytes certificate)
{
    struct message3 *parsed = malloc(sizeof(*parsed));
    struct buffer out = {.limit = 65536};
    size_t end = spoil_tail(message, 2);

    ck_assert_ptr_nonnull(parsed);
    ck_assert_int_eq(message3_read(buffer_bytes(message), parsed, NULL), RESULT_OK);
    size_t size = certificate.size + parsed->key_exchange.size + parsed->verify.size;
    spoil_append(&out, (uint8_t[]){22, 3, 3, (uint8_t)(size >> 8), (uint8_t)size}, 5);
    spoil_append(&out, certificate.data, certificate.size);
    spoil_append(&out, parsed->key_exchange.data, parsed->key_exchange.size);
    spoil_append(&out, parsed->verify.data, parsed->verify.size);
    spoil_append(&out, message->data + end, message->size - end);
    buffer_release(message);
    *message = out;
    free(parsed);
}
