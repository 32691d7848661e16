/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <string.h>

#include "tls/record.h"

/* --- messages, octet by octet ------------------------------------------------------------------
 */

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

/* --- Message 1 -----------------------------------------------------------------------------------
 */

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
    ck_assert(hello.offers_raw_public_key);
    ck_assert(!hello.wants_raw_public_key);
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

/* --- Message 3 -----------------------------------------------------------------------------------
 */

START_TEST(takes_a_message3)
{
    static struct octets message, handshakes;

    message = (struct octets){0};
    make_handshakes3(&handshakes, 0x0403);
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    ck_assert_int_eq(parse3(&message), RESULT_OK);
    ck_assert_uint_eq(third.chain_count, 2);
    ck_assert(bytes_equal(third.chain[0], bytes_of("leaf", 4)));
    ck_assert(bytes_equal(third.chain[1], bytes_of("ca", 2)));
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
    static struct octets message, handshakes, list, body;

    message = handshakes = list = body = (struct octets){0};
    for (int i = 0; i <= PATH_CERTIFICATES_MAX; i++) {
        put_number(&list, 1, 3);
        put(&list, "x", 1);
    }
    put_block(&body, &list, 3);
    put_handshake(&handshakes, 11, &body);
    put_handshake(&handshakes, 16, &(struct octets){.size = 3});
    put_record(&message, 22, &handshakes);
    put_finished(&message);
    ck_assert_int_eq(parse3(&message), RESULT_CERTIFICATE_REFUSED);
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
    names_the_alert_that_came_instead)
