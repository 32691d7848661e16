/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/handshake.h"

#include <stdlib.h>

#include "tls/ecdsa.h"
#include "tls/engine.h" /* first of wolfSSL's: brings its options */

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

/* The first that the initiator lists of those that are usable here; without a list it is X.509
 * (RFC 7250 4.1, 4.2). */
static bool choose_type(
    struct bytes listed, const struct certificate_types *usable, enum certificate_type *out)
{
    if (listed.size == 0)
        listed = bytes_of("\0", 1);
    for (size_t i = 0; i < listed.size; i++) {
        *out = (enum certificate_type)listed.data[i];
        if ((*out == CERTIFICATE_TYPE_X509 && usable->x509) ||
            (*out == CERTIFICATE_TYPE_RAW_PUBLIC_KEY && usable->raw_public_key))
            return true;
    }
    return false;
}

static enum result no_common_type(struct fault *fault, const char *who)
{
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "TLS handshake refused: no certificate type of the %s's is common", who);
}

static enum result handshake_new(struct tls_endpoint *endpoint, const struct hello *hello,
    struct handshake **out, struct fault *fault)
{
    struct handshake *handshake CLEANUP(auto_handshake_free) = calloc(1, sizeof(*handshake));
    enum certificate_type ours;

    if (!handshake || wc_InitSha256(&handshake->transcript) != 0)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    if (!choose_type(hello->client_types, tls_endpoint_takes(endpoint), &handshake->type))
        return no_common_type(fault, "initiator");
    if (!choose_type(hello->server_types, tls_endpoint_has(endpoint), &ours))
        return no_common_type(fault, "terminating end-point");
    handshake->engine = wolfSSL_new(tls_endpoint_engine(endpoint, ours));
    if (!handshake->engine)
        return fault_set(fault, RESULT_NO_MEMORY, "the TLS engine is out of memory");
    if (handshake->type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY &&
        !engine_take_raw_public_key(handshake->engine))
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
    wolfSSL_SetIOReadCtx(handshake->engine, &handshake->io);
    wolfSSL_SetIOWriteCtx(handshake->engine, &handshake->io);
    wolfSSL_SetEccVerifyCtx(handshake->engine, &handshake->verified);
    wolfSSL_KeepArrays(handshake->engine); /* the exporter needs them after the handshake */
    *out = TAKE_PTR(handshake);
    return RESULT_OK;
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

enum result handshake_start(struct tls_endpoint *endpoint, struct bytes message1,
    const struct hello *hello, struct handshake **out, struct buffer *message2, struct fault *fault)
{
    struct handshake *handshake CLEANUP(auto_handshake_free) = NULL;
    size_t before = message2->size;
    enum result result = handshake_new(endpoint, hello, &handshake, fault);

    if (!handshake)
        return result;
    if (engine_run(handshake->engine, wolfSSL_accept, &handshake->io, message1, message2, fault) !=
        ENGINE_WANTS_MORE)
        return fault->result;
    if (wc_Sha256Update(
            &handshake->transcript, hello->handshake.data, (word32)hello->handshake.size) != 0 ||
        !hash_message2(
            &handshake->transcript, bytes_of(message2->data + before, message2->size - before)))
        return fault_set(fault, RESULT_INTERNAL, "the TLS engine wrote an odd Message 2");
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

enum result handshake_finish(struct handshake *handshake, struct bytes message3,
    struct buffer *message4, struct exported_key *exported, struct fault *fault)
{
    switch (
        engine_run(handshake->engine, wolfSSL_accept, &handshake->io, message3, message4, fault)) {
    case ENGINE_DONE:
        break;
    case ENGINE_WANTS_MORE:
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNEXPECTED_MESSAGE,
            "TLS handshake refused: Message 3 does not finish it");
    case ENGINE_FAILED:
        return fault->result;
    }
    if (!handshake->verified.used) /* never: the engine asks about every CertificateVerify */
        return fault_set_alert(fault, RESULT_INTERNAL, TLS_ALERT_INTERNAL_ERROR,
            "the TLS engine did not check CertificateVerify");
    return engine_export(handshake->engine, exported, fault);
}

uint16_t handshake_cipher_suite(const struct handshake *handshake)
{
    return (uint16_t)wolfSSL_get_current_cipher_suite(handshake->engine);
}
