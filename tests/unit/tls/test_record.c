/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <string.h>

#include "tls/record.h"

/* --- messages, octet by octet --- */

struct octets {
    uint8_t data[40000];
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
    struct octets extensions;
};

static struct hello_parts plain_hello(void)
{
    return (struct hello_parts){.version = 0x0303, .compressions = "", .compression_count = 1};
}

static void make_hello(const struct hello_parts *parts, struct octets *body)
{
    static const uint8_t random[32] = {1};

    *body = (struct octets){0};
    put_number(body, parts->version, 2);
    put(body, random, sizeof(random));
    put_number(body, 0, 1);
    put_number(body, 2, 2);
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

static struct hello hello;
static struct message3 third;
static struct fault fault;

static enum result parse1(const struct octets *message)
{
    fault = FAULT_INIT;
    return record_parse_message1(bytes_of(message->data, message->size), &hello, &fault);
}

static enum result parse3(const struct octets *message)
{
    fault = FAULT_INIT;
    return record_parse_message3(bytes_of(message->data, message->size), &third, &fault);
}

static struct bytes chain[PATH_CERTIFICATES_MAX];
static size_t chain_count;

static enum result read_chain(struct bytes body)
{
    fault = FAULT_INIT;
    return record_read_chain(body, chain, &chain_count, &fault);
}

/* Certificate with two entries, ClientKeyExchange, CertificateVerify of ALGORITHM. */
static void make_handshakes3(struct octets *out, uint16_t algorithm)
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
    put(&body, "point", 5);
    put_handshake(out, 16, &body);
    body = (struct octets){0};
    put_number(&body, algorithm, 2);
    put_number(&body, 9, 2);
    put(&body, "signature", 9);
    put_handshake(out, 15, &body);
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
    ck_assert_str_eq(hello.server_name, "in-cse.exam");
    ck_assert(hello.extended_master_secret);
    ck_assert(bytes_equal(hello.client_types, bytes_of(types + 1, 2)));
    ck_assert_uint_eq(hello.server_types.size, 0);
    ck_assert_uint_eq(hello.handshake.size, message.size - 5);
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
    ck_assert_uint_eq(hello.handshake.size, whole.size);
    ck_assert_str_eq(hello.server_name, "");
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

START_TEST(refuses_malformed_extensions)
{
    static const struct {
        uint16_t type;
        const char *data;
        size_t size;
    } bad[] = {
        {0, "\0\4\0\0\1a\0", 7},  /* octets after the list */
        {0, "\0\3\0\0\0", 5},     /* empty name */
        {0, "\0\6\0\0\3a\0b", 8}, /* NUL in the name */
        {0, "\0\4\1\0\1a", 6},    /* not a host_name */
        {19, "\0", 1},            /* no type */
        {20, "\2\0", 2},          /* shorter than it says */
        {23, "x", 1},             /* not empty */
        {43, "\1", 1},            /* shorter than it says */
    };
    static struct octets message;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hello_parts parts = plain_hello();

        put_extension(&parts.extensions, bad[i].type, bad[i].data, bad[i].size);
        make_message1(&parts, &message);
        ck_assert_msg(parse1(&message) == RESULT_TLS_REFUSED, "kind %zu", i);
        ck_assert_int_eq(fault.alert, TLS_ALERT_DECODE_ERROR);
    }
    struct hello_parts twice = plain_hello();
    put_extension(&twice.extensions, 99, "", 0);
    put_extension(&twice.extensions, 99, "", 0);
    make_message1(&twice, &message);
    ck_assert_int_eq(parse1(&message), RESULT_TLS_REFUSED);
}
END_TEST

START_TEST(bounds_the_handshake)
{
    static struct octets message, fragment;

    message = (struct octets){0};
    fragment = (struct octets){.size = 16384};
    put_record(&message, 22, &fragment);
    put_record(&message, 22, &fragment);
    ck_assert_int_eq(parse1(&message), RESULT_BAD_MESSAGE);
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

/* The generator of P-256, which is a point as good as any. */
static const uint8_t spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static enum result read_raw(const struct octets *body, struct public_key *key)
{
    fault = FAULT_INIT;
    return record_read_public_key(bytes_of(body->data, body->size), key, &fault);
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

static enum result parse2(const struct octets *extensions, struct message2 *out)
{
    static struct octets hello_body, certificate, handshakes, message;
    static const uint8_t random[32] = {1};

    hello_body = certificate = handshakes = message = (struct octets){0};
    put_number(&hello_body, 0x0303, 2);
    put(&hello_body, random, sizeof(random));
    put_number(&hello_body, 0, 1);
    put_number(&hello_body, 0xc023, 2);
    put_number(&hello_body, 0, 1);
    put_block(&hello_body, extensions, 2);
    put_handshake(&handshakes, 2, &hello_body);
    make_raw(&certificate);
    put_handshake(&handshakes, 11, &certificate);
    put_record(&message, 22, &handshakes);
    return record_parse_message2(bytes_of(message.data, message.size), out, &fault);
}

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
    ck_assert_int_eq(record_read_public_key(second.certificate, &key, &fault), RESULT_OK);
}
END_TEST

START_TEST(names_the_alert_that_came_instead)
{
    uint8_t alert[TLS_ALERT_RECORD_OCTETS];

    record_write_alert(TLS_ALERT_UNKNOWN_CA, alert);
    ck_assert_int_eq(record_find_alert(bytes_of(alert, sizeof(alert))), TLS_ALERT_UNKNOWN_CA);
    ck_assert_int_eq(
        record_parse_message3(bytes_of(alert, sizeof(alert)), &third, &fault), RESULT_BAD_MESSAGE);
    ck_assert_ptr_nonnull(strstr(fault.text, "unknown_ca"));
}
END_TEST

CHECK_MAIN("tls/record", takes_a_client_hello, takes_a_client_hello_in_two_records,
    refuses_every_truncation_and_trailing_octets, refuses_what_is_no_client_hello,
    refuses_hopeless_hellos_with_an_alert, refuses_malformed_extensions, bounds_the_handshake,
    takes_a_message3, refuses_a_truncated_or_longer_message3, refuses_another_signature_algorithm,
    refuses_no_certificate_with_handshake_failure, refuses_too_many_certificates,
    takes_a_raw_public_key, refuses_a_raw_public_key_with_any_other_octet,
    refuses_a_raw_public_key_of_another_length, tells_the_types_apart, reads_the_types_in_message2,
    names_the_alert_that_came_instead)
