/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/message.h"

#include <string.h>

#include "x509/p256.h"

#define NAMED_CURVE             3  /* ECCurveType (RFC 8422 5.4) */
#define TYPE_ECDSA_SIGN         64 /* ClientCertificateType (RFC 8422 5.5) */
#define HANDSHAKE_HEADER_OCTETS 4

/* What fault texts call a record of TYPE. */
static const char *record_type_name(uint8_t type)
{
    switch (type) {
    case RECORD_CHANGE_CIPHER_SPEC:
        return "a ChangeCipherSpec";
    case RECORD_ALERT:
        return "an alert";
    case RECORD_HANDSHAKE:
        return "a handshake record";
    default:
        return "a record of another type";
    }
}

static enum result other_version(const char *name, struct fault *fault)
{
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_PROTOCOL_VERSION,
        "%s holds a record of another version than TLS 1.2", name);
}

/* Joins the handshake octets of the records at the front of MESSAGE in STORAGE (TLS_HANDSHAKE_MAX).
 * Stops before the first record of another type, which stays in MESSAGE. The records of a
 * ClientHello may have any minor version (RFC 5246 E.1): then ANY_VERSION. */
static enum result gather_handshake(struct bytes *message, bool any_version, uint8_t *storage,
    struct bytes *out, const char *name, struct fault *fault)
{
    size_t size = 0;

    while (message->size > 0) {
        struct bytes rest = *message;
        struct record record;

        if (record_overflows(rest, RECORD_PLAINTEXT_MAX))
            return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_RECORD_OVERFLOW,
                "%s holds a record of more than %d octets", name, RECORD_PLAINTEXT_MAX);
        if (!record_take(&rest, &record))
            return fault_set(fault, RESULT_BAD_MESSAGE, "%s is not whole TLS records", name);
        if (record.type != RECORD_HANDSHAKE)
            break;
        if (record.version != TLS_1_2 && !any_version)
            return other_version(name, fault);
        if (record.fragment.size > TLS_HANDSHAKE_MAX - size)
            return fault_set(fault, RESULT_BAD_MESSAGE, "%s holds more than %d handshake octets",
                name, TLS_HANDSHAKE_MAX);
        memcpy(storage + size, record.fragment.data, record.fragment.size);
        size += record.fragment.size;
        *message = rest;
    }
    *out = bytes_of(storage, size);
    return RESULT_OK;
}

/* The next handshake message of TYPE: WHOLE with its header, BODY without. */
static bool take_handshake(
    struct bytes *handshake, uint8_t type, struct bytes *whole, struct bytes *body)
{
    struct bytes rest = *handshake;
    uint8_t found;

    if (!bytes_take_u8(&rest, &found) || found != type || !bytes_take_block_24(&rest, body))
        return false;
    *whole = bytes_of(handshake->data, handshake->size - rest.size);
    *handshake = rest;
    return true;
}

bool message_is_message1(struct bytes message)
{
    struct record record;

    return record_take(&message, &record) && record.type == RECORD_HANDSHAKE &&
           record.fragment.data[0] == HANDSHAKE_CLIENT_HELLO;
}

enum result message1_read(struct bytes message, struct message1 *out, struct fault *fault)
{
    struct bytes handshake, body;

    TRY(gather_handshake(&message, true, out->storage, &handshake, "Message 1", fault));
    if (message.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 1 is to be a ClientHello alone, but holds %s",
            record_type_name(message.data[0]));
    if (!take_handshake(&handshake, HANDSHAKE_CLIENT_HELLO, &out->handshake, &body))
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 1 does not hold a whole ClientHello");
    if (handshake.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 1 goes on after its ClientHello");
    return hello_read(body, &out->hello, fault);
}

static enum result certificate_malformed(struct fault *fault)
{
    return fault_set_alert(
        fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR, "malformed Certificate message");
}

/* certificate_list (RFC 5246 7.4.2). */
enum result message_read_chain(struct bytes body, struct bytes chain[PATH_CERTIFICATES_MAX],
    size_t *count, struct fault *fault)
{
    struct bytes list;

    *count = 0;
    if (!bytes_take_block_24(&body, &list) || body.size > 0)
        return certificate_malformed(fault);
    while (list.size > 0) {
        if (*count == PATH_CERTIFICATES_MAX)
            return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
                "more than %d certificates presented", PATH_CERTIFICATES_MAX);
        if (!bytes_take_block_24(&list, &chain[*count]) || chain[*count].size == 0)
            return certificate_malformed(fault);
        (*count)++;
    }
    return RESULT_OK;
}

/* ASN.1_subjectPublicKeyInfo (RFC 7250 3): one key, without a list around it. */
enum result message_read_public_key(struct bytes body, struct public_key *out, struct fault *fault)
{
    struct bytes spki;

    if (!bytes_take_block_24(&body, &spki) || body.size > 0)
        return certificate_malformed(fault);
    if (!public_key_parse(spki, out))
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "what is presented is not a raw public key: an uncompressed point on P-256 "
            "(RFC 7250 3, TS-0003 10.1)");
    return RESULT_OK;
}

/* ECPoint (RFC 8422 5.4) */
static enum result check_point(struct bytes point, const char *name, struct fault *fault)
{
    if (!ecdsa_is_point(point))
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_ILLEGAL_PARAMETER,
            "%s does not hold an uncompressed point on P-256 (RFC 8422 5.11)", name);
    return RESULT_OK;
}

static enum result read_client_key_exchange(struct bytes body, struct fault *fault)
{
    struct bytes point;

    if (!bytes_take_block_8(&body, &point) || body.size > 0)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR,
            "malformed ClientKeyExchange message");
    return check_point(point, "ClientKeyExchange", fault);
}

/* DigitallySigned (RFC 5246 4.7), with the one algorithm that either side offers. */
static enum result read_signed(
    struct bytes *body, struct bytes *signature, const char *name, struct fault *fault)
{
    uint16_t algorithm;

    if (!bytes_take_u16(body, &algorithm) || !bytes_take_block_16(body, signature) ||
        body->size > 0)
        return fault_set_alert(
            fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR, "malformed %s message", name);
    if (algorithm != SIGNATURE_ECDSA_SHA256)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_ILLEGAL_PARAMETER,
            "%s is not signed with ECDSA and SHA-256", name);
    return RESULT_OK;
}

/* Checks the records at the end of Message 3: ChangeCipherSpec, then Finished, which is encrypted
 * and may be cut into several records. */
static enum result check_end(struct bytes message, struct fault *fault)
{
    struct record record = {0};
    bool good = record_take(&message, &record) && record.type == RECORD_CHANGE_CIPHER_SPEC &&
                bytes_equal(record.fragment, bytes_of("\1", 1)) && message.size > 0;
    bool same_version = record.version == TLS_1_2;

    while (good && message.size > 0) {
        if (record_overflows(message, RECORD_CIPHERTEXT_MAX))
            return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_RECORD_OVERFLOW,
                "Message 3 holds a record of more than %d octets", RECORD_CIPHERTEXT_MAX);
        good = record_take(&message, &record) && record.type == RECORD_HANDSHAKE;
        same_version = same_version && record.version == TLS_1_2;
    }
    if (good && !same_version)
        return other_version("Message 3", fault);
    return good ? RESULT_OK
                : fault_set(fault, RESULT_BAD_MESSAGE,
                      "Message 3 does not end with CertificateVerify, ChangeCipherSpec and "
                      "Finished");
}

enum result message3_read(struct bytes message, struct message3 *out, struct fault *fault)
{
    struct bytes handshake, exchange, verify;
    int alert = message_find_alert(message);

    if (alert != FAULT_NO_ALERT)
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 3 expected, but got the TLS alert %s",
            alert_name(alert));
    TRY(gather_handshake(&message, false, out->storage, &handshake, "Message 3", fault));
    out->handshake = handshake;
    out->end = message;
    if (!take_handshake(&handshake, HANDSHAKE_CERTIFICATE, &out->certificate, &out->presented) ||
        !take_handshake(&handshake, HANDSHAKE_CLIENT_KEY_EXCHANGE, &out->key_exchange, &exchange))
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 3 does not begin with Certificate and ClientKeyExchange");
    if (bytes_equal(out->presented, bytes_of("\0\0\0", 3))) /* an empty list, or no key */
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the initiator presents no certificate");
    if (!take_handshake(&handshake, HANDSHAKE_CERTIFICATE_VERIFY, &out->verify, &verify) ||
        handshake.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 3 does not end with CertificateVerify, ChangeCipherSpec and Finished");
    TRY(check_end(message, fault));
    TRY(read_client_key_exchange(exchange, fault));
    return read_signed(&verify, &out->signature, "CertificateVerify", fault);
}

static enum certificate_type type_of(struct bytes body)
{
    return bytes_equal(body, bytes_of("\2", 1)) ? CERTIFICATE_TYPE_RAW_PUBLIC_KEY
                                                : CERTIFICATE_TYPE_X509;
}

/* Whether a ClientHello of ours may hold EXTENSION: ServerHello may have no others (RFC 5246
 * 7.4.1.4). */
static bool is_offered(uint16_t extension)
{
    static const uint16_t offered[] = {EXTENSION_SERVER_NAME, EXTENSION_SUPPORTED_GROUPS,
        EXTENSION_POINT_FORMATS, EXTENSION_SIGNATURE_ALGORITHMS, EXTENSION_CLIENT_CERTIFICATE_TYPE,
        EXTENSION_SERVER_CERTIFICATE_TYPE, EXTENSION_ENCRYPT_THEN_MAC,
        EXTENSION_EXTENDED_MASTER_SECRET};

    for (size_t i = 0; i < ARRAY_SIZE(offered); i++)
        if (offered[i] == extension)
            return true;
    return false;
}

/* Reads the extensions at the end of ServerHello. The engine checks the rest of it. */
static enum result read_server_hello(struct bytes body, struct message2 *out, struct fault *fault)
{
    struct bytes part;
    struct bytes extensions;
    uint16_t type;

    out->extended_master_secret = false;
    out->client_type = out->server_type = CERTIFICATE_TYPE_X509;
    if (!bytes_take(&body, 34, &part) || !bytes_take_block_8(&body, &part) ||
        !bytes_take(&body, 3, &part) || !bytes_take_block_16(&body, &extensions))
        return RESULT_OK; /* without extensions, or malformed */
    while (bytes_take_u16(&extensions, &type) && bytes_take_block_16(&extensions, &part)) {
        if (!is_offered(type)) /* RFC 5246 7.4.1.4 */
            return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_EXTENSION,
                "ServerHello holds the extension %u, which was not offered", type);
        if (type == EXTENSION_EXTENDED_MASTER_SECRET)
            out->extended_master_secret = true;
        else if (type == EXTENSION_CLIENT_CERTIFICATE_TYPE)
            out->client_type = type_of(part);
        else if (type == EXTENSION_SERVER_CERTIFICATE_TYPE)
            out->server_type = type_of(part);
    }
    return RESULT_OK;
}

/* RFC 5246 7.4.4: checks that what we present can be accepted: an ECDSA key (RFC 8422 5.5), and the
 * one signature algorithm that it signs with. */
static enum result read_certificate_request(struct bytes body, struct fault *fault)
{
    struct bytes types, algorithms, authorities;
    uint16_t algorithm;

    if (!bytes_take_block_8(&body, &types) || types.size == 0 ||
        !bytes_take_block_16(&body, &algorithms) || algorithms.size == 0 ||
        algorithms.size % 2 != 0 || !bytes_take_block_16(&body, &authorities) || body.size > 0)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR,
            "malformed CertificateRequest message");
    bool taken = memchr(types.data, TYPE_ECDSA_SIGN, types.size) != NULL;
    while (taken && bytes_take_u16(&algorithms, &algorithm))
        if (algorithm == SIGNATURE_ECDSA_SHA256)
            return RESULT_OK;
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
        "the terminating end-point does not take ECDSA with SHA-256 from us");
}

/* ServerECDHParams and their signature (RFC 8422 5.4). */
static enum result read_server_key_exchange(struct bytes body, struct fault *fault)
{
    struct bytes point, signature;
    uint8_t curve_type;
    uint16_t curve;

    if (!bytes_take_u8(&body, &curve_type) || !bytes_take_u16(&body, &curve) ||
        !bytes_take_block_8(&body, &point))
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR,
            "malformed ServerKeyExchange message");
    if (curve_type != NAMED_CURVE || curve != GROUP_SECP256R1)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_ILLEGAL_PARAMETER,
            "ServerKeyExchange is not on secp256r1 (P-256)");
    TRY(check_point(point, "ServerKeyExchange", fault));
    return read_signed(&body, &signature, "ServerKeyExchange", fault);
}

enum result message2_read(struct bytes message, struct message2 *out, struct fault *fault)
{
    struct bytes handshake, whole, hello, exchange, request, unread;
    int alert = message_find_alert(message);

    if (alert != FAULT_NO_ALERT)
        return fault_set(fault, RESULT_TLS_REFUSED, "the terminating end-point sent the alert %s",
            alert_name(alert));
    TRY(gather_handshake(&message, false, out->storage, &handshake, "Message 2", fault));
    out->handshake = handshake;
    if (message.size > 0 || !take_handshake(&handshake, HANDSHAKE_SERVER_HELLO, &whole, &hello) ||
        !take_handshake(&handshake, HANDSHAKE_CERTIFICATE, &whole, &out->certificate) ||
        !take_handshake(&handshake, HANDSHAKE_SERVER_KEY_EXCHANGE, &whole, &exchange))
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 2 does not begin with ServerHello, Certificate and ServerKeyExchange");
    if (!take_handshake(&handshake, HANDSHAKE_CERTIFICATE_REQUEST, &whole, &request))
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the terminating end-point does not ask for our certificate");
    if (!take_handshake(&handshake, HANDSHAKE_SERVER_HELLO_DONE, &whole, &unread) ||
        unread.size > 0 || handshake.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 2 does not end with ServerHelloDone");
    TRY(read_server_hello(hello, out, fault));
    TRY(read_server_key_exchange(exchange, fault));
    return read_certificate_request(request, fault);
}

int message_find_alert(struct bytes message)
{
    struct record record;

    while (record_take(&message, &record)) {
        if (record.type == RECORD_CHANGE_CIPHER_SPEC)
            break; /* from here on alerts are encrypted */
        if (record.type == RECORD_ALERT && record.fragment.size == 2)
            return record.fragment.data[1];
    }
    return FAULT_NO_ALERT;
}

void message_write_alert(int description, uint8_t out[TLS_ALERT_RECORD_OCTETS])
{
    const uint8_t record[TLS_ALERT_RECORD_OCTETS] = {
        RECORD_ALERT, 3, 3, 0, 2, 2 /* fatal */, (uint8_t)description};

    memcpy(out, record, sizeof(record));
}

static enum result write_record(struct bytes fragment, struct buffer *out)
{
    const uint8_t header[] = {RECORD_HANDSHAKE, TLS_1_2 >> 8, TLS_1_2 & 0xff,
        (uint8_t)(fragment.size >> 8), (uint8_t)fragment.size};

    TRY(buffer_append(out, header, sizeof(header)));
    return buffer_append(out, fragment.data, fragment.size);
}

enum result message_write_handshake(struct bytes handshake, struct buffer *out)
{
    struct bytes rest = handshake, body, fragment;
    uint8_t type;

    while (bytes_take_u8(&rest, &type) && bytes_take_block_24(&rest, &body)) {
        struct bytes message =
            bytes_of(body.data - HANDSHAKE_HEADER_OCTETS, body.size + HANDSHAKE_HEADER_OCTETS);

        while (message.size > 0) {
            size_t size = message.size < RECORD_PLAINTEXT_MAX ? message.size : RECORD_PLAINTEXT_MAX;
            TRY(bytes_take(&message, size, &fragment) ? write_record(fragment, out)
                                                      : RESULT_INTERNAL);
        }
    }
    return RESULT_OK;
}
