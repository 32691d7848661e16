/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/spoil.h"

#include <check.h>

#include "tls/record.h"

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

    record_write_alert(TLS_ALERT_DECODE_ERROR, alert);
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
