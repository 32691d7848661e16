/* SPDX-License-Identifier: MIT */
#include "client/varlink_reply.h"

#include <stdio.h>
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
        uint8_t key[REPLY_KEY_OCTETS];
        char *message = strdup(forms[i]);
        ck_assert(varlink_reply_cut_key(message, key));
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
        uint8_t key[REPLY_KEY_OCTETS];
        char *message = strdup(forms[i]);
        ck_assert_msg(!varlink_reply_cut_key(message, key), "taken: %s", forms[i]);
        free(message);
    }
}
END_TEST

/* The varlink error that MESSAGE tells, "" if it tells none, NULL if it is no reply. */
static const char *error_of(const char *message)
{
    static char name[64];
    const char *error;
    json_t *root = varlink_reply_parse(message, strlen(message), &error);
    if (!root)
        return NULL;
    snprintf(name, sizeof(name), "%s", error ? error : "");
    json_decref(root);
    return name;
}

START_TEST(a_reply_is_an_object_with_or_without_an_error)
{
    ck_assert_str_eq(error_of("{}"), "");
    ck_assert_str_eq(error_of("{\"parameters\":{}}"), "");
    ck_assert_str_eq(error_of("{\"error\":\"org.example.Other\"}"), "org.example.Other");
    static const char *const bad[] = {"", "x", "[]", "1", "{\"error\":1}", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_ptr_null(error_of(bad[i]));
}
END_TEST

START_TEST(members_are_read_whole_or_not_at_all)
{
    json_t *object = json_loads("{\"text\":\"four\",\"time\":5}", 0, NULL);
    char text[5], little[4];
    int64_t time;
    ck_assert(varlink_reply_read_text(object, "text", text, sizeof(text)));
    ck_assert_str_eq(text, "four");
    ck_assert(!varlink_reply_read_text(object, "text", little, sizeof(little)));
    ck_assert(!varlink_reply_read_text(object, "time", text, sizeof(text)));
    ck_assert(!varlink_reply_read_text(object, "none", text, sizeof(text)));
    ck_assert(varlink_reply_read_time(object, "time", &time));
    ck_assert_int_eq(time, 5);
    ck_assert(!varlink_reply_read_time(object, "text", &time));
    ck_assert(!varlink_reply_read_time(NULL, "time", &time));
    json_decref(object);
}
END_TEST

CHECK_MAIN("client/varlink_reply", the_key_is_cut_out, what_is_no_key_is_not_taken_for_one,
    a_reply_is_an_object_with_or_without_an_error, members_are_read_whole_or_not_at_all)
