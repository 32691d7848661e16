/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/private_key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "support/check_main.h"

/* RFC 6979 A.2.5 */
#define SCALAR "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define POINT                                                                                      \
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"                           \
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define ORDER      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ORDER_LESS "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define ZERO       "0000000000000000000000000000000000000000000000000000000000000000"
#define P256       "06082a8648ce3d030107"
#define P384       "06052b81040022"
#define EC         "06072a8648ce3d0201"

/* The octets of HEX; the caller releases. */
static struct buffer octets_of(const char *hex)
{
    struct buffer out = {.limit = 4096};
    ck_assert_int_eq(buffer_reserve(&out, strlen(hex) / 2 + 1), RESULT_OK);
    ck_assert(bytes_from_hex(hex, out.data, strlen(hex) / 2));
    out.size = strlen(hex) / 2;
    return out;
}

static enum result parse(const char *hex, struct private_key **out)
{
    struct buffer der AUTO_BUFFER = octets_of(hex);
    *out = NULL;
    return private_key_parse(buffer_bytes(&der), out);
}

/* Whether it is the key of POINT. */
static bool is_the_key(const char *hex)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    struct buffer point AUTO_BUFFER = octets_of(POINT);
    struct public_key public_key;
    if (parse(hex, &key) != RESULT_OK)
        return false;
    ck_assert(public_key_parse(private_key_public(key).spki, &public_key));
    return bytes_equal(public_key.point, buffer_bytes(&point)) &&
           bytes_equal(private_key_public(key).point, buffer_bytes(&point));
}

static bool is_refused(const char *hex)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    return parse(hex, &key) == RESULT_BAD_INPUT && !key;
}

#define SEC1       "30250201010420" SCALAR
#define SEC1_CURVE "30310201010420" SCALAR "a00a" P256

START_TEST(reads_both_forms)
{
    ck_assert(is_the_key(SEC1));
    ck_assert(is_the_key(SEC1_CURVE));
    ck_assert(is_the_key("30770201010420" SCALAR "a00a" P256 "a144034200" POINT));
    ck_assert(is_the_key("30410201003013" EC P256 "0427" SEC1));
    ck_assert(is_the_key("304d0201003013" EC P256 "0433" SEC1_CURVE));
    ck_assert(is_the_key("30430201003013" EC P256 "0427" SEC1 "a000")); /* attributes */
}
END_TEST

START_TEST(a_number_may_lack_its_leading_zeros)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    struct private_key *padded CLEANUP(auto_private_key_free) = NULL;
    ck_assert_int_eq(parse("3006020101040105", &key), RESULT_OK);
    ck_assert_int_eq(
        parse("302502010104200000000000000000000000000000000000000000000000000000000000000005",
            &padded),
        RESULT_OK);
    ck_assert(bytes_equal(private_key_public(key).spki, private_key_public(padded).spki));
}
END_TEST

START_TEST(refuses_what_is_no_key)
{
    static const char *const bad[] = {
        "",
        "30",
        "3000",
        "30250201010420" ZERO,
        "30250201010420" ORDER,
        "30050201010400",
        "3026020101042100" SCALAR, /* a zero too many */
        "30250201000420" SCALAR,
        "30250201020420" SCALAR, /* versions */
        "30260201010420" SCALAR "00",
        SEC1 "00",                           /* something behind */
        "302e0201010420" SCALAR "a007" P384, /* another curve */
        "30330201010420" SCALAR "a00c" P256 "0500",
        "303e0201003010" EC P384 "0427" SEC1,
        "30410201023013" EC P256 "0427" SEC1,
        "30430201003013" EC P256 "0427" SEC1 "0500",
        "30250201010421" SCALAR,
        "3081250201010420" SCALAR,
        "30800201010420" SCALAR "0000",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(is_refused(bad[i]), "%s", bad[i]);
    ck_assert(!is_refused("30250201010420" ORDER_LESS));
}
END_TEST

/* What a file holds in PEM, with LABEL. */
static enum result parse_pem(const char *label, const char *hex, struct private_key **out)
{
    struct buffer der AUTO_BUFFER = octets_of(hex);
    char body[512], text[1024];
    base64_encode_text(buffer_bytes(&der), body);
    snprintf(text, sizeof(text), "text\n-----BEGIN %s-----\n%.40s\r\n%s\n-----END %s-----\n", label,
        body, body + 40, label);
    *out = NULL;
    return private_key_parse(bytes_of_string(text), out);
}

START_TEST(reads_pem)
{
    static const char *const labels[] = {"PRIVATE KEY", "EC PRIVATE KEY"};
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        struct private_key *key CLEANUP(auto_private_key_free) = NULL;
        ck_assert_int_eq(parse_pem(labels[i], SEC1_CURVE, &key), RESULT_OK);
        ck_assert_int_eq(
            parse_pem(labels[i], "3000", &(struct private_key *){NULL}), RESULT_BAD_INPUT);
    }
    ck_assert_int_eq(parse_pem("ENCRYPTED PRIVATE KEY", SEC1_CURVE, &(struct private_key *){NULL}),
        RESULT_BAD_INPUT);
    ck_assert_int_eq(private_key_parse(bytes_of_string("-----BEGIN PRIVATE KEY-----\nMA=="),
                         &(struct private_key *){NULL}),
        RESULT_BAD_INPUT);
}
END_TEST

/* --- signing --- */

static struct private_key *the_key;

static void expect_signature(struct bytes digest)
{
    uint8_t signature[ECDSA_SIGNATURE_OCTETS];
    size_t size = 0;
    ck_assert_int_eq(private_key_sign(the_key, digest, NULL, signature, &size), RESULT_OK);
    ck_assert(ecdsa_verify_digest(
        private_key_public(the_key).point, digest.data, bytes_of(signature, size)));
    uint8_t other[SHA256_OCTETS] = {1};
    ck_assert(
        !ecdsa_verify_digest(private_key_public(the_key).point, other, bytes_of(signature, size)));
}

static void *sign_often(void *number)
{
    uint8_t digest[SHA256_OCTETS] = {0};
    for (int i = 0; i < 100; i++) {
        digest[7] = (uint8_t)i;
        digest[31] = (uint8_t)(uintptr_t)number;
        expect_signature(bytes_of(digest, sizeof(digest)));
    }
    return NULL;
}

START_TEST(threads_sign)
{
    pthread_t threads[12];
    ck_assert_int_eq(parse(SEC1, &the_key), RESULT_OK);
    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, (void *)i), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    private_key_free(the_key);
}
END_TEST

/* OpenSSL cuts them, too. */
START_TEST(longer_digests_are_cut)
{
    uint8_t digest[64] = {3, 1, 4}, signature[ECDSA_SIGNATURE_OCTETS];
    size_t size = 0;
    ck_assert_int_eq(parse(SEC1, &the_key), RESULT_OK);
    struct bytes spki = private_key_public(the_key).spki;
    const unsigned char *at = spki.data;
    EVP_PKEY *openssl = d2i_PUBKEY(NULL, &at, (long)spki.size);
    for (size_t length = 32; length <= sizeof(digest); length += 16) {
        ck_assert_int_eq(
            private_key_sign(the_key, bytes_of(digest, length), NULL, signature, &size), RESULT_OK);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(openssl, NULL);
        ck_assert_int_eq(EVP_PKEY_verify_init(context), 1);
        ck_assert_int_eq(EVP_PKEY_verify(context, signature, size, digest, length), 1);
        EVP_PKEY_CTX_free(context);
    }
    ck_assert_int_eq(
        private_key_sign(the_key, bytes_of(digest, 31), NULL, signature, &size), RESULT_INTERNAL);
    EVP_PKEY_free(openssl);
    private_key_free(the_key);
}
END_TEST

CHECK_MAIN("x509/private_key", reads_both_forms, a_number_may_lack_its_leading_zeros,
    refuses_what_is_no_key, reads_pem, threads_sign, longer_digests_are_cut)
