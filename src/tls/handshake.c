/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/handshake.h"

#include <stdlib.h>

#include "tls/engine.h" /* first of wolfSSL's: brings its options */
#include "x509/p256.h"

#include <wolfssl/wolfcrypt/sha256.h>

struct handshake {
    WOLFSSL *engine;
    struct engine_io io;
    enum certificate_type type; /* of what the initiator presents */
    wc_Sha256 transcript;       /* of messages 1 and 2 */
    struct verified_signature verified;
};

void handshake_free(struct handshake *handshake)
{
    if (!handshake)
        return;
    wolfSSL_free(handshake->engine);
    wc_Sha256Free(&handshake->transcript);
    free(handshake);
}

/* NULL, and FAULT is set, when the engine does not start. */
static struct handshake *handshake_new(
    struct tls_endpoint *endpoint, const struct hello_choice *choice, struct fault *fault)
{
    struct handshake *handshake CLEANUP(auto_handshake_free) = calloc(1, sizeof(*handshake));

    if (!handshake || wc_InitSha256(&handshake->transcript) != 0) {
        fault_set(fault, RESULT_NO_MEMORY, "out of memory");
        return NULL;
    }
    handshake->type = choice->client_type;
    handshake->engine = wolfSSL_new(tls_endpoint_engine(endpoint, choice->server_type));
    if (!handshake->engine) {
        fault_set(fault, RESULT_NO_MEMORY, "the TLS engine is out of memory");
        return NULL;
    }
    if (handshake->type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY &&
        engine_take_raw_public_key(handshake->engine, fault) != RESULT_OK)
        return NULL;
    wolfSSL_SetIOReadCtx(handshake->engine, &handshake->io);
    wolfSSL_SetIOWriteCtx(handshake->engine, &handshake->io);
    wolfSSL_SetEccVerifyCtx(handshake->engine, &handshake->verified);
    wolfSSL_KeepArrays(handshake->engine); /* the exporter needs them after the handshake */
    return TAKE_PTR(handshake);
}

static bool hash_message2(wc_Sha256 *transcript, struct bytes message2)
{
    struct record record;

    while (record_take(&message2, &record))
        if (record.type != RECORD_HANDSHAKE ||
            wc_Sha256Update(transcript, record.fragment.data, (word32)record.fragment.size) != 0)
            return false;
    return message2.size == 0;
}

/* Has the engine answer a ClientHello of ours, which offers what was chosen and nothing else. */
static enum result run_message1(struct handshake *handshake, const struct hello *hello,
    const struct hello_choice *choice, struct buffer *message2, struct fault *fault)
{
    struct buffer flight AUTO_BUFFER = {.limit = 2 * HELLO_OCTETS_MAX};
    uint8_t storage[HELLO_OCTETS_MAX];

    if (message_write_handshake(hello_write(hello, choice, storage), &flight) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return engine_run_on(
        handshake->engine, wolfSSL_accept, &handshake->io, buffer_bytes(&flight), message2, fault);
}

enum result handshake_start(struct tls_endpoint *endpoint, const struct policy_tls *tls,
    const struct message1 *message1, struct handshake **out, struct buffer *message2,
    struct fault *fault)
{
    struct certificate_types takes = tls_endpoint_takes(endpoint);
    struct certificate_types presents = tls_endpoint_presents(endpoint);
    struct hello_choice choice;
    size_t before = message2->size;

    TRY(hello_choose(&message1->hello, tls, &takes, &presents, &choice, fault));
    struct handshake *handshake CLEANUP(auto_handshake_free) =
        handshake_new(endpoint, &choice, fault);
    if (!handshake)
        return fault->result;
    TRY(run_message1(handshake, &message1->hello, &choice, message2, fault));
    /* The engine has hashed a ClientHello of ours (tls/hello.h). From here on it goes on with the
     * hash of the messages that the two sides have exchanged. */
    if (wc_Sha256Update(&handshake->transcript, message1->handshake.data,
            (word32)message1->handshake.size) != 0 ||
        !hash_message2(
            &handshake->transcript, bytes_of(message2->data + before, message2->size - before)) ||
        wolfSSL_set_transcript(handshake->engine, &handshake->transcript) != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine wrote an odd Message 2");
    /* The engine gives each handshake message a record of its own. In one, the answer is 28 octets
     * of base64 shorter, and more of them fit one TCP segment. */
    record_join(message2, before);
    *out = TAKE_PTR(handshake);
    return RESULT_OK;
}

/* What CertificateVerify signs: all handshake messages before it (RFC 5246 7.4.8). */
static bool digest_transcript(
    struct handshake *handshake, const struct message3 *message3, uint8_t digest[32])
{
    wc_Sha256 hash;

    if (wc_Sha256Copy(&handshake->transcript, &hash) != 0)
        return false;
    bool good = wc_Sha256Update(
                    &hash, message3->certificate.data, (word32)message3->certificate.size) == 0 &&
                wc_Sha256Update(
                    &hash, message3->key_exchange.data, (word32)message3->key_exchange.size) == 0 &&
                wc_Sha256Final(&hash, digest) == 0;
    wc_Sha256Free(&hash);
    return good;
}

enum certificate_type handshake_certificate_type(const struct handshake *handshake)
{
    return handshake->type;
}

bool handshake_is_signed_by(
    struct handshake *handshake, const struct message3 *message3, const struct public_key *key)
{
    struct verified_signature verified = {.signature = message3->signature, .spki = key->spki};

    verified.known = digest_transcript(handshake, message3, verified.digest) &&
                     ecdsa_verify_digest(key->point, verified.digest, verified.signature);
    if (verified.known)
        handshake->verified = verified;
    return verified.known;
}

#define FINISHED_OCTETS 16 /* its header included (RFC 5246 7.4.9) */

/* How many octets encryption adds to a record at least. *PADDING is how many more it may add: their
 * number is known only when the engine has decrypted the record. */
static size_t overhead_of(uint16_t suite, size_t *padding)
{
    *padding = suite == SUITE_ECDHE_ECDSA_AES_128_CBC_SHA256 ? 255 : 0;
    switch (suite) {
    case SUITE_ECDHE_ECDSA_AES_128_CBC_SHA256:
        return 16 + 32 + 1; /* initialisation vector, MAC, padding_length: RFC 5246 6.2.3.2 */
    case SUITE_ECDHE_ECDSA_AES_128_CCM_8:
        return 8 + 8; /* nonce, tag: RFC 6655 4 */
    default:
        return 8 + 16; /* RFC 5288 3 */
    }
}

enum result handshake_check_end(
    const struct handshake *handshake, const struct message3 *message3, struct fault *fault)
{
    size_t padding, overhead = overhead_of(handshake_cipher_suite(handshake), &padding);
    size_t held = 0; /* how many octets of Finished the records so far hold at least */
    struct bytes rest = message3->end;
    struct record record;

    for (size_t i = 0; record_take(&rest, &record); i++) {
        bool follows = i > 1; /* the first two: ChangeCipherSpec, and Finished or a part of it */

        if (follows && (held >= FINISHED_OCTETS || record.fragment.size <= overhead))
            return fault_set(fault, RESULT_BAD_MESSAGE, "Message 3 does not end with Finished");
        if (i > 0 && record.fragment.size > overhead + padding)
            held += record.fragment.size - overhead - padding;
    }
    return RESULT_OK;
}

/* Appends Message 3 to OUT with new records around its handshake messages: those that arrived may
 * cut a message anywhere, and the engine takes no header that is cut. */
static enum result make_flight(const struct message3 *message3, struct buffer *out)
{
    TRY(message_write_handshake(message3->handshake, out));
    return buffer_append(out, message3->end.data, message3->end.size);
}

enum result handshake_finish(struct handshake *handshake, const struct message3 *message3,
    struct buffer *message4, struct exported_key *exported, struct fault *fault)
{
    struct buffer flight AUTO_BUFFER = {.limit = 2 * TLS_HANDSHAKE_MAX};
    struct bytes spki = handshake->verified.spki;

    if (!handshake->verified.known || wolfSSL_set_peer_public_key(handshake->engine, spki.data,
                                          (word32)spki.size) != WOLFSSL_SUCCESS)
        return fault_set_alert(fault, RESULT_INTERNAL, TLS_ALERT_INTERNAL_ERROR,
            "the TLS engine does not take the initiator's public key");
    if (make_flight(message3, &flight) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    bool is_done;
    TRY(engine_run(handshake->engine, wolfSSL_accept, &handshake->io, buffer_bytes(&flight),
        message4, &is_done, fault));
    if (!is_done)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNEXPECTED_MESSAGE,
            "TLS handshake refused: Message 3 does not finish it");
    if (!handshake->verified.used) /* never: the engine asks about every CertificateVerify */
        return fault_set_alert(fault, RESULT_INTERNAL, TLS_ALERT_INTERNAL_ERROR,
            "the TLS engine did not check CertificateVerify");
    return engine_export(handshake->engine, exported, fault);
}

uint16_t handshake_cipher_suite(const struct handshake *handshake)
{
    return (uint16_t)wolfSSL_get_current_cipher_suite(handshake->engine);
}
