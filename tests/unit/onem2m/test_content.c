/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/content.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

enum kind { E2EK, E2EK_CREATE, SECI };

static struct given_attributes given; /* by the last Create */
static enum security_info type;       /* of the last Notify */

static enum result read_as(
    enum kind kind, const char *json, struct buffer *message, struct fault *fault)
{
    const struct request request = {.content = bytes_of_string(json)};

    given = (struct given_attributes){0};
    return kind == SECI
               ? content_read_seci(&request, &type, message, fault)
               : content_read_e2ek(&request, kind == E2EK_CREATE ? &given : NULL, message, fault);
}

static void expect_message(enum kind kind, const char *json, const char *octets)
{
    struct buffer message AUTO_BUFFER = {.limit = 8};
    struct fault fault = FAULT_INIT;

    ck_assert_msg(read_as(kind, json, &message, &fault) == RESULT_OK, "%s: %s", json, fault.text);
    ck_assert(bytes_equal(buffer_bytes(&message), bytes_of_string(octets)));
}

static void expect_refusal(enum kind kind, const char *json, enum result result, const char *says)
{
    struct buffer message AUTO_BUFFER = {.limit = 8};
    struct fault fault = FAULT_INIT;

    ck_assert_msg(read_as(kind, json, &message, &fault) == result, "%s", json);
    ck_assert_int_eq(fault.result, result);
    ck_assert_msg(strstr(fault.text, says), "%s: %s", json, fault.text);
    ck_assert_uint_eq(message.size, 0);
}

START_TEST(reads_messages)
{
    expect_message(E2EK, "{\"m2m:e2ek\":{\"eckm\":\"Zm9vYmFy\"}}", "foobar");
    expect_message(E2EK, " {\"m2m:e2ek\" : {\n\"eckm\":\t\"Zg==\" } }\r\n", "f");
    expect_message(E2EK, "{\"m2m:e2ek\":{\"eckm\":\"Zm9vYmFyMTI=\"}}", "foobar12");
    expect_message(E2EK, "{\"m2m:e2ek\":{\"\\u0065ckm\":\"Z\\u006d9v\"}}", "foo");
    expect_message(E2EK, "{\"m2m:e2ek\":{\"eckm\":\" Zm\\r\\n9v\\tYm Fy\\n\"}}", "foobar");
    expect_message(E2EK_CREATE, "{\"m2m:e2ek\":{\"rn\":\"mine\",\"eckm\":\"Zm9v\"}}", "foo");
    expect_message(E2EK_CREATE, "{\"m2m:e2ek\":{\"eckm\":\"Zm9v\"}}", "foo");
    expect_message(SECI, "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"Zm9v\"}}", "foo");
    expect_message(SECI, "{\"m2m:seci\":{\"eckm\":\"Zm9v\",\"sit\":6.0}}", "foo");
}
END_TEST

START_TEST(reads_requests_for_a_random_object)
{
    static const char *const forms[] = {"3", "3.0"}; /* tinyIoT rewrites numbers */

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char json[64];
        snprintf(json, sizeof(json), "{\"m2m:seci\":{\"sit\":%s}}", forms[i]);
        expect_message(SECI, json, "");
        ck_assert_int_eq(type, SECURITY_INFO_RAND_OBJECT_REQUEST);
    }
    expect_message(SECI, "{\"m2m:seci\":{\"sit\":6.0,\"eckm\":\"Zm9v\"}}", "foo");
    ck_assert_int_eq(type, SECURITY_INFO_ESCERTKE);
}
END_TEST

START_TEST(refuses_what_is_not_the_content)
{
    static const char *const bad[] = {"", " ", "{", "[]", "null", "6", "\"m2m:e2ek\"", "{}",
        "{\"m2m:e2ek\":{\"eckm\":\"Zm9v\"}}x", "{\"m2m:e2ek\":{\"eckm\":\"Zm9v\"}}{}",
        "{\"m2m:e2ek\":null}", "{\"m2m:e2ek\":[]}", "{\"m2m:e2ek\":\"Zm9v\"}",
        "{\"e2ek\":{\"eckm\":\"Zm9v\"}}", "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"Zm9v\"}}",
        "{\"m2m:e2ek\":{\"eckm\":\"Zm9v\"},\"m2m:dbg\":\"\"}", "{\"m2m:e2ek\":{\"eckm\":\"\xff\"}}",
        "{\"m2m:e2ek\":{\"eckm\":\"Zm\\u00009v\"}}", "{'m2m:e2ek':{'eckm':'Zm9v'}}"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refusal(E2EK, bad[i], RESULT_BAD_REQUEST, "content is not");
    expect_refusal(
        SECI, "{\"m2m:e2ek\":{\"eckm\":\"Zm9v\"}}", RESULT_BAD_REQUEST, "content is not");
}
END_TEST

START_TEST(refuses_deep_nesting)
{
    char json[20001];

    memset(json, '[', sizeof(json) - 1);
    json[sizeof(json) - 1] = '\0';
    expect_refusal(E2EK, json, RESULT_BAD_REQUEST, "content is not JSON");
}
END_TEST

START_TEST(refuses_members_by_name)
{
    static const struct {
        enum kind kind;
        const char *members, *says;
    } bad[] = {
        {E2EK, "", "eckm is missing"},
        {E2EK, "\"eckm\":6", "eckm is not a string"},
        {E2EK, "\"eckm\":null", "eckm is not a string"},
        {E2EK, "\"eckm\":\"Zm9v\",\"eckm\":\"Zm9v\"", "duplicate"},
        {E2EK, "\"eckm\":\"Zm9v\",\"est\":2", "unknown member \"est\""},
        {E2EK, "\"eckm\":\"Zm9v\",\"sit\":6", "unknown member \"sit\""},
        {E2EK, "\"eckm\":\"Zm9v\",\"ECKM\":\"Zm9v\"", "unknown member \"ECKM\""},
        {E2EK, "\"eckm\":\"Zm9v\",\"\\n\":1", "unknown member \"\\x0a\""},
        {E2EK, "\"eckm\":\"Zm9v\",\"rn\":\"mine\"", "rn can only be given in Create"},
        {E2EK_CREATE, "\"eckm\":\"Zm9v\",\"rn\":6", "rn is not a name"},
        {E2EK_CREATE, "\"eckm\":\"Zm9v\",\"rn\":\"\"", "rn is not a name"},
        {E2EK_CREATE, "\"rn\":\"mine\"", "eckm is missing"},
        {E2EK, "\"eckm\":\"Zm9v\",\"et\":\"20300101T000000\"", "et can only be given in Create"},
        {E2EK, "\"eckm\":\"Zm9v\",\"lbl\":[]", "lbl can only be given in Create"},
        {E2EK_CREATE, "\"et\":\"20300231T000000\"", "et is not a time"},
        {E2EK_CREATE, "\"et\":\"30000\"", "et is not a time"},
        {E2EK_CREATE, "\"et\":20300101", "et is not a time"},
        {E2EK_CREATE, "\"lbl\":\"a\"", "lbl is not a list"},
        {E2EK_CREATE, "\"lbl\":[\"a\",\"\"]", "element that is not a text"},
        {E2EK_CREATE, "\"lbl\":[1]", "element that is not a text"},
        {E2EK_CREATE, "\"lbl\":[\"a\\u0000b\"]", "not JSON"},
        {SECI, "\"lbl\":[]", "unknown member \"lbl\""},
        {SECI, "\"sit\":6", "eckm is missing"},
        {SECI, "\"sit\":3,\"eckm\":\"Zm9v\"", "eckm has no place beside sit 3"},
        {SECI, "\"sit\":3,\"ero\":{}", "unknown member \"ero\""},
        {SECI, "\"eckm\":\"Zm9v\"", "sit is missing"},
        {SECI, "\"eckm\":\"Zm9v\",\"sit\":300", "sit is not 6"},
        {SECI, "\"eckm\":\"Zm9v\",\"sit\":6.5", "sit is not 6"},
        {SECI, "\"eckm\":\"Zm9v\",\"sit\":\"6\"", "sit is not 6"},
        {SECI, "\"eckm\":\"Zm9v\",\"sit\":6,\"rn\":\"mine\"", "unknown member \"rn\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char json[256];
        const char *root = bad[i].kind == SECI ? "seci" : "e2ek";
        snprintf(json, sizeof(json), "{\"m2m:%s\":{%s}}", root, bad[i].members);
        expect_refusal(bad[i].kind, json, RESULT_BAD_REQUEST, bad[i].says);
    }
}
END_TEST

START_TEST(reads_the_attributes_of_a_create)
{
    static const char labels[] = "place:hall\0\xc3\xa9\"";

    expect_message(E2EK_CREATE,
        "{\"m2m:e2ek\":{\"lbl\":[\"place:hall\",\"\\u00e9\\\"\"],\"et\":\"20261113T000030,5\","
        "\"eckm\":\"Zm9v\"}}",
        "foo");
    ck_assert_int_eq(given.et_us, INT64_C(1794528030500000));
    ck_assert(
        bytes_equal(bytes_of(given.labels, given.labels_octets), bytes_of(labels, sizeof(labels))));
    expect_message(E2EK_CREATE, "{\"m2m:e2ek\":{\"lbl\":[],\"eckm\":\"Zm9v\"}}", "foo");
    ck_assert_uint_eq(given.labels_octets, 0);
    ck_assert_int_eq(given.et_us, 0);
}
END_TEST

START_TEST(labels_have_a_bound)
{
    char text[LABELS_OCTETS], json[LABELS_OCTETS + 64];

    memset(text, 'x', sizeof(text));
    text[LABELS_OCTETS - 1] = '\0';
    snprintf(json, sizeof(json), "{\"m2m:e2ek\":{\"lbl\":[\"%s\"],\"eckm\":\"Zm9v\"}}", text);
    expect_message(E2EK_CREATE, json, "foo");
    ck_assert_uint_eq(given.labels_octets, LABELS_OCTETS);
    snprintf(json, sizeof(json), "{\"m2m:e2ek\":{\"lbl\":[\"%s\",\"y\"],\"eckm\":\"Zm9v\"}}", text);
    expect_refusal(E2EK_CREATE, json, RESULT_BAD_REQUEST, "lbl is larger than 256 octets");
}
END_TEST

START_TEST(other_notifications_are_refused_as_such)
{
    static const struct {
        const char *json, *says;
    } others[] = {
        {"{\"m2m:sgn\":{\"vrq\":true,\"sur\":\"/in-cse/sub\"}}", "m2m:sgn is not taken"},
        {"{\"m2m:sgn\":null}", "m2m:sgn is not taken"},
        {"{\"m2m:agn\":[]}", "m2m:agn is not taken"},
        {"{\"m2m:seci\":{\"sit\":5,\"eckm\":\"Zm9v\"}}", "sit 5 is not taken"},
        {"{\"m2m:seci\":{\"dasr\":{},\"sit\":1.0}}", "sit 1 is not taken"},
        {"{\"m2m:seci\":{\"sit\":255}}", "sit 255 is not taken"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        expect_refusal(SECI, others[i].json, RESULT_UNSUPPORTED_NOTIFICATION, others[i].says);
    expect_refusal(SECI, "{\"m2m:sgn\":{},\"m2m:seci\":{}}", RESULT_BAD_REQUEST, "content is not");
    expect_refusal(SECI, "{\"sgn\":{}}", RESULT_BAD_REQUEST, "content is not");
    expect_refusal(SECI, "[]", RESULT_BAD_REQUEST, "content is not");
    expect_refusal(E2EK, "{\"m2m:sgn\":{}}", RESULT_BAD_REQUEST, "content is not");
}
END_TEST

START_TEST(base64_is_strict)
{
    static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Zh==", "Zm9 ", "Zm9v\\f", "Zm_v",
        "Zm-v", "====", "Zg==Zg==", "Zm9\\u00e9"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char json[256];
        snprintf(json, sizeof(json), "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", bad[i]);
        expect_refusal(E2EK, json, RESULT_BAD_REQUEST, "base64");
    }
}
END_TEST

START_TEST(message_has_bounds)
{
    expect_refusal(E2EK, "{\"m2m:e2ek\":{\"eckm\":\"\"}}", RESULT_BAD_MESSAGE, "eckm is empty");
    expect_refusal(E2EK, "{\"m2m:e2ek\":{\"eckm\":\"Zm9vYmFyMTIz\"}}", RESULT_BAD_MESSAGE,
        "eckm is larger than 8 octets");
    expect_refusal(SECI, "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"Zm9vYmFyMTIz\"}}", RESULT_BAD_MESSAGE,
        "eckm is larger than 8 octets");
}
END_TEST

/* --- writing --- */

static void expect_text(const struct response *response, const char *text)
{
    const struct buffer *content = &response->content;

    ck_assert_msg(bytes_equal(buffer_bytes(content), bytes_of_string(text)), "%.*s",
        (int)content->size, (const char *)content->data);
}

static void expect_refusal_text(const struct refusal_content *refusal, const char *text)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};

    ck_assert_int_eq(content_write_refusal(refusal, &out), RESULT_OK);
    expect_text(&out, text);
}

static const struct e2ek pending = {
    .rn = "ab",
    .ri = "cd",
    .pi = "e2EKeyCSE",
    .ty = 30001,
    .ct_s = 0,
    .lt_s = 1794528000,
    .et_s = 1794528030,
    .est = EST_AWAITING_MESSAGE3,
    .lid = "//m2m.example/in-cse",
    .message = {(const uint8_t *)"foo", 3},
};

#define PENDING_TEXT                                                                               \
    "\"m2m:e2ek\":{\"rn\":\"ab\",\"ty\":30001,\"ri\":\"cd\",\"pi\":\"e2EKeyCSE\","                 \
    "\"ct\":\"19700101T000000\",\"lt\":\"20261113T000000\",\"et\":\"20261113T000030\","            \
    "\"est\":1,\"lid\":\"//m2m.example/in-cse\",\"eckm\":\"Zm9v\"}"

START_TEST(writes_an_exchange)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    struct response wrapped CLEANUP(response_release) = {.content.limit = 4096};

    ck_assert_int_eq(content_write_e2ek(&pending, NULL, &out), RESULT_OK);
    expect_text(&out, "{" PENDING_TEXT "}");
    ck_assert_int_eq(content_write_e2ek(&pending, "/in-cse/cd", &wrapped), RESULT_OK);
    expect_text(&wrapped, "{\"m2m:rce\":{\"uri\":\"/in-cse/cd\"," PENDING_TEXT "}}");
}
END_TEST

START_TEST(writes_an_established_exchange)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    struct e2ek e2ek = pending;

    e2ek.est = EST_ESTABLISHED;
    e2ek.kid = "00112233445566778899aabbccddeeff";
    e2ek.kex_s = 1794614400;
    e2ek.labels = bytes_of("a\"\0b", 5);
    e2ek.message = (struct bytes){0};
    ck_assert_int_eq(content_write_e2ek(&e2ek, NULL, &out), RESULT_OK);
    expect_text(&out,
        "{\"m2m:e2ek\":{\"rn\":\"ab\",\"ty\":30001,\"ri\":\"cd\",\"pi\":\"e2EKeyCSE\","
        "\"ct\":\"19700101T000000\",\"lt\":\"20261113T000000\",\"et\":\"20261113T000030\","
        "\"lbl\":[\"a\\\"\",\"b\"],\"est\":2,\"kid\":\"00112233445566778899aabbccddeeff\","
        "\"kex\":\"20261114T000000\",\"lid\":\"//m2m.example/"
        "in-cse\"}}");
}
END_TEST

START_TEST(writes_the_entry_point)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    const struct bytes certificates[] = {bytes_of("foo", 3), bytes_of("b", 1)};
    const struct e2ek e2ek = {
        .rn = "e2EKeyCSE",
        .ri = "e2EKeyCSE",
        .pi = "cse-in",
        .ty = 30001,
        .certificates = certificates,
        .certificate_count = 2,
        .esprim = true,
        .entry_point = true,
    };

    ck_assert_int_eq(content_write_e2ek(&e2ek, NULL, &out), RESULT_OK);
    expect_text(&out, "{\"m2m:e2ek\":{\"rn\":\"e2EKeyCSE\",\"ty\":30001,\"ri\":\"e2EKeyCSE\","
                      "\"pi\":\"cse-in\",\"ct\":\"19700101T000000\",\"lt\":\"19700101T000000\","
                      "\"esi\":{\"esf\":[43,44,45],\"escert\":[\"Zm9v\",\"Yg==\"]}}}");
}
END_TEST

START_TEST(writes_the_cse_base)
{
    static const char *const addresses[] = {"http://127.0.0.1:8383", "coap://a/\"b"};
    static const char *const releases[] = {"2a"};
    static const int types[] = {5, 28};
    const struct bytes certificates[] = {bytes_of("foo", 3)};
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    struct fault fault = FAULT_INIT;
    struct cse_base cse_base = {
        .rn = "cse-in",
        .ri = "in-cse",
        .csi = "/in-cse",
        .lt_s = 1794528000,
        .srt = types,
        .srt_count = 2,
        .poa = addresses,
        .poa_count = 2,
        .srv = releases,
        .srv_count = 1,
        .certificates = certificates,
        .certificate_count = 1,
    };

    ck_assert_int_eq(content_write_cse_base(&cse_base, &out, &fault), RESULT_OK);
    expect_text(&out,
        "{\"m2m:cb\":{\"rn\":\"cse-in\",\"ty\":5,\"ri\":\"in-cse\",\"ct\":\"19700101T000000\","
        "\"lt\":\"20261113T000000\",\"cst\":1,\"csi\":\"/in-cse\",\"srt\":[5,28],"
        "\"poa\":[\"http://127.0.0.1:8383\",\"coap://a/\\\"b\"],\"rr\":true,\"srv\":[\"2a\"],"
        "\"csz\":[\"application/json\"],\"esi\":{\"esf\":[44,45],\"escert\":[\"Zm9v\"]}}}");
    out.content.size = 0;
    cse_base.only = "poa";
    ck_assert_int_eq(content_write_cse_base(&cse_base, &out, &fault), RESULT_OK);
    expect_text(&out, "{\"m2m:cb\":{\"poa\":[\"http://127.0.0.1:8383\",\"coap://a/\\\"b\"]}}");
}
END_TEST

START_TEST(writes_notify_content)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};

    ck_assert_int_eq(content_write_seci(bytes_of("foob", 4), &out), RESULT_OK);
    expect_text(&out, "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"Zm9vYg==\"}}");
}
END_TEST

START_TEST(writes_a_random_object)
{
    const struct rand_object_content object = {.id = "u1", .value = "r2", .expires_s = 1794528000};
    struct response out CLEANUP(response_release) = {.content.limit = 4096};

    ck_assert_int_eq(content_write_rand_object(&object, &out), RESULT_OK);
    expect_text(&out, "{\"m2m:seci\":{\"sit\":4,\"ero\":{\"esri\":\"u1\",\"esrv\":\"r2\","
                      "\"esrx\":\"20261113T000000\",\"esks\":[1],\"espa\":[12]}}}");
}
END_TEST

START_TEST(writes_refusals)
{
    const struct bytes alert = bytes_of("foo", 3);

    expect_refusal_text(&(struct refusal_content){.text = "no"}, "{\"m2m:dbg\":\"no\"}");
    expect_refusal_text(
        &(struct refusal_content){.text = "no", .alert = alert, .root = CONTENT_E2EK},
        "{\"m2m:dbg\":\"no\",\"m2m:e2ek\":{\"est\":3,\"eckm\":\"Zm9v\"}}");
    expect_refusal_text(
        &(struct refusal_content){.text = "no", .alert = alert, .root = CONTENT_SECI},
        "{\"m2m:dbg\":\"no\",\"m2m:seci\":{\"sit\":6,\"eckm\":\"Zm9v\"}}");
}
END_TEST

START_TEST(escapes_text)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    const char *text = "a \"quoted\" \\ back\nslash\x01";

    ck_assert_int_eq(
        content_write_refusal(&(struct refusal_content){.text = text}, &out), RESULT_OK);
    json_t *json = json_loadb((const char *)out.content.data, out.content.size, 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert(memmem(out.content.data, out.content.size, "\\\"quoted\\\" \\\\ back\\u000a", 22));
    ck_assert_str_eq(json_string_value(json_object_get(json, "m2m:dbg")), text);
    json_decref(json);
}
END_TEST

START_TEST(writing_keeps_the_limit)
{
    for (size_t limit = 0; limit < strlen("{" PENDING_TEXT "}"); limit++) {
        struct response out CLEANUP(response_release) = {.content.limit = limit};
        ck_assert_int_eq(content_write_e2ek(&pending, NULL, &out), RESULT_BUSY);
    }
}
END_TEST

/* --- at the Initiating End-Point --- */

START_TEST(writes_requests_that_are_read_again)
{
    static const enum content_root roots[] = {CONTENT_E2EK, CONTENT_SECI};
    for (size_t i = 0; content_type(i); i++)
        for (size_t j = 0; j < ARRAY_SIZE(roots); j++) {
            struct buffer text AUTO_BUFFER = {.limit = 4096};
            struct buffer message AUTO_BUFFER = {.limit = 8};
            struct fault fault = FAULT_INIT;
            struct request request = {
                .serialization = content_serialization(bytes_of_string(content_type(i)->name))};
            ck_assert_int_eq(
                content_write_message(request.serialization, roots[j], bytes_of("foob", 4), &text),
                RESULT_OK);
            request.content = buffer_bytes(&text);
            ck_assert_int_eq(roots[j] == CONTENT_SECI
                                 ? content_read_seci(&request, &type, &message, &fault)
                                 : content_read_e2ek(&request, NULL, &message, &fault),
                RESULT_OK);
            ck_assert(bytes_equal(buffer_bytes(&message), bytes_of("foob", 4)));
        }
}
END_TEST

START_TEST(reads_answers_that_it_writes)
{
    struct response out CLEANUP(response_release) = {.content.limit = 4096};
    struct answer_content answer = {.message.limit = 8};
    struct fault fault;
    struct e2ek e2ek = pending;

    e2ek.kid = "00112233445566778899aabbccddeeff";
    ck_assert_int_eq(content_write_e2ek(&e2ek, NULL, &out), RESULT_OK);
    ck_assert_int_eq(
        content_read_answer(NULL, buffer_bytes(&out.content), &answer, &fault), RESULT_OK);
    ck_assert(bytes_equal(buffer_bytes(&answer.message), bytes_of("foo", 3)));
    ck_assert_str_eq(answer.key_id, e2ek.kid);
    ck_assert_str_eq(answer.local, e2ek.lid);
    ck_assert_str_eq(answer.reason, "");
    buffer_release(&answer.message);
}
END_TEST

static enum result read_answer(const char *json, struct answer_content *answer)
{
    struct fault fault;
    buffer_release(&answer->message);
    *answer = (struct answer_content){.message.limit = 8};
    return content_read_answer(NULL, bytes_of_string(json), answer, &fault);
}

START_TEST(reads_answers_of_others)
{
    struct answer_content answer = {0};

    /* An alert with its reason; members that we do not know are nothing to us. */
    ck_assert_int_eq(read_answer("{\"m2m:dbg\":\"no\\n\",\"m2m:seci\":{\"sit\":6,\"x\":[],"
                                 "\"eckm\":\"Zm9v\"},\"m2m:other\":{}}",
                         &answer),
        RESULT_OK);
    ck_assert_str_eq(answer.reason, "no\\x0a");
    ck_assert(bytes_equal(buffer_bytes(&answer.message), bytes_of("foo", 3)));
    ck_assert_int_eq(
        read_answer(
            "{\"m2m:e2ek\":{\"rn\":\"ab\",\"pi\":\"keys\",\"kex\":\"20261113T000000\"}}", &answer),
        RESULT_OK);
    ck_assert_str_eq(answer.name, "ab");
    ck_assert_str_eq(answer.parent, "keys");
    ck_assert_int_eq(answer.key_expires_s, 1794528000);
    /* Texts of another type or length are left out. */
    ck_assert_int_eq(read_answer("{\"m2m:e2ek\":{\"rn\":6,\"kex\":\"soon\"}}", &answer), RESULT_OK);
    ck_assert_str_eq(answer.name, "");
    ck_assert_int_eq(answer.key_expires_s, 0);
    ck_assert_int_eq(read_answer("{\"m2m:dbg\":6,\"m2m:e2ek\":{\"lid\":[],\"kid\":"
                                 "\"00112233445566778899aabbccddeeff0\"}}",
                         &answer),
        RESULT_OK);
    ck_assert_str_eq(answer.reason, "");
    ck_assert_str_eq(answer.key_id, "");
    ck_assert_str_eq(answer.local, "");
    ck_assert_int_eq(read_answer("[]", &answer), RESULT_OK);
    /* The reason survives a message that is malformed or too long. */
    ck_assert_int_eq(read_answer("{\"m2m:e2ek\":{\"eckm\":\"Zm9v!\"},\"m2m:dbg\":\"no\"}", &answer),
        RESULT_BAD_REQUEST);
    ck_assert_str_eq(answer.reason, "no");
    ck_assert_uint_eq(answer.message.size, 0);
    ck_assert_int_eq(
        read_answer("{\"m2m:e2ek\":{\"eckm\":\"Zm9vYmFyMTIz\"}}", &answer), RESULT_BAD_MESSAGE);
    ck_assert_uint_eq(answer.message.size, 0);
    ck_assert_int_eq(read_answer("{\"m2m:e2ek\":{\"eckm\":6}}", &answer), RESULT_BAD_REQUEST);
    ck_assert_int_eq(read_answer("no JSON", &answer), RESULT_BAD_REQUEST);
    buffer_release(&answer.message);
}
END_TEST

/* --- media types --- */

START_TEST(media_types_name_their_serialization)
{
    static const char *const none[] = {
        "", "application", "application/jsonx", "application/cbor", "text/json"};
    bool has_answer = false;

    ck_assert_ptr_eq(content_serialization(bytes_of_string("application/json")),
        content_serialization(bytes_of_string("APPLICATION/vnd.oneM2M-ntfy+JSON")));
    for (size_t i = 0; content_type(i); i++) {
        ck_assert_ptr_nonnull(content_serialization(bytes_of_string(content_type(i)->name)));
        has_answer = has_answer || content_type(i)->is_answer;
        ck_assert_uint_lt(i, CONTENT_TYPES_MAX);
    }
    ck_assert(has_answer);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        ck_assert_ptr_null(content_serialization(bytes_of_string(none[i])));
}
END_TEST

CHECK_MAIN("onem2m/content", media_types_name_their_serialization, reads_messages,
    reads_requests_for_a_random_object, refuses_what_is_not_the_content, refuses_deep_nesting,
    refuses_members_by_name, reads_the_attributes_of_a_create, labels_have_a_bound,
    other_notifications_are_refused_as_such, base64_is_strict, message_has_bounds,
    writes_an_exchange, writes_an_established_exchange, writes_the_entry_point, writes_the_cse_base,
    writes_notify_content, writes_a_random_object, writes_refusals, escapes_text,
    writing_keeps_the_limit, writes_requests_that_are_read_again, reads_answers_that_it_writes,
    reads_answers_of_others)
