/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/media.h"

#include <string.h>

#include "base/cleanup.h"
#include "support/check_main.h"

START_TEST(supported_types)
{
    static const char *const good[] = {"application/json", "Application/JSON",
        "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/vnd.onem2m-res+json", "application/vnd.onem2m-ntfy+json", " application/json ",
        "application/json;", "application/json;;x", "application/json;x=y;z"};
    static const char *const bad[] = {"", " ", "application", "application/xml", "text/json",
        "application/vnd.onem2m-res+cbor", "application/vnd.onem2m-res+xml", "application/jsonx",
        "application/json; charset=iso-8859-1", "application/json, application/json",
        "application/json;charset=utf-8-and-something-else", ";ty=3", "*/*"};
    struct media_type type;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        media_type_read(good[i], &type);
        ck_assert_msg(type.serialization, "%s", good[i]);
        ck_assert(!type.has_resource_type);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        media_type_read(bad[i], &type);
        ck_assert_msg(!type.serialization, "%s", bad[i]);
    }
}
END_TEST

START_TEST(resource_type_anywhere)
{
    static const char *const texts[] = {"application/json;ty=30001", "application/json; ty=30001",
        "application/json ; TY = 30001 ;charset=utf-8", "application/json;charset=utf-8;ty=30001",
        "application/json;ty=\"30001\"", "application/json;ty=\"30\\001\"",
        "application/json;a=\"x;ty=5,\\\"\";ty=30001",
        "application/vnd.onem2m-res+json;\tty=30001"};
    struct media_type type;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        media_type_read(texts[i], &type);
        ck_assert_msg(
            type.serialization && type.has_resource_type && !type.is_repeated, "%s", texts[i]);
        ck_assert_str_eq(type.resource_type, "30001");
    }
}
END_TEST

START_TEST(odd_resource_types)
{
    struct media_type type;

    media_type_read("application/xml;ty=3", &type);
    ck_assert(!type.serialization && type.has_resource_type);
    media_type_read("application/json;ty", &type);
    ck_assert(type.has_resource_type);
    ck_assert_str_eq(type.resource_type, "");
    media_type_read("application/json;ty=1;ty=1", &type);
    ck_assert(type.is_repeated);
    media_type_read("application/json;ty=1234567890123456789", &type);
    ck_assert_uint_eq(strlen(type.resource_type), MEDIA_TY_OCTETS - 1);
    media_type_read("application/json;ty=\"3", &type);
    ck_assert_str_eq(type.resource_type, "3");
    media_type_read("application/json;ty=\"3\\", &type);
    ck_assert_str_eq(type.resource_type, "3\\");
    media_type_read("application/json;type=3;xty=4", &type);
    ck_assert(!type.has_resource_type);
}
END_TEST

#define JSON     "application/json"
#define RESPONSE "application/vnd.onem2m-res+json"

static const struct {
    const char *accept, *choice;
} choices[] = {
    {"", JSON},
    {" , ", JSON},
    {"*/*", JSON},
    {"application/*", JSON},
    {"application/json", JSON},
    {"APPLICATION/JSON", JSON},
    {"application/json;charset=utf-8", JSON},
    {"text/html, application/xml;q=0.9, */*;q=0.8", JSON},
    {RESPONSE, RESPONSE},
    {RESPONSE ", " JSON, JSON},
    {RESPONSE ";q=1, " JSON ";q=0.001", JSON},
    {"application/json;q=0, " RESPONSE, RESPONSE},
    {"application/json;q=0, */*", RESPONSE},
    {"*/*, application/json;q=0.000", RESPONSE},
    {"application/*;q=0, */*;q=1, " RESPONSE ";q=0.5", RESPONSE},
    {"text/plain;a=\",application/json\"", NULL},
    {"text/html", NULL},
    {"application/xml, application/cbor", NULL},
    {"*/*;q=0", NULL},
    {"application/*;q=0", NULL},
    {"application/json;q=0", NULL},
    {"application/json;q=x", NULL},
    {"application/json;q=", NULL},
    {"application/json;q=1.5", NULL},
    {"application/json;q=-1", NULL},
    {"application/json;q=0.0001", NULL},
    {"json", NULL},
    {"*", NULL},
};

START_TEST(accept_picks_an_answer)
{
    for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
        struct media_accept accept = {0};
        media_accept_add(&accept, choices[i].accept);
        const char *choice = media_accept_choice(&accept);
        ck_assert_msg(choice == choices[i].choice ||
                          (choice && choices[i].choice && strcmp(choice, choices[i].choice) == 0),
            "%s: %s", choices[i].accept, choice ? choice : "none");
    }
}
END_TEST

START_TEST(accept_may_come_in_parts)
{
    struct media_accept accept = {0};

    ck_assert_str_eq(media_accept_choice(&accept), JSON);
    media_accept_add(&accept, "text/html");
    ck_assert_ptr_null(media_accept_choice(&accept));
    media_accept_add(&accept, RESPONSE);
    ck_assert_str_eq(media_accept_choice(&accept), RESPONSE);
}
END_TEST

START_TEST(the_list_is_for_people)
{
    char text[MEDIA_LIST_OCTETS];

    media_list(true, text);
    ck_assert_str_eq(text, JSON " or " RESPONSE);
    media_list(false, text);
    ck_assert_str_eq(text, JSON ", " RESPONSE " or application/vnd.onem2m-ntfy+json");
}
END_TEST

CHECK_MAIN("http/media", the_list_is_for_people, supported_types, resource_type_anywhere,
    odd_resource_types, accept_picks_an_answer, accept_may_come_in_parts)
