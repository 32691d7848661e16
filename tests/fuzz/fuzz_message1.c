/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as Message 1, and what the end-point negotiates from it: what is offered to the engine
 * in its place is read as what was chosen, and the engine answers it. */
#include "fuzz/stage.h"
#include "tls/handshake.h"
#include "tls/message.h"

static void choose(const struct hello *hello, bool x509, bool raw)
{
    const struct certificate_types types = {.x509 = x509, .raw_public_key = raw};
    const struct policy_tls *tls = &stage.snapshot->policy->tls;
    uint8_t storage[HELLO_OCTETS_MAX];
    struct hello_choice choice, again;
    struct hello ours;
    struct fault fault = FAULT_INIT;

    if (hello_choose(hello, tls, &types, &types, &choice, &fault) != RESULT_OK) {
        must(fault.alert != FAULT_NO_ALERT);
        return;
    }
    struct bytes written = hello_write(hello, &choice, storage), header;
    must(bytes_take(&written, 4, &header) && hello_read(written, &ours, NULL) == RESULT_OK);
    must(hello_choose(&ours, tls, &types, &types, &again, NULL) == RESULT_OK);
    must(again.suite == choice.suite && again.client_type == choice.client_type &&
         again.server_type == choice.server_type);
}

static void answer(const struct message1 *message1)
{
    struct buffer message2 AUTO_BUFFER = {.limit = 65536};
    struct handshake *handshake CLEANUP(auto_handshake_free) = NULL;
    struct fault fault = FAULT_INIT;
    struct tls_endpoint *endpoint =
        tls_context_by_server_name(stage.snapshot->tls, message1->hello.server_name);

    if (endpoint && handshake_start(endpoint, &stage.snapshot->policy->tls, message1, &handshake,
                        &message2, &fault) != RESULT_OK)
        must(fault.result == RESULT_TLS_REFUSED && fault.alert != FAULT_NO_ALERT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct message1 message1;
    struct fault fault = FAULT_INIT;
    struct bytes in = bytes_of(data, size);

    stage_open();
    fuzz_begin();
    if (message1_read(in, &message1, &fault) != RESULT_OK) {
        must(fault.result == RESULT_BAD_MESSAGE || fault.alert != FAULT_NO_ALERT);
        (void)message_is_message1(in);
        (void)message_find_alert(in);
        return 0;
    }
    must(message_is_message1(in));
    choose(&message1.hello, true, false);
    choose(&message1.hello, false, true);
    choose(&message1.hello, true, true);
    answer(&message1);
    return 0;
}
