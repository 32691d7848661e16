/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <string.h>

#include "tls/message.h"

/* --- messages, octet by octet --- */

struct octets {
    uint8_t data[70000];
    size_t size;
};

static void put(struct octets *out, const void *data, size_t size)
{
    ck_assert_uint_le(size, sizeof(out->data) - out->size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_number(struct octets *out, size_t number, unsigned octets)
{
    for (unsigned i = octets; i-- > 0;)
        put(out, &(uint8_t){(uint8_t)(number >> (8 * i))}, 1);
}

/* IN behind its length. */
static void put_block(struct octets *out, const struct octets *in, unsigned length_octets)
{
    put_number(out, in->size, length_octets);
    put(out, in->data, in->size);
}

static void put_handshake(struct octets *out, uint8_t type, const struct octets *body)
{
    put_number(out, type, 1);
    put_block(out, body, 3);
}

static void put_record(struct octets *out, uint8_t type, const struct octets *fragment)
{
    put_number(out, type, 1);
    put_number(out, 0x0303, 2);
    put_block(out, fragment, 2);
}

static void put_extension(struct octets *out, uint16_t type, const void *data, size_t size)
{
    put_number(out, type, 2);
    put_number(out, size, 2);
    put(out, data, size);
}

struct hello_parts {
    uint16_t version;
    const char *compressions;
    size_t compression_count;
    unsigned strange_suites; /* before the one that we know */
    struct octets extensions;
};

/* The one extension that every hello needs. */
#define SIGNATURE_ALGORITHMS 13

static struct hello_parts bare_hello(void)
{
    return (struct hello_parts){.version = 0x0303, .compressions = "", .compression_count = 1};
}

static struct hello_parts plain_hello(void)
{
    struct hello_parts parts = bare_hello();

    put_extension(&parts.extensions, SIGNATURE_ALGORITHMS, "\0\2\4\3", 4);
    return parts;
}

static void make_hello(const struct hello_parts *parts, struct octets *body)
{
    static const uint8_t random[32] = {1};

    *body = (struct octets){0};
    put_number(body, parts->version, 2);
    put(body, random, sizeof(random));
    put_number(body, 0, 1);
    put_number(body, 2 * (parts->strange_suites + 1), 2);
    for (unsigned i = 0; i < parts->strange_suites; i++)
        put_number(body, 0x1301, 2);
    put_number(body, 0xc023, 2);
    put_number(body, parts->compression_count, 1);
    put(body, parts->compressions, parts->compression_count);
    if (parts->extensions.size > 0)
        put_block(body, &parts->extensions, 2);
}

static void make_message1(const struct hello_parts *parts, struct octets *message)
{
    static struct octets body;
    static struct octets handshake;

    make_hello(parts, &body);
    handshake = (struct octets){0};
    put_handshake(&handshake, 1, &body);
    *message = (struct octets){0};
    put_record(message, 22, &handshake);
}

static struct message1 first;
static struct message3 third;
static struct fault fault;

static enum result parse1(const struct octets *message)
{
    fault = FAULT_INIT;
    return message1_read(bytes_of(message->data, message->size), &first, &fault);
}

static enum result parse3(const struct octets *message)
{
    fault = FAULT_INIT;
    return message3_read(bytes_of(message->data, message->size), &third, &fault);
}

static struct bytes chain[PATH_CERTIFICATES_MAX];
static size_t chain_count;

static enum result read_chain(struct bytes body)
{
    fault = FAULT_INIT;
    return message_read_chain(body, chain, &chain_count, &fault);
}

/* The generator of P-256, which is a point as good as any. */
static const uint8_t spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

/* Its last octets are the point. */
#define POINT (spki + sizeof(spki) - P256_POINT_OCTETS)

/* Certificate with two entries, ClientKeyExchange with POINT, CertificateVerify of ALGORITHM. */
static void make_handshakes3_with(struct octets *out, struct bytes point, uint16_t algorithm)
{
    static struct octets list;
    static struct octets body;

    list = (struct octets){0};
    put_number(&list, 4, 3);
    put(&list, "leaf", 4);
    put_number(&list, 2, 3);
    put(&list, "ca", 2);
    body = (struct octets){0};
    put_block(&body, &list, 3);
    *out = (struct octets){0};
    put_handshake(out, 11, &body);
    body = (struct octets){0};
    put_number(&body, point.size, 1);
    put(&body, point.data, point.size);
    put_handshake(out, 16, &body);
    body = (struct octets){0};
    put_number(&body, algorithm, 2);
    put_number(&body, 9, 2);
    put(&body, "signature", 9);
    put_handshake(out, 15, &body);
}

static void make_handshakes3(struct octets *out, uint16_t algorithm)
{
    make_handshakes3_with(out, bytes_of(POINT, P256_POINT_OCTETS), algorithm);
}

static void put_finished(struct octets *message)
{
    static struct octets one;
    static struct octets finished;

    one = (struct octets){.data = {1}, .size = 1};
    put_record(message, 20, &one);
    finished = (struct octets){.size = 64};
    put_record(message, 22, &finished);
}

/* --- Message 1 --- */

START_TEST(takes_a_client_hello)
{
    static struct octets message;
    struct hello_parts parts = plain_hello();
    static const uint8_t name[] = "\0\x0e\0\0\x0bIn-Cse.ExaM";
    static const uint8_t types[] = {2, 2, 0};

    put_extension(&parts.extensions, 0, name, sizeof(name) - 1);
    put_extension(&parts.extensions, 23, "", 0);
    put_extension(&parts.extensions, 19, types, sizeof(types));
    make_message1(&parts, &message);
    ck_assert_int_eq(parse1(&message), RESULT_OK);
    ck_assert_str_eq(first.hello.server_name, "in-cse.exam");
    ck_assert(first.hello.extended_master_secret);
    ck_assert(bytes_equal(first.hello.client_types, bytes_of(types + 1, 2)));
    ck_assert_uint_eq(first.hello.server_types.size, 0);
    ck_assert_uint_eq(first.handshake.size, message.size - 5);
}
END_TEST

START_TEST(takes_a_client_hello_in_two_records)
{
    static struct octets message, whole, body, part;
    struct hello_parts parts = plain_hello();

    make_hello(&parts, &body);
    whole = message = (struct octets){0};
    put_handshake(&whole, 1, &body);
    part = (struct octets){0};
    put(&part, whole.data, 10);
    put_record(&message, 22, &part);
    part = (struct octets){0};
    put(&part, whole.data + 10, whole.size - 10);
    put_record(&message, 22, &part);
    ck_assert_int_eq(parse1(&message), RESULT_OK);
    ck_assert_uint_eq(first.handshake.size, whole.size);
    ck_assert_str_eq(first.hello.server_name, "");
}
END_TEST

START_TEST(refuses_every_truncation_and_trailing_octets)
{
    static struct octets message;
    struct hello_parts parts = plain_hello();

    make_message1(&parts, &message);
    size_t whole = message.size;
    for (message.size = 0; message.size < whole; message.size++)
        ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
    put(&message, "x", 1);
    ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
}
END_TEST

START_TEST(refuses_what_is_no_client_hello)
{
    static struct octets message, body;

    body = message = (struct octets){0};
    put_handshake(&body, 2, &(struct octets){.size = 4});
    put_record(&message, 22, &body);
    ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
    message = (struct octets){0};
    put_record(&message, 23, &body);
    ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
}
END_TEST

START_TEST(refuses_hopeless_hellos_with_an_alert)
{
    static struct octets message;
    static const uint8_t only_1_3[] = {2, 3, 4};
    static const uint8_t with_1_2[] = {4, 3, 4, 3, 3};
    struct hello_parts parts = plain_hello();

    parts.version = 0x0302;
    make_message1(&parts, &message);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_PROTOCOL_VERSION);

    parts = plain_hello();
    parts.compressions = "\1";
    make_message1(&parts, &message);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);

    parts = plain_hello();
    put_extension(&parts.extensions, 43, only_1_3, sizeof(only_1_3));
    make_message1(&parts, &message);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_PROTOCOL_VERSION);

    parts = plain_hello();
    put_extension(&parts.extensions, 43, with_1_2, sizeof(with_1_2));
    make_message1(&parts, &message);
    ck_assert_int_eq(parse1(&message), RESULT_OK);
}
END_TEST

START_TEST(refuses_extensions_with_the_alert_of_their_rfc)
{
    static const struct {
        uint16_t type;
        int alert;
        const char *data;
        size_t size;
    } bad[] = {
        {0, TLS_ALERT_DECODE_ERROR, "\0\4\0\0\1a\0", 7},             /* octets after the list */
        {0, TLS_ALERT_DECODE_ERROR, "\0\0", 2},                      /* no name */
        {0, TLS_ALERT_DECODE_ERROR, "\0\3\0\0\0", 5},                /* empty name */
        {0, TLS_ALERT_ILLEGAL_PARAMETER, "\0\6\0\0\3a\0b", 8},       /* NUL in the name */
        {0, TLS_ALERT_ILLEGAL_PARAMETER, "\0\10\0\0\1a\0\0\1b", 10}, /* two host_names */
        {0, TLS_ALERT_UNRECOGNIZED_NAME, "\0\5\0\0\2a*", 7},
        {10, TLS_ALERT_DECODE_ERROR, "", 0},
        {10, TLS_ALERT_DECODE_ERROR, "\0\0", 2},
        {10, TLS_ALERT_DECODE_ERROR, "\0\3\0\x17\0", 5},
        {10, TLS_ALERT_HANDSHAKE_FAILURE, "\0\2\0\x18", 4}, /* secp384r1 alone */
        {11, TLS_ALERT_DECODE_ERROR, "\0", 1},
        {11, TLS_ALERT_ILLEGAL_PARAMETER, "\1\1", 2}, /* compressed alone */
        {19, TLS_ALERT_DECODE_ERROR, "\0", 1},        /* no type */
        {20, TLS_ALERT_DECODE_ERROR, "\2\0", 2},      /* shorter than it says */
        {22, TLS_ALERT_DECODE_ERROR, "x", 1},
        {23, TLS_ALERT_DECODE_ERROR, "x", 1},
        {43, TLS_ALERT_DECODE_ERROR, "\1", 1},
        {43, TLS_ALERT_DECODE_ERROR, "\0", 1},
        {43, TLS_ALERT_DECODE_ERROR, "\3\3\3\3", 4}, /* one and a half */
        {0xff01, TLS_ALERT_DECODE_ERROR, "", 0},
        {0xff01, TLS_ALERT_DECODE_ERROR, "\5abc", 4},
        {0xff01, TLS_ALERT_HANDSHAKE_FAILURE, "\3abc", 4},
    };
    static struct octets message;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hello_parts parts = plain_hello();

        put_extension(&parts.extensions, bad[i].type, bad[i].data, bad[i].size);
        make_message1(&parts, &message);
        ck_assert_msg(parse1(&message) == RESULT_TLS_REFUSED, "kind %zu", i);
        ck_assert_msg(fault.alert == bad[i].alert, "kind %zu: alert %d", i, fault.alert);
    }
    struct hello_parts twice = plain_hello();
    put_extension(&twice.extensions, 99, "", 0);
    put_extension(&twice.extensions, 99, "", 0);
    make_message1(&twice, &message);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);
}
END_TEST

/* RFC 5246 7.4.1.4.1: without the extension it is SHA-1, which we do not sign with. */
START_TEST(refuses_signature_algorithms_without_ours)
{
    static const struct {
        const char *data;
        size_t size;
        int alert;
    } bad[] = {
        {NULL, 0, TLS_ALERT_HANDSHAKE_FAILURE},
        {"\0\0", 2, TLS_ALERT_DECODE_ERROR},
        {"\0\1\4", 3, TLS_ALERT_DECODE_ERROR},
        {"\0\2\4\1", 4, TLS_ALERT_HANDSHAKE_FAILURE},
    };
    static struct octets message;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hello_parts parts = bare_hello();

        if (bad[i].data)
            put_extension(&parts.extensions, SIGNATURE_ALGORITHMS, bad[i].data, bad[i].size);
        else
            put_extension(&parts.extensions, 23, "", 0);
        make_message1(&parts, &message);
        ck_assert_msg(parse1(&message) == RESULT_TLS_REFUSED, "kind %zu", i);
        ck_assert_msg(fault.alert == bad[i].alert, "kind %zu: alert %d", i, fault.alert);
    }
}
END_TEST

/* RFC 6066 3: name types of a later day stand beside the one that is known. */
START_TEST(passes_over_unknown_name_types)
{
    static const uint8_t names[] = "\0\x0d\7\0\2ab\0\0\1c\x09\0\1x";
    struct hello_parts parts = plain_hello();
    static struct octets message;

    put_extension(&parts.extensions, 0, names, sizeof(names) - 1);
    make_message1(&parts, &message);
    ck_assert_msg(parse1(&message) == RESULT_OK, "%s", fault.text);
    ck_assert_str_eq(first.hello.server_name, "c");
}
END_TEST

/* No number of extensions, suites or algorithms is too many by itself. */
START_TEST(takes_as_much_as_fits_a_message)
{
    static struct octets message, list, body, handshake, content;
    static struct hello_parts parts;

    parts = bare_hello();
    parts.strange_suites = 2000;
    list = content = (struct octets){0};
    for (unsigned i = 0; i < 300; i++)
        put_number(&list, 0x0805, 2);
    put_number(&list, 0x0403, 2);
    put_block(&content, &list, 2);
    put_extension(&parts.extensions, SIGNATURE_ALGORITHMS, content.data, content.size);
    for (unsigned i = 0; i < 3000; i++)
        put_extension(&parts.extensions, (uint16_t)(0x4000 + i), "", 0);
    make_hello(&parts, &body);
    handshake = message = (struct octets){0};
    put_handshake(&handshake, 1, &body);
    for (size_t at = 0; at < handshake.size; at += content.size) {
        content = (struct octets){0};
        put(&content, handshake.data + at,
            handshake.size - at < 16384 ? handshake.size - at : 16384);
        put_record(&message, 22, &content);
    }
    ck_assert_msg(parse1(&message) == RESULT_OK, "%s", fault.text);
    ck_assert_uint_eq(first.hello.suites.size, 4002);
}
END_TEST

/* RFC 5246 E.1 */
START_TEST(takes_any_later_version)
{
    static const uint16_t versions[] = {0x0304, 0x03ff, 0x0400, 0x0401, 0xffff};
    static struct octets message;

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct hello_parts parts = plain_hello();

        parts.version = versions[i];
        make_message1(&parts, &message);
        message.data[2] = (uint8_t)(i * 60); /* the record's minor version */
        ck_assert_msg(parse1(&message) == RESULT_OK, "%04x: %s", versions[i], fault.text);
    }
}
END_TEST

START_TEST(bounds_the_handshake)
{
    static struct octets message, fragment;

    message = (struct octets){0};
    fragment = (struct octets){.size = 16384};
    for (unsigned i = 0; i < 4; i++)
        put_record(&message, 22, &fragment);
    fragment.size = 1;
    put_record(&message, 22, &fragment);
    ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
}
END_TEST

START_TEST(refuses_longer_records_than_there_may_be)
{
    static struct octets message, fragment, handshakes;

    message = (struct octets){0};
    fragment = (struct octets){.size = 16385};
    put_record(&message, 22, &fragment);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_RECORD_OVERFLOW);

    message = (struct octets){0};
    make_handshakes3(&handshakes, 0x0403);
    put_record(&message, 22, &handshakes);
    fragment = (struct octets){.data = {1}, .size = 1};
    put_record(&message, 20, &fragment);
    fragment = (struct octets){.size = 16384 + 2049};
    put_record(&message, 22, &fragment);
    ck_assert_int_eq(parse3(&message), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_RECORD_OVERFLOW);
}
END_TEST

/* --- Message 3 --- */

START_TEST(takes_a_message3)
{
    static struct octets message, handshakes;

    message = (struct octets){0};
    make_handshakes3(&handshakes, 0x0403);
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    ck_assert_int_eq(parse3(&message), RESULT_OK);
    ck_assert_int_eq(read_chain(third.presented), RESULT_OK);
    ck_assert_uint_eq(chain_count, 2);
    ck_assert(bytes_equal(chain[0], bytes_of("leaf", 4)));
    ck_assert(bytes_equal(chain[1], bytes_of("ca", 2)));
    ck_assert(bytes_equal(third.signature, bytes_of("signature", 9)));
    ck_assert_uint_eq(
        third.certificate.size + third.key_exchange.size + third.verify.size, handshakes.size);
}
END_TEST

START_TEST(refuses_a_truncated_or_longer_message3)
{
    static struct octets message, handshakes;

    message = (struct octets){0};
    make_handshakes3(&handshakes, 0x0403);
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    size_t whole = message.size;
    for (message.size = 0; message.size < whole; message.size++)
        ck_assert_int_ne(parse3(&message), RESULT_OK);
    put(&message, message.data, 5);
    ck_assert_int_eq(parse3(&message), RESULT_BAD_MESSAGE);
}
END_TEST

START_TEST(refuses_another_signature_algorithm)
{
    static struct octets message, handshakes;

    message = (struct octets){0};
    make_handshakes3(&handshakes, 0x0503);
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    ck_assert_int_eq(parse3(&message), RESULT_TLS_REFUSED);
}
END_TEST

/* RFC 8422 5.11: with any of these the engine would compute a secret that anybody knows. */
START_TEST(refuses_points_that_are_none)
{
    static struct octets message, handshakes;
    uint8_t points[6][P256_POINT_OCTETS];
    struct bytes bad[ARRAY_SIZE(points) + 3];

    memset(points, 0, sizeof(points));
    memcpy(points[0], POINT, sizeof(points[0]));
    points[0][0] = 2; /* compressed, by its form alone */
    points[1][0] = 4; /* (0,0) */
    points[2][0] = 4; /* (x,0) */
    memcpy(points[2] + 1, POINT + 1, 32);
    points[3][0] = 4; /* x not below p */
    memset(points[3] + 1, 0xff, 32);
    memcpy(points[3] + 33, POINT + 33, 32);
    memcpy(points[4], POINT, sizeof(points[4]));
    points[4][P256_POINT_OCTETS - 1] ^= 1; /* off the curve */
    for (size_t i = 0; i < ARRAY_SIZE(points); i++)
        bad[i] = bytes_of(points[i], P256_POINT_OCTETS);
    static const uint8_t longer[97] = {4};
    bad[ARRAY_SIZE(points)] = bytes_of(longer, sizeof(longer));
    bad[ARRAY_SIZE(points) + 1] = bytes_of(POINT, P256_POINT_OCTETS - 1);
    bad[ARRAY_SIZE(points) + 2] = bytes_of(POINT, 0);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        make_handshakes3_with(&handshakes, bad[i], 0x0403);
        message = (struct octets){0};
        put_record(&message, 22, &handshakes);
        put_finished(&message);
        ck_assert_msg(parse3(&message) == RESULT_TLS_REFUSED, "point %zu", i);
        ck_assert_int_eq(fault.alert, TLS_ALERT_ILLEGAL_PARAMETER);
    }
}
END_TEST

/* However the records cut them. */
START_TEST(writes_a_record_a_message)
{
    static struct octets message, handshakes, part;
    struct record record;
    const uint8_t types[] = {11, 16, 15};

    make_handshakes3(&handshakes, 0x0403);
    for (size_t cut = 1; cut < handshakes.size; cut++) {
        struct buffer written AUTO_BUFFER = {.limit = 4096};

        message = part = (struct octets){0};
        put(&part, handshakes.data, cut);
        put_record(&message, 22, &part);
        part = (struct octets){0};
        put(&part, handshakes.data + cut, handshakes.size - cut);
        put_record(&message, 22, &part);
        put_finished(&message);
        ck_assert_msg(parse3(&message) == RESULT_OK, "%s", fault.text);
        ck_assert_int_eq(message_write_handshake(third.handshake, &written), RESULT_OK);
        struct bytes rest = buffer_bytes(&written);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
            ck_assert(record_take(&rest, &record));
            ck_assert_int_eq(record.fragment.data[0], types[i]);
        }
        ck_assert_uint_eq(rest.size, 0);
    }
}
END_TEST

START_TEST(refuses_no_certificate_with_handshake_failure)
{
    static struct octets message, handshakes, body;

    body = (struct octets){.size = 3};
    message = handshakes = (struct octets){0};
    put_handshake(&handshakes, 11, &body);
    body = (struct octets){0};
    put(&body, "point", 5);
    put_handshake(&handshakes, 16, &body);
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    ck_assert_int_eq(parse3(&message), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_HANDSHAKE_FAILURE);
}
END_TEST

START_TEST(refuses_too_many_certificates)
{
    static struct octets list, body;

    list = body = (struct octets){0};
    for (int i = 0; i <= PATH_CERTIFICATES_MAX; i++) {
        put_number(&list, 1, 3);
        put(&list, "x", 1);
    }
    put_block(&body, &list, 3);
    ck_assert_int_eq(read_chain(bytes_of(body.data, body.size)), RESULT_CERTIFICATE_REFUSED);
}
END_TEST

/* --- a raw public key in Certificate --- */

static enum result read_raw(const struct octets *body, struct public_key *key)
{
    fault = FAULT_INIT;
    return message_read_public_key(bytes_of(body->data, body->size), key, &fault);
}

static void make_raw(struct octets *body)
{
    *body = (struct octets){0};
    put_number(body, sizeof(spki), 3);
    put(body, spki, sizeof(spki));
}

START_TEST(takes_a_raw_public_key)
{
    static struct octets body;
    struct public_key key;

    make_raw(&body);
    ck_assert_int_eq(read_raw(&body, &key), RESULT_OK);
    ck_assert(bytes_equal(key.spki, bytes_of(spki, sizeof(spki))));
    ck_assert(bytes_equal(key.point, bytes_of(spki + 26, 65)));
}
END_TEST

START_TEST(refuses_a_raw_public_key_with_any_other_octet)
{
    static struct octets body;
    struct public_key key;

    for (size_t i = 0; i < 3 + sizeof(spki); i++) {
        make_raw(&body);
        body.data[i] ^= 1;
        ck_assert_msg(read_raw(&body, &key) != RESULT_OK, "octet %zu", i);
        ck_assert_int_eq(
            fault.alert, i < 3 ? TLS_ALERT_DECODE_ERROR : TLS_ALERT_UNSUPPORTED_CERTIFICATE);
    }
}
END_TEST

START_TEST(refuses_a_raw_public_key_of_another_length)
{
    static struct octets body;
    struct public_key key;

    make_raw(&body);
    while (body.size-- > 0)
        ck_assert_int_eq(read_raw(&body, &key), RESULT_TLS_REFUSED);
    make_raw(&body);
    put(&body, "x", 1); /* after it */
    ck_assert_int_eq(read_raw(&body, &key), RESULT_TLS_REFUSED);
    body.data[2]++; /* within */
    ck_assert_int_eq(read_raw(&body, &key), RESULT_CERTIFICATE_REFUSED);
    body = (struct octets){.size = 3};
    ck_assert_int_eq(read_raw(&body, &key), RESULT_CERTIFICATE_REFUSED);
}
END_TEST

/* Nothing is good as both types. */
START_TEST(tells_the_types_apart)
{
    static struct octets raw, list, body;
    struct public_key key;

    make_raw(&raw);
    ck_assert_int_eq(read_chain(bytes_of(raw.data, raw.size)), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_DECODE_ERROR);
    list = body = (struct octets){0};
    put(&list, raw.data, raw.size);
    put_block(&body, &list, 3);
    ck_assert_int_eq(read_raw(&body, &key), RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_UNSUPPORTED_CERTIFICATE);
    ck_assert_int_eq(read_chain(bytes_of(body.data, body.size)), RESULT_OK);
    ck_assert_uint_eq(chain_count, 1);
}
END_TEST

/* --- the types in Message 2 --- */

static enum result parse2_with(
    const struct octets *extensions, const uint8_t point[P256_POINT_OCTETS], struct message2 *out)
{
    static struct octets hello_body, certificate, exchange, handshakes, message;
    static const uint8_t random[32] = {1};

    hello_body = certificate = exchange = handshakes = message = (struct octets){0};
    put_number(&hello_body, 0x0303, 2);
    put(&hello_body, random, sizeof(random));
    put_number(&hello_body, 0, 1);
    put_number(&hello_body, 0xc023, 2);
    put_number(&hello_body, 0, 1);
    put_block(&hello_body, extensions, 2);
    put_handshake(&handshakes, 2, &hello_body);
    make_raw(&certificate);
    put_handshake(&handshakes, 11, &certificate);
    put(&exchange, "\3\0\x17", 3);
    put_number(&exchange, P256_POINT_OCTETS, 1);
    put(&exchange, point, P256_POINT_OCTETS);
    put(&exchange, "\4\3\0\1s", 5);
    put_handshake(&handshakes, 12, &exchange);
    put_handshake(&handshakes, 13, &(struct octets){.data = "\1\x40\0\2\4\3\0\0", .size = 8});
    put_handshake(&handshakes, 14, &(struct octets){0});
    put_record(&message, 22, &handshakes);
    return message2_read(bytes_of(message.data, message.size), out, &fault);
}

static enum result parse2(const struct octets *extensions, struct message2 *out)
{
    return parse2_with(extensions, POINT, out);
}

START_TEST(refuses_a_server_key_exchange_off_the_curve)
{
    static const uint8_t zero[P256_POINT_OCTETS] = {4};
    static struct octets extensions;
    static struct message2 second;

    ck_assert_int_eq(parse2_with(&extensions, zero, &second), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_ILLEGAL_PARAMETER);
}
END_TEST

START_TEST(reads_the_types_in_message2)
{
    static struct octets extensions;
    static struct message2 second;
    struct public_key key;

    ck_assert_int_eq(parse2(&extensions, &second), RESULT_OK);
    ck_assert_int_eq(second.client_type, CERTIFICATE_TYPE_X509);
    ck_assert_int_eq(second.server_type, CERTIFICATE_TYPE_X509);
    ck_assert(!second.extended_master_secret);
    put_extension(&extensions, 19, "", 1);
    put_extension(&extensions, 20, "\2", 1);
    put_extension(&extensions, 23, "", 0);
    ck_assert_int_eq(parse2(&extensions, &second), RESULT_OK);
    ck_assert_int_eq(second.client_type, CERTIFICATE_TYPE_X509);
    ck_assert_int_eq(second.server_type, CERTIFICATE_TYPE_RAW_PUBLIC_KEY);
    ck_assert(second.extended_master_secret);
    ck_assert_int_eq(message_read_public_key(second.certificate, &key, &fault), RESULT_OK);
}
END_TEST

START_TEST(refuses_an_extension_that_was_not_offered)
{
    static struct octets extensions;
    static struct message2 second;

    put_extension(&extensions, 16, "", 0);
    ck_assert_int_eq(parse2(&extensions, &second), RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_UNSUPPORTED_EXTENSION);
}
END_TEST

START_TEST(names_the_alert_that_came_instead)
{
    uint8_t alert[TLS_ALERT_RECORD_OCTETS];

    message_write_alert(TLS_ALERT_UNKNOWN_CA, alert);
    ck_assert_int_eq(message_find_alert(bytes_of(alert, sizeof(alert))), TLS_ALERT_UNKNOWN_CA);
    ck_assert_int_eq(
        message3_read(bytes_of(alert, sizeof(alert)), &third, &fault), RESULT_BAD_MESSAGE);
    ck_assert_ptr_nonnull(strstr(fault.text, "unknown_ca"));
}
END_TEST

/* As few as hold the octets, whose order stays; what stands before them is not touched. */
START_TEST(joins_records)
{
    static const struct {
        size_t fragments[4], joined[4];
    } cases[] = {
        {{1}, {1}},
        {{10, 20, 1}, {31}},
        {{16384, 1}, {16384, 1}},
        {{8000, 8384, 5}, {16384, 5}},
        {{8000, 8385, 5}, {8000, 8390}},
        {{10000, 10000, 6384, 1}, {10000, 16384, 1}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer message AUTO_BUFFER = {.limit = sizeof(struct octets)};
        static struct octets octets, part;
        struct record record;
        uint8_t next = 0;
        octets = (struct octets){0};
        put(&octets, "before", 6);
        for (size_t j = 0; j < 4 && cases[i].fragments[j] > 0; j++) {
            part = (struct octets){0};
            for (size_t k = 0; k < cases[i].fragments[j]; k++)
                put(&part, &(uint8_t){next++}, 1);
            put_record(&octets, 22, &part);
        }
        ck_assert_int_eq(buffer_append(&message, octets.data, octets.size), RESULT_OK);

        record_join(&message, 6);
        ck_assert_mem_eq(message.data, "before", 6);
        struct bytes rest = bytes_of(message.data + 6, message.size - 6);
        next = 0;
        for (size_t j = 0; j < 4 && cases[i].joined[j] > 0; j++) {
            ck_assert(record_take(&rest, &record));
            ck_assert_int_eq(record.type, 22);
            ck_assert_int_eq(record.version, 0x0303);
            ck_assert_uint_eq(record.fragment.size, cases[i].joined[j]);
            for (size_t k = 0; k < record.fragment.size; k++)
                ck_assert_int_eq(record.fragment.data[k], next++);
        }
        ck_assert_uint_eq(rest.size, 0);
    }
}
END_TEST

CHECK_MAIN("tls/message", joins_records, takes_a_client_hello, takes_a_client_hello_in_two_records,
    refuses_every_truncation_and_trailing_octets, refuses_what_is_no_client_hello,
    refuses_hopeless_hellos_with_an_alert, refuses_extensions_with_the_alert_of_their_rfc,
    refuses_signature_algorithms_without_ours, passes_over_unknown_name_types,
    takes_as_much_as_fits_a_message, takes_any_later_version, bounds_the_handshake,
    refuses_longer_records_than_there_may_be, refuses_points_that_are_none,
    writes_a_record_a_message, takes_a_message3, refuses_a_truncated_or_longer_message3,
    refuses_another_signature_algorithm, refuses_no_certificate_with_handshake_failure,
    refuses_too_many_certificates, takes_a_raw_public_key,
    refuses_a_raw_public_key_with_any_other_octet, refuses_a_raw_public_key_of_another_length,
    tells_the_types_apart, refuses_a_server_key_exchange_off_the_curve, reads_the_types_in_message2,
    refuses_an_extension_that_was_not_offered, names_the_alert_that_came_instead)
