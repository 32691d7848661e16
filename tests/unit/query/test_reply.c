/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/reply.h"

#include <string.h>

#include "support/check_main.h"

static struct key_info sample(void)
{
    struct key_info info = {
        .peer = "//m2m.example/in-cse/Cmeter",
        .local = "//m2m.example/in-cse",
        .role = KEY_ROLE_TERMINATING,
        .flavour = FLAVOUR_AE_ID,
        .cipher_suite = 0xc023,
        .established_s = 1700000000,
        .expires_s = 1700086400,
    };
    for (uint8_t i = 0; i < KEY_ID_OCTETS; i++)
        info.id[i] = (uint8_t)(0xa0 + i);
    return info;
}

static const uint8_t key[KEY_OCTETS] = "0123456789abcdef0123456789abcde";

static void ck_assert_reply(const struct key_reply *reply, const char *wanted)
{
    struct buffer out = {.limit = 65536};
    ck_assert_int_eq(reply_key(&out, reply), RESULT_OK);
    ck_assert_str_eq((const char *)out.data, wanted);
    ck_assert_uint_eq(out.size, strlen(wanted) + 1);
    buffer_release(&out);
}

#define SHOWN                                                                                      \
    "\"peer\":\"//m2m.example/in-cse/Cmeter\",\"local\":\"//m2m.example/in-cse\","                 \
    "\"role\":\"terminating\",\"flavour\":\"aeId\","                                               \
    "\"cipherSuite\":\"ECDHE-ECDSA-AES128-SHA256\","                                               \
    "\"established\":1700000000,\"expires\":1700086400}"

START_TEST(a_key_has_one_shape)
{
    struct key_info info = sample();
    ck_assert_reply(&(struct key_reply){.info = &info, .key = key},
        "{\"parameters\":{\"key\":{\"keyId\":\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\","
        "\"key\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQA=\"," SHOWN "}}");
    ck_assert_reply(&(struct key_reply){.info = &info, .continues = true},
        "{\"parameters\":{\"key\":{\"keyId\":\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\"," SHOWN
        "},\"continues\":true}");
    ck_assert_reply(&(struct key_reply){.info = &info, .event = "revoked", .continues = true},
        "{\"parameters\":{\"event\":\"revoked\",\"key\":{\"keyId\":"
        "\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\"," SHOWN "},\"continues\":true}");
}
END_TEST

START_TEST(any_text_becomes_good_json)
{
    struct key_info info = sample();
    info.cipher_suite = 0x1301;
    memset(info.peer, '"', sizeof(info.peer) - 1);
    memset(info.local, '\x01', sizeof(info.local) - 1);
    struct buffer out = {.limit = 65536};
    ck_assert_int_eq(
        reply_key(&out, &(struct key_reply){.info = &info, .key = key, .event = "established"}),
        RESULT_OK);
    json_t *root = json_loadb((const char *)out.data, out.size - 1, 0, NULL);
    const json_t *read = json_object_get(json_object_get(root, "parameters"), "key");
    ck_assert_str_eq(json_string_value(json_object_get(read, "peer")), info.peer);
    ck_assert_str_eq(json_string_value(json_object_get(read, "local")), info.local);
    ck_assert_str_eq(json_string_value(json_object_get(read, "cipherSuite")), "0x1301");
    json_decref(root);
    buffer_release(&out);
}
END_TEST

START_TEST(errors_have_their_parameters)
{
    struct buffer out = {.limit = 65536};
    ck_assert_int_eq(reply_error(&out, ERROR_NO_SUCH_KEY), RESULT_OK);
    ck_assert_str_eq(
        (char *)out.data, "{\"error\":\"org.e2ekeyd.Keys.NoSuchKey\",\"parameters\":{}}");
    size_t first = out.size;
    ck_assert_int_eq(
        reply_error_about(&out, ERROR_INVALID_PARAMETER, "parameter", "keyId"), RESULT_OK);
    ck_assert_str_eq((char *)out.data + first,
        "{\"error\":\"org.varlink.service.InvalidParameter\","
        "\"parameters\":{\"parameter\":\"keyId\"}}");
    buffer_release(&out);
}
END_TEST

START_TEST(without_room_nothing_is_left_behind)
{
    struct key_info info = sample();
    struct buffer out = {.limit = 20};
    ck_assert_int_eq(reply_key(&out, &(struct key_reply){.info = &info}), RESULT_BUSY);
    ck_assert_int_eq(reply_error(&out, ERROR_NO_SUCH_KEY), RESULT_BUSY);
    ck_assert_int_eq(
        reply_json(&out, json_pack("{s:s}", "long", "enough not to fit")), RESULT_BUSY);
    ck_assert_int_eq(reply_json(&out, NULL), RESULT_NO_MEMORY);
    ck_assert_uint_eq(out.size, 0);
    buffer_release(&out);
}
END_TEST

CHECK_MAIN("query/reply", a_key_has_one_shape, any_text_becomes_good_json,
    errors_have_their_parameters, without_room_nothing_is_left_behind)
