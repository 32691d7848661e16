/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DER, the fields of a certificate, and the names in it. */
#include "x509/certificate.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "tls/message.h"
#include "unit/x509/maker.h"
#include "x509/der.h"
#include "x509/general_name.h"
#include "x509/pem.h"
#include "x509/subject_names.h"

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static const struct recipe authorities[] = {{.name = "root", .extensions = MAKER_CA}, {0}};

/* --- DER --- */

START_TEST(takes_minimal_lengths_alone)
{
    const struct {
        struct bytes in;
        bool good;
    } cases[] = {
        {BYTES(0x04, 0x00), true},
        {BYTES(0x04, 0x02, 1, 2), true},
        {BYTES(0x04, 0x03, 1, 2), false},
        {BYTES(0x04), false},
        {BYTES(0x04, 0x80, 0, 0), false},
        {BYTES(0x04, 0x81, 0x01, 1), false},
        {BYTES(0x04, 0x81, 0x80, 1), false},
        {BYTES(0x04, 0x82, 0x00, 0x80), false},
        {BYTES(0x04, 0x84, 0, 0, 0, 1, 1), false},
        {BYTES(0x04, 0xff, 1), false},
        {BYTES(0x1f, 0x01, 0x00), false},
        {{0}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes in = cases[i].in;
        struct der out;
        ck_assert_msg(der_take(&in, &out) == cases[i].good, "case %zu", i);
        ck_assert_uint_eq(in.size, cases[i].good ? 0 : cases[i].in.size);
    }
}
END_TEST

START_TEST(reads_times)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t expected; /* -1: refused */
    } cases[] = {
        {DER_UTC_TIME, "700101000000Z", 0},
        {DER_UTC_TIME, "260528202640Z", MAKER_NOW},
        {DER_UTC_TIME, "491231235959Z", INT64_C(2524607999)},
        {DER_UTC_TIME, "500101000000Z", INT64_C(-631152000)},
        {DER_UTC_TIME, "240229000000Z", INT64_C(1709164800)},
        {DER_GENERALIZED_TIME, "20500101000000Z", INT64_C(2524608000)},
        {DER_GENERALIZED_TIME, "99991231235959Z", INT64_C(253402300799)},
        {DER_GENERALIZED_TIME, "20260528202640Z", MAKER_NOW},
        {DER_GENERALIZED_TIME, "20000229000000Z", INT64_C(951782400)},
        {DER_GENERALIZED_TIME, "19691231235958Z", -2},
        {DER_GENERALIZED_TIME, "19000228235959Z", INT64_C(-2203891201)},
        {DER_GENERALIZED_TIME, "19000229000000Z", -1},
        {DER_GENERALIZED_TIME, "00000301000000Z", INT64_C(-62162035200)},
        {DER_UTC_TIME, "260500000000Z", -1},
        {DER_UTC_TIME, "260431000000Z", -1},
        {DER_UTC_TIME, "230229000000Z", -1},
        {DER_UTC_TIME, "261301000000Z", -1},
        {DER_UTC_TIME, "260001000000Z", -1},
        {DER_UTC_TIME, "260528240000Z", -1},
        {DER_UTC_TIME, "260528006000Z", -1},
        {DER_UTC_TIME, "260528000060Z", -1},
        {DER_UTC_TIME, "2605282026Z", -1},
        {DER_UTC_TIME, "260528202640", -1},
        {DER_UTC_TIME, "260528202640+0000", -1},
        {DER_UTC_TIME, "260528202640ZZ", -1},
        {DER_UTC_TIME, "26052820264 Z", -1},
        {DER_UTC_TIME, "20260528202640Z", -1},
        {DER_GENERALIZED_TIME, "20260528202640.5Z", -1},
        {DER_GENERALIZED_TIME, "260528202640Z", -1},
        {DER_IA5_STRING, "260528202640Z", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t der[64] = {cases[i].tag, (uint8_t)strlen(cases[i].text)};
        memcpy(der + 2, cases[i].text, der[1]);
        struct bytes in = bytes_of(der, 2U + der[1]);
        int64_t time = 0;
        bool taken = der_take_time(&in, &time);
        ck_assert_msg(taken == (cases[i].expected != -1), "%s", cases[i].text);
        ck_assert(!taken || time == cases[i].expected);
    }
}
END_TEST

START_TEST(reads_counts)
{
    const struct {
        struct bytes integer;
        int expected; /* -1: refused */
    } cases[] = {
        {BYTES(0), 0},
        {BYTES(9), 9},
        {BYTES(0, 255), 255},
        {BYTES(1, 0), DER_COUNT_MAX},
        {BYTES(0x7f, 0xff, 0xff, 0xff, 0xff), DER_COUNT_MAX},
        {BYTES(0xff), -1},
        {BYTES(0, 1), -1},
        {{0}, -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int count = 0;
        bool good = der_count(cases[i].integer, &count);
        ck_assert_msg(good == (cases[i].expected >= 0), "case %zu", i);
        ck_assert(!good || count == cases[i].expected);
    }
}
END_TEST

START_TEST(writes_object_identifiers)
{
    char text[32];
    ck_assert(der_oid_text(BYTES(0x02, 0x83, 0x61, 0x01), false, text, sizeof(text)));
    ck_assert_str_eq(text, "0.2.481.1");
    ck_assert(der_oid_text(BYTES(0x88, 0x37, 0x03), false, text, sizeof(text)));
    ck_assert_str_eq(text, "2.999.3");
    ck_assert(der_oid_text(BYTES(0x64, 0x97, 0x56), true, text, sizeof(text)));
    ck_assert_str_eq(text, "100.3030");
    ck_assert(!der_oid_text((struct bytes){0}, false, text, sizeof(text)));
    ck_assert(!der_oid_text(BYTES(0x2a, 0x80, 0x01), false, text, sizeof(text))); /* padded */
    ck_assert(!der_oid_text(BYTES(0x2a, 0x81), false, text, sizeof(text)));       /* cut */
    ck_assert(!der_oid_text(BYTES(0x2a, 0x81), false, text, 3));
    ck_assert(!der_oid_text(BYTES(0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
        false, text, sizeof(text))); /* more than 64 bits */
}
END_TEST

START_TEST(knows_object_identifiers)
{
    ck_assert(der_oid_is_valid(BYTES(0x55, 0x1d, 0x11)));
    ck_assert(der_oid_is_valid(BYTES(0x88, 0x37, 0x00)));
    ck_assert(!der_oid_is_valid((struct bytes){0}));
    ck_assert(!der_oid_is_valid(BYTES(0x80, 0x01)));             /* padded */
    ck_assert(!der_oid_is_valid(BYTES(0x55, 0x80, 0x80, 0x01))); /* padded */
    ck_assert(!der_oid_is_valid(BYTES(0x55, 0x9d)));             /* cut */
    /* One arc of 19 octets holds the 128 bits of a UUID. */
    uint8_t longest[1 + 20] = {0x69};
    memset(longest + 1, 0xff, 20);
    longest[19] = 0x7f;
    ck_assert(der_oid_is_valid(bytes_of(longest, 20)));
    longest[19] = 0xff;
    longest[20] = 0x7f;
    ck_assert(!der_oid_is_valid(bytes_of(longest, 21)));
}
END_TEST

START_TEST(decodes_pem)
{
    struct buffer out AUTO_BUFFER = {.limit = 64};
    struct bytes text = bytes_of_string("words\n-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n"
                                        "-----BEGIN THIS-----\r\nAQ\r\nID\r\n-----END THIS-----\n"
                                        "-----BEGIN THIS-----\nBA==\n-----END THIS-----");
    ck_assert_int_eq(pem_next(&text, "THIS", &out), RESULT_OK);
    ck_assert(bytes_equal(buffer_bytes(&out), BYTES(1, 2, 3)));
    ck_assert_int_eq(pem_next(&text, "THIS", &out), RESULT_OK);
    ck_assert(bytes_equal(buffer_bytes(&out), BYTES(4)));
    ck_assert_int_eq(pem_next(&text, "THIS", &out), RESULT_NOT_FOUND);
    text = bytes_of_string("-----BEGIN THIS-----\n\"AAA\n-----END THIS-----");
    ck_assert_int_eq(pem_next(&text, "THIS", &out), RESULT_BAD_INPUT);
}
END_TEST

/* --- names by themselves --- */

START_TEST(finds_the_host_of_a_uri)
{
    static const struct {
        const char *uri, *host; /* NULL: none */
    } cases[] = {
        {"//m2m.example/in-cse/C1", "m2m.example"},
        {"https://m2m.example", "m2m.example"},
        {"coap+tcp://m2m.example:5683/x", "m2m.example"},
        {"//m2m.example?q", "m2m.example"},
        {"//m2m.example#f", "m2m.example"},
        {"//m2m.example:", "m2m.example"},
        {"//user@m2m.example/", NULL},
        {"//m2m.example\\@evil.example/", NULL},
        {"//[::1]/", NULL},
        {"///x", NULL},
        {"//", NULL},
        {"/x//m2m.example", NULL},
        {"urn:x", NULL},
        {"urn:x//m2m.example", NULL},
        {"1x://m2m.example", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes host;
        bool found = uri_host(bytes_of_string(cases[i].uri), &host);
        ck_assert_msg(found == (cases[i].host != NULL), "%s", cases[i].uri);
        ck_assert(!found || bytes_equal(host, bytes_of_string(cases[i].host)));
    }
}
END_TEST

START_TEST(writes_device_names)
{
    static const char *const good[] = {"0.2.481.1.0", "0.2.481.1.100.3030.10011"};
    static const char *const bad[] = {"0.2.481.1", "0.2.481.11.1", "0.2.481.2.1", "1.2.3", ""};
    char longest[NAME_OCTETS] = "0.2.481.1.", id[NAME_OCTETS];
    uint8_t storage[DEVICE_NAME_OCTETS];
    struct bytes name, type, value;

    memset(longest + strlen(longest), '1', sizeof(longest) - 1 - strlen(longest));
    for (size_t i = 0; i <= ARRAY_SIZE(good); i++) {
        const char *text = i < ARRAY_SIZE(good) ? good[i] : longest;
        ck_assert(device_name_write(text, storage, &name));
        ck_assert(other_name_split(name, &type, &value) && other_name_type_is_device(type));
        ck_assert(device_id_text(type, value, false, id));
        ck_assert_str_eq(id, text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!device_name_write(bad[i], storage, &name), "%s", bad[i]);
}
END_TEST

/* --- certificates --- */

static struct buffer make(const char *extensions)
{
    return maker_make(&(struct recipe){.extensions = extensions});
}

/* Parses and reads the names. */
static enum result names_of(const char *extensions, struct names *names, struct fault *fault)
{
    struct certificate certificate;
    struct buffer der AUTO_BUFFER = make(extensions);
    *fault = FAULT_INIT;
    enum result result = certificate_parse(buffer_bytes(&der), &certificate, fault);
    return result == RESULT_OK ? certificate_names(&certificate, names, fault) : result;
}

START_TEST(reads_the_fields)
{
    maker_start(authorities);
    struct certificate leaf, root;
    struct fault fault = FAULT_INIT;
    struct buffer der AUTO_BUFFER = make(MAKER_LEAF);
    struct buffer issuer AUTO_BUFFER = maker_authority("root");
    ck_assert_int_eq(certificate_parse(buffer_bytes(&der), &leaf, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&issuer), &root, &fault), RESULT_OK);

    ck_assert_int_eq(leaf.not_before_s, MAKER_BEFORE);
    ck_assert_int_eq(leaf.not_after_s, MAKER_AFTER);
    ck_assert(bytes_equal(leaf.issuer, root.subject));
    ck_assert(certificate_names_issuer(&leaf, &root) && certificate_is_self_issued(&root));
    ck_assert(!certificate_names_issuer(&root, &leaf) && !certificate_is_self_issued(&leaf));
    ck_assert(bytes_equal(leaf.authority_key_id, root.subject_key_id));
    ck_assert_uint_eq(leaf.authority_key_id.size, 20);
    ck_assert(!leaf.is_ca && root.is_ca && root.path_length == -1);
    ck_assert_uint_eq(leaf.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
    ck_assert_uint_eq(root.key_usage, KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    ck_assert(leaf.has_extended_usage && leaf.client_usage && !leaf.server_usage);
    ck_assert_uint_eq(leaf.point.size, P256_POINT_OCTETS);
    ck_assert_uint_eq(leaf.point.data[0], 4);
    ck_assert(ecdsa_verify(root.point, leaf.tbs, leaf.signature));
    ck_assert(!ecdsa_verify(leaf.point, leaf.tbs, leaf.signature));
    uint8_t no_point[P256_POINT_OCTETS] = {0};
    ck_assert_int_eq(ecdsa_check(bytes_of(no_point, sizeof(no_point)), leaf.tbs, leaf.signature),
        RESULT_BAD_INPUT);
    maker_stop();
}
END_TEST

START_TEST(refuses_a_point_off_the_curve)
{
    maker_start(authorities);
    struct certificate leaf;
    struct fault fault = FAULT_INIT;
    struct buffer der AUTO_BUFFER = make(MAKER_LEAF);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&der), &leaf, &fault), RESULT_OK);
    der.data[leaf.point.data - der.data + P256_POINT_OCTETS - 1] ^= 1;
    ck_assert_int_eq(
        certificate_parse(buffer_bytes(&der), &leaf, &fault), RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_UNSUPPORTED_CERTIFICATE);
    maker_stop();
}
END_TEST

START_TEST(refuses_a_certificate_that_is_too_long)
{
    maker_start(authorities);
    char lines[CERTIFICATE_OCTETS_MAX * 2 + 64] = MAKER_LEAF "1.2.3=DER:";
    for (size_t i = strlen(lines), left = CERTIFICATE_OCTETS_MAX * 2 - i; left > 0; left--)
        lines[i++] = '0';
    struct names names;
    struct fault fault;
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_CERTIFICATE_REFUSED);
    ck_assert_ptr_nonnull(strstr(fault.text, "longer than"));
    maker_stop();
}
END_TEST

START_TEST(hands_out_names)
{
    maker_start(authorities);
    struct names names;
    struct fault fault;
    ck_assert_int_eq(names_of(MAKER_USAGE "subjectAltName=DNS:MN.m2m.Example,DNS:b.example,"
                                          "URI:https://M2M.example/in-cse/Cx,email:a@b.example,"
                                          "IP:10.0.0.1,RID:1.2.3,otherName:1.2.3;UTF8:x\n",
                         &names, &fault),
        RESULT_OK);
    ck_assert_uint_eq(names.dns.count, 2);
    ck_assert_str_eq(names.dns.name[0], "mn.m2m.example");
    ck_assert_str_eq(names.dns.name[1], "b.example");
    ck_assert_uint_eq(names.uri.count, 1);
    ck_assert_str_eq(names.uri.name[0], "https://M2M.example/in-cse/Cx");
    ck_assert_uint_eq(names.device.count, 0);
    maker_stop();
}
END_TEST

/* Nobody is admitted by such a name, but whoever has a good one beside it is. */
START_TEST(leaves_out_a_domain_name_that_is_no_hosts)
{
    static const char *const none[] = {
        "DNS:*.m2m.example", "DNS:a.*.example", "DNS:m_m.example", "DNS:-m.example",
        "DNS:m2m.example.", "DNS:m2m.example/in-cse",
        "DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
        "DER:30028200",                       /* empty */
        "DER:300D820B6D326D006578616D706C65", /* a NUL within: "m2m" and then more */
        "DER:30048202C3A9",                   /* UTF-8 */
    };
    char lines[2048];
    struct names names;
    struct fault fault;
    maker_start(authorities);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=%s\n", none[i]);
        ck_assert_msg(names_of(lines, &names, &fault) == RESULT_OK, "%s: %s", none[i], fault.text);
        ck_assert_msg(names.dns.count == 0, "%s: %s", none[i], names.dns.name[0]);
    }
    snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=URI://m2m.example/in-cse/Cx");
    for (size_t i = 0; i <= NAMES_MAX; i++) /* they do not take the place of others either */
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), ",DNS:*.m2m.example");
    snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), ",DNS:b.example\n");
    ck_assert_msg(names_of(lines, &names, &fault) == RESULT_OK, "%s", fault.text);
    ck_assert_uint_eq(names.uri.count, 1);
    ck_assert_uint_eq(names.dns.count, 1);
    ck_assert_str_eq(names.dns.name[0], "b.example");
    maker_stop();
}
END_TEST

START_TEST(joins_device_ids)
{
    static const struct {
        const char *name, *id; /* NULL: refused */
    } cases[] = {
        {"otherName:0.2.481.1;UTF8:100.3030.10011", "0.2.481.1.100.3030.10011"},
        {"otherName:0.2.481.1;IA5:100.3030.10011", "0.2.481.1.100.3030.10011"},
        {"otherName:0.2.481.1.100;UTF8:0", "0.2.481.1.100.0"},
        {"otherName:0.2.481.1;OID:1.2.3", "0.2.481.1.1.2.3"},
        {"otherName:0.2.481.1;OID:0.2.481.1.100.7", "0.2.481.1.100.7"},
        /* RELATIVE-OID 100.3030 */
        {"DER:300FA00D060402836101A0050D03649756", "0.2.481.1.100.3030"},
        {"otherName:0.2.481.1;UTF8:", NULL},
        {"otherName:0.2.481.1;UTF8:.1", NULL},
        {"otherName:0.2.481.1;UTF8:1.", NULL},
        {"otherName:0.2.481.1;UTF8:1..2", NULL},
        {"otherName:0.2.481.1;UTF8:01", NULL},
        {"otherName:0.2.481.1;UTF8:-1", NULL},
        {"otherName:0.2.481.1;VISIBLE:1", NULL},
        {"otherName:0.2.481.1;NULL", NULL},
    };
    maker_start(authorities);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char lines[512];
        struct names names;
        struct fault fault;
        snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=%s\n", cases[i].name);
        enum result result = names_of(lines, &names, &fault);
        ck_assert_msg(
            (result == RESULT_OK) == (cases[i].id != NULL), "%s: %s", cases[i].name, fault.text);
        ck_assert(result != RESULT_OK || names.device.count == 1);
        if (result == RESULT_OK)
            ck_assert_str_eq(names.device.name[0], cases[i].id);
    }
    maker_stop();
}
END_TEST

START_TEST(takes_no_name_that_is_too_long)
{
    char lines[1024], name[300];
    struct names names;
    struct fault fault;
    maker_start(authorities);
    memset(name, 'a', sizeof(name));
    snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=URI://%.253s\n", name);
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_OK);
    ck_assert_uint_eq(strlen(names.uri.name[0]), NAME_OCTETS - 1);
    snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=URI://%.254s\n", name);
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_CERTIFICATE_REFUSED);
    memset(name, '1', sizeof(name));
    snprintf(
        lines, sizeof(lines), MAKER_USAGE "subjectAltName=otherName:0.2.481.1;UTF8:%.250s\n", name);
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_CERTIFICATE_REFUSED);
    for (size_t i = 1; i < sizeof(name); i += 2)
        name[i] = '.';
    snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=DNS:%.253s\n", name);
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_OK);
    ck_assert_uint_eq(names.dns.count, 1);
    snprintf(lines, sizeof(lines), MAKER_USAGE "subjectAltName=DNS:%.255s\n", name);
    ck_assert_int_eq(names_of(lines, &names, &fault), RESULT_OK);
    ck_assert_uint_eq(names.dns.count, 0);
    maker_stop();
}
END_TEST

START_TEST(digests_a_public_key)
{
    uint8_t digest[SPKI_DIGEST_SIZE];
    char hex[2 * SPKI_DIGEST_SIZE + 1];
    ck_assert_int_eq(spki_digest(bytes_of_string("abc"), digest), RESULT_OK);
    bytes_to_hex(bytes_of(digest, sizeof(digest)), hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

CHECK_MAIN("x509/certificate", takes_minimal_lengths_alone, reads_times, reads_counts,
    writes_object_identifiers, knows_object_identifiers, decodes_pem, finds_the_host_of_a_uri,
    writes_device_names, reads_the_fields, refuses_a_point_off_the_curve,
    refuses_a_certificate_that_is_too_long, hands_out_names,
    leaves_out_a_domain_name_that_is_no_hosts, joins_device_ids, takes_no_name_that_is_too_long,
    digests_a_public_key)
