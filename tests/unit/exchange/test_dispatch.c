/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that are refused for what they are, whatever exchange there is. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/alert.h"
#include "base/clock.h"
#include "unit/exchange/stage.h"

#define UNKNOWN STAGE_ENTRY_POINT "/00112233445566778899aabbccddeeff"

/* Where a request is addressed to the exchange that awaits Message 3, or holds one of its messages.
 */
static const char own[] = "its exchange";
enum holds { NOTHING, MESSAGE1, MESSAGE3 };

struct refused {
    const char *name;
    struct stage_request request; /* from and id: NULL gives good ones, "" none */
    enum holds holds;
    int rsc, alert; /* alert 0: none */
    const char *text;
};

static const struct refused table[] = {
    /* what every request has to have */
    {"no From", {OPERATION_RETRIEVE, .to = own, .from = ""}, NOTHING, 4000, 0,
        "X-M2M-Origin is missing"},
    {"From is no identifier", {OPERATION_RETRIEVE, .to = own, .from = "C me"}, NOTHING, 4000, 0,
        "C me"},
    {"no request identifier", {OPERATION_RETRIEVE, .to = own, .id = ""}, NOTHING, 4000, 0,
        "X-M2M-RI is missing"},
    {"a release to come", {OPERATION_RETRIEVE, .to = own, .release = "99"}, NOTHING, 4001, 0, "99"},
    {"out of time", {OPERATION_RETRIEVE, .to = own, .expiration = "20200101T000000"}, NOTHING, 4008,
        0, "expir"},
    {"not blocking", {OPERATION_RETRIEVE, .to = own, .rt = "1"}, NOTHING, 5206, 0, "only 3"},
    {"an address alone", {OPERATION_CREATE, .to = STAGE_CSE_BASE, .ty = "30001", .rcn = "2"},
        MESSAGE1, 5001, 0, "result content 2"},
    {"an address of Retrieve", {OPERATION_RETRIEVE, .to = own, .rcn = "3"}, NOTHING, 5001, 0,
        "result content 3"},
    /* resources that are not there */
    {"nothing of ours", {OPERATION_RETRIEVE, .to = "/elsewhere/x"}, NOTHING, 4004, 0,
        "no such resource (the entry point is /~/in-cse/cse-in/e2EKeyCSE): \\\"/elsewhere/x\\\""},
    {"retrieve no exchange", {OPERATION_RETRIEVE, .to = UNKNOWN}, NOTHING, 4004, 0,
        "no such exchange"},
    {"update no exchange", {OPERATION_UPDATE, .to = UNKNOWN}, MESSAGE3, 4004, 0,
        "no such exchange"},
    {"update no exchange with nonsense", {OPERATION_UPDATE, .to = UNKNOWN, .json = "{"}, NOTHING,
        4004, 0, "no such exchange"},
    {"delete no exchange", {OPERATION_DELETE, .to = UNKNOWN}, NOTHING, 4004, 0, "no such exchange"},
    {"create below no exchange", {OPERATION_CREATE, .to = UNKNOWN, .ty = "30001"}, MESSAGE1, 4004,
        0, "no such exchange"},
    {"no exchange of one's own", {OPERATION_UPDATE, .to = STAGE_ENTRY_POINT, .from = "Cother"},
        MESSAGE3, 4004, 0, "no exchange of this originator"},
    {"the same by Notify", {OPERATION_NOTIFY, .to = STAGE_NOTIFY, .from = "Cother"}, MESSAGE3, 4004,
        0, "no exchange of this originator"},
    /* operations that the resource does not take */
    {"retrieve an attribute that <CSEBase> does not have",
        {OPERATION_RETRIEVE, .to = STAGE_CSE_BASE, .atrl = "csi+pi"}, NOTHING, 4000, 0,
        "no attribute \\\"pi\\\""},
    {"retrieve poa, of which there is none",
        {OPERATION_RETRIEVE, .to = STAGE_CSE_BASE, .atrl = "poa"}, NOTHING, 4000, 0,
        "no attribute \\\"poa\\\""},
    {"retrieve no attribute", {OPERATION_RETRIEVE, .to = STAGE_CSE_BASE, .atrl = ""}, NOTHING, 4000,
        0, "names no attribute"},
    {"retrieve an attribute of no name",
        {OPERATION_RETRIEVE, .to = STAGE_CSE_BASE, .atrl = "ri++rn"}, NOTHING, 4000, 0,
        "no attribute \\\"\\\""},
    {"retrieve the beginning of a name", {OPERATION_RETRIEVE, .to = STAGE_CSE_BASE, .atrl = "cs"},
        NOTHING, 4000, 0, "no attribute \\\"cs\\\""},
    {"update <CSEBase>", {OPERATION_UPDATE, .to = STAGE_CSE_BASE}, MESSAGE3, 4005, 0, "operation"},
    {"delete <CSEBase>", {OPERATION_DELETE, .to = STAGE_CSE_BASE}, NOTHING, 4005, 0, "operation"},
    {"delete the entry point", {OPERATION_DELETE, .to = STAGE_ENTRY_POINT}, NOTHING, 4005, 0,
        "operation"},
    {"create below an exchange", {OPERATION_CREATE, .to = own, .ty = "30001"}, MESSAGE1, 4005, 0,
        "operation"},
    {"notify an exchange", {OPERATION_NOTIFY, .to = own}, MESSAGE3, 4005, 0, "operation"},
    {"retrieve the Notify address", {OPERATION_RETRIEVE, .to = STAGE_NOTIFY}, NOTHING, 4005, 0,
        "operation"},
    /* another originator's exchange */
    {"retrieve another's", {OPERATION_RETRIEVE, .to = own, .from = "Cother"}, NOTHING, 4103, 0,
        "another"},
    {"update another's", {OPERATION_UPDATE, .to = own, .from = "Cother"}, MESSAGE3, 4103, 0,
        "another"},
    {"delete another's", {OPERATION_DELETE, .to = own, .from = "Cother"}, NOTHING, 4103, 0,
        "another"},
    /* contents */
    {"no resource type", {OPERATION_CREATE, .to = STAGE_CSE_BASE}, MESSAGE1, 4000, 0, "ty is not"},
    {"another resource type", {OPERATION_CREATE, .to = STAGE_CSE_BASE, .ty = "2"}, MESSAGE1, 4108,
        0, "only resource type 30001"},
    {"no content", {OPERATION_UPDATE, .to = own}, NOTHING, 4000, 0, "not JSON"},
    {"no base64", {OPERATION_UPDATE, .to = own, .json = "{\"m2m:e2ek\":{\"eckm\":\"*\"}}"}, NOTHING,
        4000, 0, "not base64"},
    {"an empty message", {OPERATION_UPDATE, .to = own, .json = "{\"m2m:e2ek\":{\"eckm\":\"\"}}"},
        NOTHING, 4102, 0, "eckm is empty"},
    {"a name in Update", {OPERATION_UPDATE, .to = own, .json = "{\"m2m:e2ek\":{\"rn\":\"x\"}}"},
        NOTHING, 4000, 0, "rn can only"},
    {"a random object for whom no rule is",
        {OPERATION_NOTIFY, .to = STAGE_NOTIFY, .from = "//m2m.example/mn-cse/Cother",
            .json = "{\"m2m:seci\":{\"sit\":3}}"},
        NOTHING, 4103, 0, "mn-cse/Cother"},
    {"another security information",
        {OPERATION_NOTIFY, .to = STAGE_NOTIFY, .json = "{\"m2m:seci\":{\"sit\":5}}"}, NOTHING, 5001,
        0, "sit 5 is not taken"},
    {"e2ek by Notify",
        {OPERATION_NOTIFY, .to = STAGE_NOTIFY, .json = "{\"m2m:e2ek\":{\"eckm\":\"\"}}"}, NOTHING,
        4000, 0, "m2m:seci"},
    /* messages that are not due */
    {"Message 3 to create", {OPERATION_CREATE, .to = STAGE_CSE_BASE, .ty = "30001"}, MESSAGE3, 4102,
        0, "ClientHello"},
    {"Message 1 to update", {OPERATION_UPDATE, .to = own}, MESSAGE1, 4102, 0, "Message 3"},
    {"Message 1 to update by From", {OPERATION_UPDATE, .to = STAGE_ENTRY_POINT}, MESSAGE1, 4102, 0,
        "Message 3"},
};

static void expect_refusal(const struct refused *row, const struct stage_run *run)
{
    struct stage_request request = row->request;
    const char *from = request.from ? request.from : "Cmeter";

    if (request.to == own)
        request.to = run->path;
    request.from = from[0] ? from : NULL;
    request.id = request.id ? (request.id[0] ? request.id : NULL) : row->name;
    if (row->holds != NOTHING)
        request.message = buffer_bytes(row->holds == MESSAGE1 ? &run->message1 : &run->message3);
    struct response response CLEANUP(response_release) = stage_ask(&request);
    ck_assert_msg(response.rsc == row->rsc, "%s: %d: %.*s", row->name, response.rsc,
        (int)response.content.size, (const char *)response.content.data);
    ck_assert_msg(
        memmem(response.content.data, response.content.size, row->text, strlen(row->text)) != NULL,
        "%s: %.*s", row->name, (int)response.content.size, (const char *)response.content.data);
    ck_assert_msg(stage_alert(&response) == (row->alert ? row->alert : FAULT_NO_ALERT), "%s: alert",
        row->name);
    ck_assert_str_eq(response.location, "");
    ck_assert_uint_eq(response.retry_after_s, 0);
}

/* And none of them does any harm to the exchange that it was about. */
START_TEST(refuses_each_with_its_status_and_reason)
{
    struct stage_run run;

    stage_begin_and_create(&run, STAGE_METER, "Cmeter", "1");
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        expect_refusal(&table[i], &run);
    ck_assert_uint_eq(procedure_count(stage.procedure).pending, 1);
    struct response response CLEANUP(response_release) =
        stage_ask(&(struct stage_request){.operation = OPERATION_UPDATE,
            .to = run.path,
            .from = "Cmeter",
            .id = "3",
            .message = buffer_bytes(&run.message3)});
    stage_take_message4(&run, &response);
    stage_end(&run);
}
END_TEST

START_TEST(says_what_the_binding_found_wrong)
{
    const struct request request = {.operation = OPERATION_CREATE, .to = STAGE_CSE_BASE};
    struct response response CLEANUP(response_release) = {0};
    struct fault refused = FAULT_INIT;

    fault_set(&refused, RESULT_UNSUPPORTED_MEDIA, "only JSON");
    procedure_answer(stage.procedure, &request, &refused, &response);
    ck_assert_int_eq(response.result, RESULT_UNSUPPORTED_MEDIA);
    ck_assert_int_eq(response.rsc, 4015);
    ck_assert_ptr_nonnull(memmem(response.content.data, response.content.size, "only JSON", 9));
}
END_TEST

START_TEST(retrieves_the_entry_point)
{
    struct response response CLEANUP(response_release) = stage_ask(&(struct stage_request){
        .operation = OPERATION_RETRIEVE, .to = STAGE_ENTRY_POINT, .from = "Canybody", .id = "1"});

    ck_assert_int_eq(response.rsc, 2000);
    ck_assert_ptr_nonnull(memmem(response.content.data, response.content.size, "e2EKeyCSE", 9));
}
END_TEST

/* Whoever asks, since it is how another CSE finds out whether we are there. */
START_TEST(retrieves_the_cse_base)
{
    static const struct {
        const char *to, *atrl, *content; /* the beginning of the content */
    } cases[] = {
        {STAGE_CSE_BASE, NULL,
            "{\"m2m:cb\":{\"rn\":\"cse-in\",\"ty\":5,\"ri\":\"in-cse\",\"ct\":\"20"},
        {"/~/in-cse", NULL, "{\"m2m:cb\":{\"rn\":\"cse-in\","},
        {"/~/in-cse/-", "csi", "{\"m2m:cb\":{\"csi\":\"/in-cse\"}}"},
        {STAGE_CSE_BASE, "srv+srt",
            "{\"m2m:cb\":{\"srt\":[5,30001],\"srv\":[\"1\",\"2\",\"2a\",\"3\",\"4\",\"5\"]}}"},
        {STAGE_CSE_BASE, "rr cst csz rr",
            "{\"m2m:cb\":{\"cst\":1,\"rr\":true,\"csz\":[\"application/json\"]}}"},
        {STAGE_CSE_BASE, "esi", "{\"m2m:cb\":{\"esi\":{\"esf\":[43,44,45],\"escert\":[\"MII"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct response response CLEANUP(response_release) =
            stage_ask(&(struct stage_request){.operation = OPERATION_RETRIEVE,
                .to = cases[i].to,
                .from = "/id-in",
                .id = "1",
                .atrl = cases[i].atrl});
        const struct bytes content = buffer_bytes(&response.content);
        ck_assert_int_eq(response.rsc, 2000);
        ck_assert_msg(content.size >= strlen(cases[i].content) &&
                          memcmp(content.data, cases[i].content, strlen(cases[i].content)) == 0,
            "%.*s", (int)content.size, (const char *)content.data);
    }
}
END_TEST

/* TS-0004 7.5.1.2.11. What is given is remembered. */
START_TEST(gives_a_random_object)
{
    struct response response CLEANUP(response_release) =
        stage_ask(&(struct stage_request){.operation = OPERATION_NOTIFY,
            .to = STAGE_NOTIFY,
            .from = "Cmeter",
            .id = "1",
            .json = "{\"m2m:seci\":{\"sit\":3.0}}"});
    char id[32] = "", value[64] = "", expires[32] = "", text[256];
    struct rand_object object;
    int64_t expires_us;

    ck_assert_int_eq(response.rsc, 2000);
    snprintf(text, sizeof(text), "%.*s", (int)response.content.size,
        (const char *)response.content.data);
    ck_assert_int_eq(
        sscanf(text,
            "{\"m2m:seci\":{\"sit\":4,\"ero\":{\"esri\":\"%31[^\"]\",\"esrv\":\"%63[^\"]\","
            "\"esrx\":\"%31[^\"]\",\"esks\":[1],\"espa\":[12]}}}",
            id, value, expires),
        3);
    ck_assert(rand_objects_find(stage.rand_objects, id, clock_steady_us(), &object));
    ck_assert_str_eq(object.value, value);
    ck_assert_str_eq(object.originator, "//m2m.example/in-cse/Cmeter");
    ck_assert(timestamp_read(expires, &expires_us));
    ck_assert_int_eq(expires_us / 1000000, object.expires_s);
}
END_TEST

CHECK_MAIN_FIXTURE("exchange/dispatch", stage_open, stage_close,
    refuses_each_with_its_status_and_reason, says_what_the_binding_found_wrong,
    retrieves_the_entry_point, retrieves_the_cse_base, gives_a_random_object)
