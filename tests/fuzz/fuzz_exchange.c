/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole handshake between our two sides in which messages change on their way: octets of records,
 * before and after encryption has started, and the plaintext of Finished before it is protected.
 * The first octet says who the initiator is, and the second what it is to take part in; then come
 * changes of five octets. Whatever changes: nobody has a key that the other side has not, and a
 * change to what is signed or protected is found. */
#include "fuzz/stage.h"

#include <string.h>

#include "tls/handshake.h"

enum place {
    MESSAGE_1,
    MESSAGE_2,
    MESSAGE_3,
    MESSAGE_4,
    FINISHED_OF_INITIATOR,
    FINISHED_OF_TERMINATING,
    PLACES,
};

enum change_kind {
    CHANGE_XOR,
    CHANGE_SET,
    CHANGE_INSERT,
    CHANGE_REMOVE,
    CHANGE_CUT,
    CHANGE_SPLIT,
    CHANGE_REPEAT,
    CHANGE_KINDS
};

struct change {
    enum place place;
    enum change_kind kind;
    size_t at;
    uint8_t value;
};

static struct change changes[8];
static size_t change_count;
static enum place writing = PLACES; /* whose plaintext is being protected */
static bool is_spoilt[PLACES];      /* whose plaintext is another than it was */

/* --- in the plaintext: calls that the linker sends here instead of to the engine --- */

static void change_plaintext(uint8_t *text, size_t size)
{
    uint8_t before[512];

    if (writing == PLACES || size == 0 || size > sizeof(before))
        return;
    memcpy(before, text, size);
    for (size_t i = 0; i < change_count; i++)
        if (changes[i].place == writing)
            text[changes[i].at % size] ^= changes[i].value;
    is_spoilt[writing] |= memcmp(before, text, size) != 0;
}

/* With CBC, all of the record is in IN, in the memory of what is then encrypted. */
int __real_TLS_hmac(void *engine, uint8_t *digest, const uint8_t *in, uint32_t size, int padding,
    int content, int verify, int order);
int __wrap_TLS_hmac(void *engine, uint8_t *digest, const uint8_t *in, uint32_t size, int padding,
    int content, int verify, int order);
int __wrap_TLS_hmac(void *engine, uint8_t *digest, const uint8_t *in, uint32_t size, int padding,
    int content, int verify, int order)
{
    if (!verify)
        change_plaintext((uint8_t *)in, size);
    return __real_TLS_hmac(engine, digest, in, size, padding, content, verify, order);
}

#define DEFINE_AEAD(name)                                                                          \
    int __real_##name(void *aes, uint8_t *out, const uint8_t *in, uint32_t size, uint8_t *iv,      \
        uint32_t iv_size, uint8_t *tag, uint32_t tag_size, const uint8_t *more,                    \
        uint32_t more_size);                                                                       \
    int __wrap_##name(void *aes, uint8_t *out, const uint8_t *in, uint32_t size, uint8_t *iv,      \
        uint32_t iv_size, uint8_t *tag, uint32_t tag_size, const uint8_t *more,                    \
        uint32_t more_size);                                                                       \
    int __wrap_##name(void *aes, uint8_t *out, const uint8_t *in, uint32_t size, uint8_t *iv,      \
        uint32_t iv_size, uint8_t *tag, uint32_t tag_size, const uint8_t *more,                    \
        uint32_t more_size)                                                                        \
    {                                                                                              \
        uint8_t text[512];                                                                         \
        if (size > sizeof(text))                                                                   \
            return __real_##name(aes, out, in, size, iv, iv_size, tag, tag_size, more, more_size); \
        memcpy(text, in, size);                                                                    \
        change_plaintext(text, size);                                                              \
        return __real_##name(aes, out, text, size, iv, iv_size, tag, tag_size, more, more_size);   \
    }

DEFINE_AEAD(wc_AesGcmEncrypt_ex)
DEFINE_AEAD(wc_AesCcmEncrypt_ex)

/* --- in messages --- */

static void insert(struct buffer *message, size_t at, const uint8_t *octets, size_t size)
{
    must(buffer_reserve(message, size) == RESULT_OK);
    memmove(message->data + at + size, message->data + at, message->size - at);
    memcpy(message->data + at, octets, size);
    message->size += size;
}

static void remove_from(struct buffer *message, size_t at, size_t size)
{
    memmove(message->data + at, message->data + at + size, message->size - at - size);
    message->size -= size;
}

/* Where the record that holds the octet at AT begins; false where the records are no whole ones. */
static bool find_record(const struct buffer *message, size_t at, size_t *start, size_t *size)
{
    for (*start = 0; *start + 5 <= message->size; *start += *size) {
        *size = 5 + ((size_t)message->data[*start + 3] << 8 | message->data[*start + 4]);
        if (*size > message->size - *start)
            return false;
        if (at < *start + *size)
            return true;
    }
    return false;
}

/* Two records of the one at AT. */
static void split(struct buffer *message, size_t at)
{
    size_t start, size;
    uint8_t header[5];

    if (!find_record(message, at, &start, &size) || at < start + 6)
        return;
    memcpy(header, message->data + start, sizeof(header));
    size_t first = at - start - 5, second = size - 5 - first;
    header[3] = (uint8_t)(second >> 8);
    header[4] = (uint8_t)second;
    message->data[start + 3] = (uint8_t)(first >> 8);
    message->data[start + 4] = (uint8_t)first;
    insert(message, at, header, sizeof(header));
}

static void repeat(struct buffer *message, size_t at)
{
    uint8_t record[1024];
    size_t start, size;

    if (!find_record(message, at, &start, &size) || size > sizeof(record))
        return;
    memcpy(record, message->data + start, size);
    insert(message, start, record, size);
}

static void apply(const struct change *change, struct buffer *message)
{
    size_t at = change->at % message->size;

    switch (change->kind) {
    case CHANGE_XOR:
        message->data[at] ^= change->value;
        break;
    case CHANGE_SET:
        message->data[at] = change->value;
        break;
    case CHANGE_INSERT:
        insert(message, at, &change->value, 1);
        break;
    case CHANGE_REMOVE:
        remove_from(message, at, 1);
        break;
    case CHANGE_CUT:
        message->size = at;
        break;
    case CHANGE_SPLIT:
        split(message, at);
        break;
    case CHANGE_REPEAT:
        repeat(message, at);
        break;
    case CHANGE_KINDS:
        break;
    }
}

static void change_message(enum place place, struct buffer *message)
{
    for (size_t i = 0; i < change_count && message->size > 0; i++)
        if (changes[i].place == place)
            apply(&changes[i], message);
}

static void read_changes(struct bytes *in)
{
    struct bytes each;

    for (change_count = 0; change_count < ARRAY_SIZE(changes) && bytes_take(in, 5, &each);)
        changes[change_count++] = (struct change){.place = each.data[0] % PLACES,
            .kind = each.data[1] % CHANGE_KINDS,
            .at = (size_t)each.data[2] << 8 | each.data[3],
            .value = each.data[4]};
}

/* --- the handshake --- */

struct run {
    struct initiator *initiator;
    struct handshake *handshake;
    struct buffer message1, message2, message3, message4;
    bool has_key;
    struct exported_key ours, theirs;
};

static struct policy_tls tls; /* with the suite that the input chooses */

static bool start(struct run *run, const char *server_name)
{
    static struct message1 message1;
    struct fault fault = FAULT_INIT;
    struct tls_endpoint *endpoint =
        tls_context_by_server_name(stage.snapshot->tls, server_name ? server_name : "");

    change_message(MESSAGE_1, &run->message1);
    if (message1_read(buffer_bytes(&run->message1), &message1, &fault) != RESULT_OK)
        return false;
    return handshake_start(endpoint, &tls, &message1, &run->handshake, &run->message2, &fault) ==
           RESULT_OK;
}

/* Whether the terminating side has the key: as exchange/message3 goes about it. */
static bool finish(struct run *run)
{
    static struct message3 message3;
    struct presented presented;
    struct fault fault = FAULT_INIT;

    change_message(MESSAGE_3, &run->message3);
    if (message3_read(buffer_bytes(&run->message3), &message3, &fault) != RESULT_OK ||
        handshake_check_end(run->handshake, &message3, &fault) != RESULT_OK ||
        presented_read(&message3, handshake_certificate_type(run->handshake), &presented, &fault) !=
            RESULT_OK ||
        !handshake_is_signed_by(run->handshake, &message3, &presented.key))
        return false;
    writing = FINISHED_OF_TERMINATING;
    enum result result =
        handshake_finish(run->handshake, &message3, &run->message4, &run->ours, &fault);
    writing = PLACES;
    if (result != RESULT_OK)
        must(result == RESULT_TLS_REFUSED || result == RESULT_BAD_MESSAGE);
    return result == RESULT_OK;
}

static void exchange(struct run *run, const char *server_name)
{
    struct fault fault = FAULT_INIT;

    if (!start(run, server_name))
        return;
    change_message(MESSAGE_2, &run->message2);
    fuzz_record("message2", buffer_bytes(&run->message2));
    fuzz_random_from(3);
    writing = FINISHED_OF_INITIATOR;
    enum result result = initiator_answer(run->initiator, buffer_bytes(&run->message2),
        "//m2m.example/in-cse", &run->message3, &fault);
    writing = PLACES;
    if (result != RESULT_OK)
        return;
    fuzz_record("message3", buffer_bytes(&run->message3));
    run->has_key = finish(run);
    if (change_count == 0)
        must(run->has_key);
    if (!run->has_key)
        return;
    must(!is_spoilt[FINISHED_OF_INITIATOR]);
    fuzz_record("message4", buffer_bytes(&run->message4));
    change_message(MESSAGE_4, &run->message4);
    result = initiator_finish(run->initiator, buffer_bytes(&run->message4), &run->theirs, &fault);
    if (change_count == 0)
        must(result == RESULT_OK);
    if (result == RESULT_OK)
        must(!is_spoilt[FINISHED_OF_TERMINATING] &&
             memcmp(&run->ours, &run->theirs, sizeof(run->ours)) == 0);
}

static void release(struct run *run)
{
    initiator_free(run->initiator);
    handshake_free(run->handshake);
    buffer_release(&run->message1);
    buffer_release(&run->message2);
    buffer_release(&run->message3);
    buffer_release(&run->message4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct policy_suite *suite;
    struct bytes in = bytes_of(data, size);
    struct run run = {.message1.limit = 70000,
        .message2.limit = 70000,
        .message3.limit = 70000,
        .message4.limit = 70000};

    stage_open();
    fuzz_begin();
    uint8_t who = fuzz_octet(&in), what = fuzz_octet(&in);
    suite = &policy_suites[what % policy_suite_count];
    tls = (struct policy_tls){.suites = &suite, .suite_count = 1};
    memset(is_spoilt, 0, sizeof(is_spoilt));
    read_changes(&in);
    const char *name = who & 0x80 ? "in-cse.m2m.example" : NULL;
    must(initiator_start(stage.credentials[who % STAGE_CREDENTIALS], name, &run.initiator,
             &run.message1, NULL) == RESULT_OK);
    fuzz_record("message1", buffer_bytes(&run.message1));
    exchange(&run, name);
    release(&run);
    return 0;
}
