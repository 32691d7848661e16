/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as Message 1, 2 and 3, and what Message 3 presents as either type of certificate. What
 * is read of it is within it, and makes it up. An alert is found again. */
#include "fuzz/fuzz.h"
#include "tls/message.h"
#include "tls/presented.h"

static void check_parts(const struct message3 *message3)
{
    must(message3->handshake.size ==
         message3->certificate.size + message3->key_exchange.size + message3->verify.size);
    must(message3->presented.size < message3->certificate.size); /* may be empty: presented_read */
    must(message3->signature.size < message3->verify.size);
    must(message3->handshake.data == message3->storage);
}

static void write_again(const struct message3 *message3)
{
    static struct message3 again;
    struct buffer written AUTO_BUFFER = {.limit = 3 * TLS_HANDSHAKE_MAX};

    must(message_write_handshake(message3->handshake, &written) == RESULT_OK);
    must(buffer_append(&written, message3->end.data, message3->end.size) == RESULT_OK);
    must(message3_read(buffer_bytes(&written), &again, NULL) == RESULT_OK);
    must(bytes_equal(message3->handshake, again.handshake));
    must(bytes_equal(message3->end, again.end));
}

static void check_others(struct bytes in)
{
    static struct message1 message1;
    static struct message2 message2;
    struct fault fault = FAULT_INIT;

    if (message1_read(in, &message1, &fault) == RESULT_OK)
        must(message1.handshake.size > 0 && message1.handshake.size < in.size);
    else
        must(fault.result == RESULT_BAD_MESSAGE || fault.alert != FAULT_NO_ALERT);
    fault = FAULT_INIT;
    if (message2_read(in, &message2, &fault) == RESULT_OK)
        must(message2.certificate.size < message2.handshake.size);
}

static void check_alert(struct bytes in)
{
    uint8_t alert[TLS_ALERT_RECORD_OCTETS];
    int description = in.size > 0 ? in.data[0] : 0;

    (void)message_find_alert(in);
    message_write_alert(description, alert);
    must(message_find_alert(bytes_of(alert, sizeof(alert))) == description);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum certificate_type types[] = {
        CERTIFICATE_TYPE_X509, CERTIFICATE_TYPE_RAW_PUBLIC_KEY};
    static struct message3 message3;
    struct bytes in = bytes_of(data, size);
    struct fault fault = FAULT_INIT;

    fuzz_begin();
    check_alert(in);
    check_others(in);
    if (message3_read(in, &message3, &fault) != RESULT_OK) {
        must(fault.result == RESULT_BAD_MESSAGE || fault.alert != FAULT_NO_ALERT);
        return 0;
    }
    check_parts(&message3);
    write_again(&message3);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct presented presented;
        fault = FAULT_INIT;
        if (presented_read(&message3, types[i], &presented, &fault) == RESULT_OK)
            must(public_key_parse(presented.key.spki, &presented.key));
        else
            must(fault.alert != FAULT_NO_ALERT);
    }
    return 0;
}
