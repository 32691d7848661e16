/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/record.h"

#include <string.h>

#define HANDSHAKE_CLIENT_HELLO        1
#define HANDSHAKE_SERVER_HELLO        2
#define HANDSHAKE_CERTIFICATE         11
#define HANDSHAKE_CERTIFICATE_VERIFY  15
#define HANDSHAKE_CLIENT_KEY_EXCHANGE 16

#define EXTENSION_SERVER_NAME             0
#define EXTENSION_CLIENT_CERTIFICATE_TYPE 19
#define EXTENSION_SERVER_CERTIFICATE_TYPE 20
#define EXTENSION_EXTENDED_MASTER_SECRET  23
#define EXTENSION_SUPPORTED_VERSIONS      43

#define TLS_1_2                0x0303
#define SIGNATURE_ECDSA_SHA256 0x0403 /* SignatureAndHashAlgorithm: sha256, ecdsa */

#define RECORD_HEADER_OCTETS     5
#define RECORD_FRAGMENT_MAX      (16384 + 2048) /* RFC 5246 6.2.3 */
#define HANDSHAKE_EXTENSIONS_MAX 64

bool record_take(struct bytes *message, struct record *out)
{
    struct bytes rest = *message;
    uint8_t major;
    uint8_t minor;

    if (!bytes_take_u8(&rest, &out->type) || !bytes_take_u8(&rest, &major) ||
        !bytes_take_u8(&rest, &minor) || !bytes_take_block_16(&rest, &out->fragment))
        return false;
    if (major != 3 || minor > 3 || out->fragment.size == 0 ||
        out->fragment.size > RECORD_FRAGMENT_MAX)
        return false;
    *message = rest;
    return true;
}

/* What a stranger to the flight is called in messages. */
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

/* Handshake octets of the records at the front of MESSAGE, joined in STORAGE (TLS_HANDSHAKE_MAX).
 * Stops before the first record of another type, which stays in MESSAGE. */
static enum result gather_handshake(struct bytes *message, uint8_t *storage, struct bytes *out,
    const char *name, struct fault *fault)
{
    size_t size = 0;

    while (message->size > 0) {
        struct bytes rest = *message;
        struct record record;

        if (!record_take(&rest, &record))
            return fault_set(fault, RESULT_BAD_MESSAGE, "%s is not whole TLS records", name);
        if (record.type != RECORD_HANDSHAKE)
            break;
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

static enum result hello_malformed(struct fault *fault, const char *what)
{
    return fault_set_alert(
        fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR, "malformed ClientHello: %s", what);
}

/* RFC 6066 3: one host_name, an LDH name. */
static enum result read_server_name(struct bytes body, struct hello *hello, struct fault *fault)
{
    struct bytes list;
    struct bytes name;
    uint8_t type;

    if (!bytes_take_block_16(&body, &list) || body.size > 0 || !bytes_take_u8(&list, &type) ||
        !bytes_take_block_16(&list, &name) || list.size > 0 || type != 0)
        return hello_malformed(fault, "server_name");
    if (name.size == 0 || name.size >= sizeof(hello->server_name))
        return hello_malformed(fault, "server_name is empty or too long");
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return hello_malformed(fault, "server_name is no host name");
        hello->server_name[i] = (char)c;
    }
    hello->server_name[name.size] = '\0';
    return RESULT_OK;
}

/* RFC 7250 3. */
static enum result read_certificate_types(
    struct bytes body, struct bytes *types, struct fault *fault)
{
    if (!bytes_take_block_8(&body, types) || body.size > 0 || types->size == 0)
        return hello_malformed(fault, "certificate_type");
    return RESULT_OK;
}

/* RFC 8446 4.2.1: when the initiator lists versions, TLS 1.2 has to be among them. */
static enum result read_versions(struct bytes body, struct fault *fault)
{
    struct bytes list;
    uint16_t version;

    if (!bytes_take_block_8(&body, &list) || body.size > 0)
        return hello_malformed(fault, "supported_versions");
    while (bytes_take_u16(&list, &version))
        if (version == TLS_1_2)
            return RESULT_OK;
    return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_PROTOCOL_VERSION,
        "the initiator does not offer TLS 1.2");
}

static enum result read_extension(
    uint16_t type, struct bytes body, struct hello *hello, struct fault *fault)
{
    switch (type) {
    case EXTENSION_SERVER_NAME:
        return read_server_name(body, hello, fault);
    case EXTENSION_CLIENT_CERTIFICATE_TYPE:
        return read_certificate_types(body, &hello->client_types, fault);
    case EXTENSION_SERVER_CERTIFICATE_TYPE:
        return read_certificate_types(body, &hello->server_types, fault);
    case EXTENSION_EXTENDED_MASTER_SECRET:
        hello->extended_master_secret = true;
        return body.size == 0 ? RESULT_OK : hello_malformed(fault, "extended_master_secret");
    case EXTENSION_SUPPORTED_VERSIONS:
        return read_versions(body, fault);
    default:
        return RESULT_OK; /* the engine's business */
    }
}

static enum result read_extensions(
    struct bytes extensions, struct hello *hello, struct fault *fault)
{
    uint16_t seen[HANDSHAKE_EXTENSIONS_MAX];
    size_t count = 0;

    while (extensions.size > 0) {
        uint16_t type;
        struct bytes body;

        if (!bytes_take_u16(&extensions, &type) || !bytes_take_block_16(&extensions, &body))
            return hello_malformed(fault, "extensions");
        if (count == HANDSHAKE_EXTENSIONS_MAX)
            return hello_malformed(fault, "too many extensions");
        for (size_t i = 0; i < count; i++)
            if (seen[i] == type)
                return hello_malformed(fault, "an extension stands twice");
        seen[count++] = type;

        enum result result = read_extension(type, body, hello, fault);
        if (result != RESULT_OK)
            return result;
    }
    return RESULT_OK;
}

/* RFC 5246 7.4.1.2. */
static enum result read_client_hello(struct bytes body, struct hello *hello, struct fault *fault)
{
    uint16_t version;
    struct bytes random;
    struct bytes session;
    struct bytes suites;
    struct bytes compressions;
    struct bytes extensions = {0};

    if (!bytes_take_u16(&body, &version) || !bytes_take(&body, 32, &random) ||
        !bytes_take_block_8(&body, &session) || session.size > 32 ||
        !bytes_take_block_16(&body, &suites) || suites.size < 2 || suites.size % 2 != 0 ||
        !bytes_take_block_8(&body, &compressions) || compressions.size == 0)
        return hello_malformed(fault, "too short");
    if (body.size > 0 && (!bytes_take_block_16(&body, &extensions) || body.size > 0))
        return hello_malformed(fault, "extensions");
    if (version < TLS_1_2)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_PROTOCOL_VERSION,
            "the initiator does not offer TLS 1.2");
    if (!memchr(compressions.data, 0, compressions.size))
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the initiator does not offer null compression");
    return read_extensions(extensions, hello, fault);
}

enum result record_parse_message1(struct bytes message, struct hello *out, struct fault *fault)
{
    struct bytes handshake;
    struct bytes body;

    out->server_name[0] = '\0';
    out->extended_master_secret = false;
    out->client_types = out->server_types = (struct bytes){0};

    enum result result = gather_handshake(&message, out->storage, &handshake, "Message 1", fault);
    if (result != RESULT_OK)
        return result;
    if (message.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 1 is to be a ClientHello alone, but holds %s",
            record_type_name(message.data[0]));
    if (!take_handshake(&handshake, HANDSHAKE_CLIENT_HELLO, &out->handshake, &body))
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 1 does not hold a whole ClientHello");
    if (handshake.size > 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 1 goes on after its ClientHello");
    return read_client_hello(body, out, fault);
}

static enum result certificate_malformed(struct fault *fault)
{
    return fault_set_alert(
        fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR, "malformed Certificate message");
}

/* certificate_list (RFC 5246 7.4.2). */
enum result record_read_chain(struct bytes body, struct bytes chain[PATH_CERTIFICATES_MAX],
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

/* ASN.1_subjectPublicKeyInfo (RFC 7250 3): one, without a list around it. */
enum result record_read_public_key(struct bytes body, struct public_key *out, struct fault *fault)
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

/* DigitallySigned (RFC 5246 4.7); we asked for ecdsa with sha256 alone. */
static enum result read_verify(struct bytes body, struct message3 *out, struct fault *fault)
{
    uint16_t algorithm;

    if (!bytes_take_u16(&body, &algorithm) || !bytes_take_block_16(&body, &out->signature) ||
        body.size > 0)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_DECODE_ERROR,
            "malformed CertificateVerify message");
    if (algorithm != SIGNATURE_ECDSA_SHA256)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "CertificateVerify is not signed with ECDSA and SHA-256");
    return RESULT_OK;
}

/* [ChangeCipherSpec] and the one encrypted record that Finished is. */
static bool ends_with_finished(struct bytes message)
{
    struct record change;
    struct record finished;

    return record_take(&message, &change) && change.type == RECORD_CHANGE_CIPHER_SPEC &&
           change.fragment.size == 1 && change.fragment.data[0] == 1 &&
           record_take(&message, &finished) && finished.type == RECORD_HANDSHAKE &&
           message.size == 0;
}

enum result record_parse_message3(struct bytes message, struct message3 *out, struct fault *fault)
{
    struct bytes handshake;
    struct bytes body;

    int alert = record_find_alert(message);
    if (alert != FAULT_NO_ALERT)
        return fault_set(fault, RESULT_BAD_MESSAGE, "Message 3 expected, but got the TLS alert %s",
            record_alert_name(alert));
    enum result result = gather_handshake(&message, out->storage, &handshake, "Message 3", fault);
    if (result != RESULT_OK)
        return result;
    if (!take_handshake(&handshake, HANDSHAKE_CERTIFICATE, &out->certificate, &out->presented) ||
        !take_handshake(&handshake, HANDSHAKE_CLIENT_KEY_EXCHANGE, &out->key_exchange, &body))
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 3 does not begin with Certificate and ClientKeyExchange");
    if (bytes_equal(out->presented, bytes_of("\0\0\0", 3))) /* whatever type it was to be of */
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the initiator presents no certificate");
    if (!take_handshake(&handshake, HANDSHAKE_CERTIFICATE_VERIFY, &out->verify, &body) ||
        handshake.size > 0 || !ends_with_finished(message))
        return fault_set(fault, RESULT_BAD_MESSAGE,
            "Message 3 does not end with CertificateVerify, ChangeCipherSpec and Finished");
    return read_verify(body, out, fault);
}

static enum certificate_type type_of(struct bytes body)
{
    return bytes_equal(body, bytes_of("\2", 1)) ? CERTIFICATE_TYPE_RAW_PUBLIC_KEY
                                                : CERTIFICATE_TYPE_X509;
}

/* The extensions that ServerHello ends with; the rest of it is the engine's business. */
static void read_server_hello(struct bytes body, struct message2 *out)
{
    struct bytes part;
    struct bytes extensions;
    uint16_t type;

    out->extended_master_secret = false;
    out->client_type = out->server_type = CERTIFICATE_TYPE_X509;
    if (!bytes_take(&body, 34, &part) || !bytes_take_block_8(&body, &part) ||
        !bytes_take(&body, 3, &part) || !bytes_take_block_16(&body, &extensions))
        return;
    while (bytes_take_u16(&extensions, &type) && bytes_take_block_16(&extensions, &part)) {
        if (type == EXTENSION_EXTENDED_MASTER_SECRET)
            out->extended_master_secret = true;
        else if (type == EXTENSION_CLIENT_CERTIFICATE_TYPE)
            out->client_type = type_of(part);
        else if (type == EXTENSION_SERVER_CERTIFICATE_TYPE)
            out->server_type = type_of(part);
    }
}

enum result record_parse_message2(struct bytes message, struct message2 *out, struct fault *fault)
{
    struct bytes handshake;
    struct bytes whole;
    struct bytes hello;

    int alert = record_find_alert(message);
    if (alert != FAULT_NO_ALERT)
        return fault_set(fault, RESULT_TLS_REFUSED, "the terminating end-point sent the alert %s",
            record_alert_name(alert));
    enum result result = gather_handshake(&message, out->storage, &handshake, "Message 2", fault);
    if (result != RESULT_OK)
        return result;
    if (message.size > 0 || !take_handshake(&handshake, HANDSHAKE_SERVER_HELLO, &whole, &hello) ||
        !take_handshake(&handshake, HANDSHAKE_CERTIFICATE, &whole, &out->certificate))
        return fault_set(
            fault, RESULT_BAD_MESSAGE, "Message 2 does not begin with ServerHello and Certificate");
    read_server_hello(hello, out);
    return RESULT_OK;
}

int record_find_alert(struct bytes message)
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

void record_write_alert(int description, uint8_t out[TLS_ALERT_RECORD_OCTETS])
{
    const uint8_t record[TLS_ALERT_RECORD_OCTETS] = {
        RECORD_ALERT, 3, 3, 0, 2, 2 /* fatal */, (uint8_t)description};

    memcpy(out, record, sizeof(record));
}

const char *record_alert_name(int description)
{
    static const struct {
        int description;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {TLS_ALERT_UNEXPECTED_MESSAGE, "unexpected_message"},
        {20, "bad_record_mac"},
        {22, "record_overflow"},
        {TLS_ALERT_HANDSHAKE_FAILURE, "handshake_failure"},
        {TLS_ALERT_BAD_CERTIFICATE, "bad_certificate"},
        {TLS_ALERT_UNSUPPORTED_CERTIFICATE, "unsupported_certificate"},
        {TLS_ALERT_CERTIFICATE_REVOKED, "certificate_revoked"},
        {TLS_ALERT_CERTIFICATE_EXPIRED, "certificate_expired"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {TLS_ALERT_UNKNOWN_CA, "unknown_ca"},
        {TLS_ALERT_ACCESS_DENIED, "access_denied"},
        {TLS_ALERT_DECODE_ERROR, "decode_error"},
        {TLS_ALERT_DECRYPT_ERROR, "decrypt_error"},
        {TLS_ALERT_PROTOCOL_VERSION, "protocol_version"},
        {71, "insufficient_security"},
        {TLS_ALERT_INTERNAL_ERROR, "internal_error"},
        {110, "unsupported_extension"},
        {TLS_ALERT_UNRECOGNIZED_NAME, "unrecognized_name"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].description == description)
            return names[i].name;
    return "unknown alert";
}
