/* SPDX-License-Identifier: MIT */
#include "client/reply.h"

#include <string.h>

#include "support/check_main.h"

#define TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

START_TEST(the_key_is_cut_out)
{
    static const char *const forms[] = {
        "{\"parameters\":{\"key\":{\"keyId\":\"\",\"key\":\"" TEXT "\"}}}",
        "{\"key\" :\r\n \"" TEXT "\"}",
        "{\"peer\":\"\\\"key\\\":\\\"x\",\"x\":\"\\\"key\",\"key\":\"" TEXT "\"}",
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        uint8_t key[E2EKEY_KEY_OCTETS];
        char *message = strdup(forms[i]);
        ck_assert(reply_cut_key(message, key));
        for (size_t octet = 0; octet < sizeof(key); octet++)
            ck_assert_uint_eq(key[octet], octet);
        ck_assert_ptr_null(strstr(message, "AAEC"));
        json_t *root = json_loads(message, 0, NULL);
        ck_assert_ptr_nonnull(root);
        json_decref(root);
        free(message);
    }
}
END_TEST

START_TEST(what_is_no_key_is_not_taken_for_one)
{
    static const char *const forms[] = {"", "{}", "{\"key\":{}}", "{\"key\":null}",
        "{\"key\":\"\"}", "{\"key\":\"AAEC\"}",
        "{\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==\"}",
        "{\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A\"}",
        "{\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"}",
        "{\"key\":\"AAEC!wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        uint8_t key[E2EKEY_KEY_OCTETS];
        char *message = strdup(forms[i]);
        ck_assert_msg(!reply_cut_key(message, key), "taken: %s", forms[i]);
        free(message);
    }
}
END_TEST

static int parse(const char *message)
{
    json_t *root = NULL;
    int error = reply_parse(message, strlen(message), &root);
    json_decref(root);
    return error;
}

START_TEST(errors_have_their_codes)
{
    ck_assert_int_eq(parse("{}"), E2EKEY_OK);
    ck_assert_int_eq(parse("{\"error\":\"org.e2ekeyd.Keys.NoSuchKey\"}"), E2EKEY_NO_SUCH_KEY);
    ck_assert_int_eq(parse("{\"error\":\"org.e2ekeyd.Keys.EventsLost\"}"), E2EKEY_EVENTS_LOST);
    ck_assert_int_eq(parse("{\"error\":\"org.varlink.service.PermissionDenied\"}"), E2EKEY_DENIED);
    ck_assert_int_eq(parse("{\"error\":\"org.varlink.service.InvalidParameter\"}"), E2EKEY_INVALID);
    ck_assert_int_eq(parse("{\"error\":\"org.example.Other\"}"), E2EKEY_PROTOCOL);
    static const char *const bad[] = {"", "x", "[]", "1", "{\"error\":1}", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(parse(bad[i]), E2EKEY_PROTOCOL);
}
END_TEST

static int read_key(const char *text, struct e2ekey_key *key)
{
    json_t *parameters = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(parameters);
    int error = reply_read_key(parameters, key);
    json_decref(parameters);
    return error;
}

#define NAMES                                                                                      \
    "\"keyId\":\"00112233445566778899aabbccddeeff\",\"peer\":\"//sp/cse/Cx\","                     \
    "\"local\":\"//sp/cse\",\"role\":\"terminating\",\"flavour\":\"aeId\",\"cipherSuite\":\"S\""

START_TEST(a_key_is_read_whole_or_not_at_all)
{
    struct e2ekey_key key;
    ck_assert_int_eq(
        read_key("{\"key\":{" NAMES ",\"established\":5,\"expires\":6,\"new\":1}}", &key),
        E2EKEY_OK);
    ck_assert_str_eq(key.peer, "//sp/cse/Cx");
    ck_assert_str_eq(key.cipher_suite, "S");
    ck_assert_int_eq(key.established, 5);
    ck_assert_int_eq(key.expires, 6);
    static const char *const bad[] = {"{}", "{\"key\":1}", "{\"key\":{}}",
        "{\"key\":{" NAMES ",\"established\":5}}",
        "{\"key\":{" NAMES ",\"established\":5,\"expires\":\"6\"}}",
        "{\"key\":{\"keyId\":\"00112233445566778899aabbccddeeff0\",\"peer\":\"//sp/cse/Cx\","
        "\"local\":\"//sp/cse\",\"role\":\"terminating\",\"flavour\":\"aeId\","
        "\"cipherSuite\":\"S\",\"established\":5,\"expires\":6}}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(read_key(bad[i], &key), E2EKEY_PROTOCOL);
}
END_TEST

CHECK_MAIN("client/reply", the_key_is_cut_out, what_is_no_key_is_not_taken_for_one,
    errors_have_their_codes, a_key_is_read_whole_or_not_at_all)
