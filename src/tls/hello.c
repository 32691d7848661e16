/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/hello.h"

#include <string.h>

#include "base/alert.h"

#define RANDOM_OCTETS         32
#define SESSION_ID_OCTETS_MAX 32
#define RENEGOTIATION_SCSV    0x00ff /* RFC 5746 3.3 */
#define POINT_UNCOMPRESSED    0      /* ECPointFormat (RFC 8422 5.1.2) */

#define REFUSE(fault, alert, ...) fault_set_alert(fault, RESULT_TLS_REFUSED, alert, __VA_ARGS__)

static enum result malformed(struct fault *fault, const char *what)
{
    return REFUSE(fault, TLS_ALERT_DECODE_ERROR, "malformed ClientHello: %s", what);
}

/* Whether WANTED is in LIST, which holds numbers of two octets each. */
static bool holds_u16(struct bytes list, uint16_t wanted)
{
    uint16_t number;

    while (bytes_take_u16(&list, &number))
        if (number == wanted)
            return true;
    return false;
}

/* --- extensions --- */

/* RFC 6066 3: a host name of letters, digits and hyphens, without a dot at its end. The caller
 * looks for the end-point of that name. */
static enum result read_host_name(struct bytes name, struct hello *out, struct fault *fault)
{
    if (name.size == 0)
        return malformed(fault, "server_name is empty");
    if (memchr(name.data, '\0', name.size))
        return REFUSE(fault, TLS_ALERT_ILLEGAL_PARAMETER, "server_name holds a NUL");
    if (name.size >= sizeof(out->server_name))
        return REFUSE(fault, TLS_ALERT_UNRECOGNIZED_NAME, "server_name is too long");
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return REFUSE(fault, TLS_ALERT_UNRECOGNIZED_NAME, "server_name is no host name");
        out->server_name[i] = (char)c;
    }
    out->server_name[name.size] = '\0';
    return RESULT_OK;
}

/* RFC 6066 3: at most one name of each type. Names of types to come begin with a length of 16 bits
 * too, so that they can be ignored. */
static enum result read_server_name(struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes list, name;
    uint8_t type;

    if (!bytes_take_block_16(&body, &list) || body.size > 0 || list.size == 0)
        return malformed(fault, "server_name");
    while (list.size > 0) {
        if (!bytes_take_u8(&list, &type) || !bytes_take_block_16(&list, &name))
            return malformed(fault, "server_name");
        if (type != 0)
            continue;
        if (out->server_name[0] != '\0')
            return REFUSE(fault, TLS_ALERT_ILLEGAL_PARAMETER, "server_name holds two host names");
        TRY(read_host_name(name, out, fault));
    }
    return RESULT_OK;
}

/* Takes LIST, one or more numbers of two octets each, from BODY, of which it has to be the whole
 * content. */
static bool take_list_u16(struct bytes body, struct bytes *list)
{
    return bytes_take_block_16(&body, list) && body.size == 0 && list->size > 0 &&
           list->size % 2 == 0;
}

/* RFC 8422 5.1.1 */
static enum result read_groups(struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes list;

    if (!take_list_u16(body, &list))
        return malformed(fault, "supported_groups");
    out->groups = holds_u16(list, GROUP_SECP256R1);
    return out->groups
               ? RESULT_OK
               : REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE,
                     "TLS handshake refused: the initiator does not offer secp256r1 (P-256)");
}

/* RFC 8422 5.1.2 */
static enum result read_point_formats(struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes list;

    if (!bytes_take_block_8(&body, &list) || body.size > 0 || list.size == 0)
        return malformed(fault, "ec_point_formats");
    out->point_formats = memchr(list.data, POINT_UNCOMPRESSED, list.size) != NULL;
    return out->point_formats ? RESULT_OK
                              : REFUSE(fault, TLS_ALERT_ILLEGAL_PARAMETER,
                                    "ec_point_formats lacks uncompressed (RFC 8422 5.1.2)");
}

/* RFC 5246 7.4.1.4.1 */
static enum result read_signature_algorithms(
    struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes list;

    (void)out;
    if (!take_list_u16(body, &list))
        return malformed(fault, "signature_algorithms");
    return holds_u16(list, SIGNATURE_ECDSA_SHA256)
               ? RESULT_OK
               : REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE,
                     "TLS handshake refused: the initiator does not take ECDSA with SHA-256");
}

/* RFC 7250 3 */
static enum result read_types(struct bytes body, struct bytes *types, struct fault *fault)
{
    if (!bytes_take_block_8(&body, types) || body.size > 0 || types->size == 0)
        return malformed(fault, "certificate_type");
    return RESULT_OK;
}

static enum result read_client_types(struct bytes body, struct hello *out, struct fault *fault)
{
    return read_types(body, &out->client_types, fault);
}

static enum result read_server_types(struct bytes body, struct hello *out, struct fault *fault)
{
    return read_types(body, &out->server_types, fault);
}

static enum result read_encrypt_then_mac(struct bytes body, struct hello *out, struct fault *fault)
{
    out->encrypt_then_mac = true;
    return body.size == 0 ? RESULT_OK : malformed(fault, "encrypt_then_mac");
}

static enum result read_extended_master_secret(
    struct bytes body, struct hello *out, struct fault *fault)
{
    out->extended_master_secret = true;
    return body.size == 0 ? RESULT_OK : malformed(fault, "extended_master_secret");
}

/* RFC 8446 4.2.1: where the initiator lists versions, TLS 1.2 has to be among them. */
static enum result read_versions(struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes list;

    (void)out;
    if (!bytes_take_block_8(&body, &list) || body.size > 0 || list.size == 0 || list.size % 2 != 0)
        return malformed(fault, "supported_versions");
    return holds_u16(list, TLS_1_2)
               ? RESULT_OK
               : REFUSE(fault, TLS_ALERT_PROTOCOL_VERSION, "the initiator does not offer TLS 1.2");
}

/* RFC 5746 3.6: empty in the first handshake of a connection, which ours always is. */
static enum result read_renegotiation_info(
    struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes verify_data;

    if (!bytes_take_block_8(&body, &verify_data) || body.size > 0)
        return malformed(fault, "renegotiation_info");
    out->secure_renegotiation = true;
    return verify_data.size == 0 ? RESULT_OK
                                 : REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE,
                                       "renegotiation_info is not empty (RFC 5746 3.6)");
}

static const struct {
    uint16_t type;
    enum result (*read)(struct bytes body, struct hello *out, struct fault *fault);
} extensions_read[] = {
    {EXTENSION_SERVER_NAME, read_server_name},
    {EXTENSION_SUPPORTED_GROUPS, read_groups},
    {EXTENSION_POINT_FORMATS, read_point_formats},
    {EXTENSION_SIGNATURE_ALGORITHMS, read_signature_algorithms},
    {EXTENSION_CLIENT_CERTIFICATE_TYPE, read_client_types},
    {EXTENSION_SERVER_CERTIFICATE_TYPE, read_server_types},
    {EXTENSION_ENCRYPT_THEN_MAC, read_encrypt_then_mac},
    {EXTENSION_EXTENDED_MASTER_SECRET, read_extended_master_secret},
    {EXTENSION_SUPPORTED_VERSIONS, read_versions},
    {EXTENSION_RENEGOTIATION_INFO, read_renegotiation_info},
};

static enum result read_extension(
    uint16_t type, struct bytes body, struct hello *out, struct fault *fault)
{
    for (size_t i = 0; i < ARRAY_SIZE(extensions_read); i++)
        if (extensions_read[i].type == type)
            return extensions_read[i].read(body, out, fault);
    return RESULT_OK; /* RFC 5246 7.4.1.4: unknown ones are ignored */
}

/* One bit for each extension type, so that any number of extensions can be checked. */
struct seen {
    uint8_t bits[65536 / 8];
};

static bool see_twice(struct seen *seen, uint16_t type)
{
    uint8_t bit = (uint8_t)(1U << (type % 8));
    bool before = (seen->bits[type / 8] & bit) != 0;

    seen->bits[type / 8] |= bit;
    return before;
}

static enum result read_extensions(struct bytes extensions, struct hello *out, struct fault *fault)
{
    struct seen seen = {0};
    struct bytes body;
    uint16_t type;

    while (extensions.size > 0) {
        if (!bytes_take_u16(&extensions, &type) || !bytes_take_block_16(&extensions, &body))
            return malformed(fault, "extensions");
        if (see_twice(&seen, type))
            return malformed(fault, "an extension stands twice");
        TRY(read_extension(type, body, out, fault));
    }
    /* Without the extension the initiator takes ECDSA with SHA-1 alone (RFC 5246 7.4.1.4.1). */
    if (!see_twice(&seen, EXTENSION_SIGNATURE_ALGORITHMS))
        return REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE,
            "TLS handshake refused: no signature_algorithms, which stands for ECDSA with SHA-1");
    return RESULT_OK;
}

/* --- ClientHello --- */

enum result hello_read(struct bytes body, struct hello *out, struct fault *fault)
{
    struct bytes session_id, compressions, extensions = {0};
    uint16_t version;

    *out = (struct hello){0};
    if (!bytes_take_u16(&body, &version) || !bytes_take(&body, RANDOM_OCTETS, &out->random) ||
        !bytes_take_block_8(&body, &session_id) || session_id.size > SESSION_ID_OCTETS_MAX ||
        !bytes_take_block_16(&body, &out->suites) || out->suites.size == 0 ||
        out->suites.size % 2 != 0 || !bytes_take_block_8(&body, &compressions) ||
        compressions.size == 0)
        return malformed(fault, "too short");
    if (body.size > 0 && (!bytes_take_block_16(&body, &extensions) || body.size > 0))
        return malformed(fault, "extensions");
    if (version < TLS_1_2) /* a higher one is answered with TLS 1.2 (RFC 5246 E.1) */
        return REFUSE(fault, TLS_ALERT_PROTOCOL_VERSION, "the initiator does not offer TLS 1.2");
    if (!memchr(compressions.data, 0, compressions.size))
        return REFUSE(
            fault, TLS_ALERT_ILLEGAL_PARAMETER, "the initiator does not offer null compression");
    out->secure_renegotiation = holds_u16(out->suites, RENEGOTIATION_SCSV);
    return read_extensions(extensions, out, fault);
}

/* --- the choice --- */

/* Without the extension, the type is X.509 (RFC 7250 4.1). */
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

static bool choose_suite(const struct hello *hello, const struct policy_tls *tls, uint16_t *out)
{
    for (size_t i = 0; i < tls->suite_count; i++) {
        *out = tls->suites[i]->code;
        if (holds_u16(hello->suites, *out))
            return true;
    }
    return false;
}

enum result hello_choose(const struct hello *hello, const struct policy_tls *tls,
    const struct certificate_types *takes, const struct certificate_types *presents,
    struct hello_choice *out, struct fault *fault)
{
    if (!choose_suite(hello, tls, &out->suite))
        return REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE,
            "TLS handshake refused: no ciphersuite of the initiator's is in the policy");
    if (!choose_type(hello->client_types, takes, &out->client_type))
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "TLS handshake refused: no certificate type of the initiator's is common");
    if (!choose_type(hello->server_types, presents, &out->server_type))
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "TLS handshake refused: no certificate type of the terminating end-point's is common");
    return RESULT_OK;
}

/* Appends to octets that have room for all that hello_write puts (HELLO_OCTETS_MAX). */
struct hello_writer {
    uint8_t *at;
};

static void put(struct hello_writer *writer, const void *data, size_t size)
{
    memcpy(writer->at, data, size);
    writer->at += size;
}

static void put_u16(struct hello_writer *writer, size_t number)
{
    const uint8_t octets[] = {(uint8_t)(number >> 8), (uint8_t)number};

    put(writer, octets, sizeof(octets));
}

static void put_extension(struct hello_writer *writer, uint16_t type, struct bytes content)
{
    put_u16(writer, type);
    put_u16(writer, content.size);
    if (content.size > 0)
        put(writer, content.data, content.size);
}

static void put_extensions(
    struct hello_writer *writer, const struct hello *hello, const struct hello_choice *choice)
{
    const uint8_t client_type[] = {1, (uint8_t)choice->client_type};
    const uint8_t server_type[] = {1, (uint8_t)choice->server_type};
    const struct {
        bool offered;
        uint16_t type;
        struct bytes content;
    } extensions[] = {
        {hello->groups, EXTENSION_SUPPORTED_GROUPS, bytes_of("\0\2\0\x17", 4)},
        {hello->point_formats, EXTENSION_POINT_FORMATS, bytes_of("\1\0", 2)},
        {true, EXTENSION_SIGNATURE_ALGORITHMS, bytes_of("\0\2\4\3", 4)},
        {hello->client_types.size > 0, EXTENSION_CLIENT_CERTIFICATE_TYPE, bytes_of(client_type, 2)},
        {hello->server_types.size > 0, EXTENSION_SERVER_CERTIFICATE_TYPE, bytes_of(server_type, 2)},
        {hello->encrypt_then_mac && choice->suite == SUITE_ECDHE_ECDSA_AES_128_CBC_SHA256,
            EXTENSION_ENCRYPT_THEN_MAC, {0}}, /* for CBC only (RFC 7366 3) */
        {hello->extended_master_secret, EXTENSION_EXTENDED_MASTER_SECRET, {0}},
        {hello->secure_renegotiation, EXTENSION_RENEGOTIATION_INFO, bytes_of("\0", 1)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
        if (extensions[i].offered)
            put_extension(writer, extensions[i].type, extensions[i].content);
}

/* Writes into the SIZE octets before START how many octets were written since START. */
static void set_length(const struct hello_writer *writer, uint8_t *start, size_t size)
{
    size_t length = (size_t)(writer->at - start);

    for (size_t i = 1; i <= size; i++, length >>= 8)
        start[-(ptrdiff_t)i] = (uint8_t)length;
}

struct bytes hello_write(
    const struct hello *hello, const struct hello_choice *choice, uint8_t out[HELLO_OCTETS_MAX])
{
    struct hello_writer writer = {out};

    put(&writer, (const uint8_t[]){HANDSHAKE_CLIENT_HELLO, 0, 0, 0}, 4);
    uint8_t *body = writer.at;
    put_u16(&writer, TLS_1_2);
    put(&writer, hello->random.data, hello->random.size);
    put(&writer, "\0", 1); /* no session: every handshake is a full one (TS-0003 8.7.2.2) */
    put_u16(&writer, 2);
    put_u16(&writer, choice->suite);
    put(&writer, "\1\0", 2); /* null compression */
    put_u16(&writer, 0);
    uint8_t *extensions = writer.at;
    put_extensions(&writer, hello, choice);
    set_length(&writer, extensions, 2);
    set_length(&writer, body, 3);
    return bytes_of(out, (size_t)(writer.at - out));
}
