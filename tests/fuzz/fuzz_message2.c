/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as Messages 2 and 4 at our own Initiating End-Point. The first octet says which
 * credential it has. Its random numbers are always the same, so that messages that an end-point
 * once answered it with (tests/fuzz/make-corpus) are good ones. */
#include "fuzz/stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size), message2, message4;
    struct buffer message1 AUTO_BUFFER = {.limit = 65536};
    struct buffer message3 AUTO_BUFFER = {.limit = 65536};
    struct initiator *initiator CLEANUP(auto_initiator_free) = NULL;
    struct exported_key exported;
    struct fault fault = FAULT_INIT;

    stage_open();
    fuzz_begin();
    uint8_t choice = fuzz_octet(&in);
    struct initiator_credential *credential = stage.credentials[choice % STAGE_CREDENTIALS];
    const char *name = choice & 0x80 ? "in-cse.m2m.example" : NULL;
    const char *identity = choice & 0x40 ? "//m2m.example/in-cse/Cother" : "//m2m.example/in-cse";
    must(initiator_start(credential, name, &initiator, &message1, &fault) == RESULT_OK);
    fuzz_random_from(3);
    if (!fuzz_take(&in, &message2) ||
        initiator_answer(initiator, message2, identity, &message3, &fault) != RESULT_OK)
        return 0;
    must(message3.size > 0);
    if (fuzz_take(&in, &message4) &&
        initiator_finish(initiator, message4, &exported, &fault) != RESULT_OK)
        must(fault.text[0] != '\0');
    return 0;
}
