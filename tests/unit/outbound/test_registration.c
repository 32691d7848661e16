/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state machine of one registration, fed answers, on a clock of the test's. */
#include "outbound/registration.h"

#include <jansson.h>
#include <string.h>

#include "support/check_main.h"

#define START_S   INT64_C(1790000000)
#define EXPIRES_S 86400
#define HALF_MS   (EXPIRES_S * 500)

static char *points[] = {(char *)"http://127.0.0.1:8383"};
static struct policy_registration as_cse = {.url = (char *)"http://127.0.0.1:3000/TinyIoT",
    .originator = (char *)"/in-cse",
    .name = (char *)"in-cse",
    .points_of_access = points,
    .point_count = 1,
    .expires_s = EXPIRES_S};
static struct policy_registration as_ae;
static struct policy_cse cse = {.cse_id = (char *)"/in-cse", .cse_base = (char *)"cse-in"};
static struct registration registration;
static struct registration_time now;
static struct registration_request request;

static void begin(const struct policy_registration *policy)
{
    now = (struct registration_time){.steady_ms = 1000, .wall_s = START_S};
    registration_begin(&registration, policy, &cse, &now);
}

static void set_up(void)
{
    as_ae = as_cse;
    as_ae.is_ae = true;
    as_ae.originator = (char *)"Ce2ekeyd";
    as_ae.name = (char *)"e2ekeyd";
    begin(&as_cse);
}

static void pass_ms(int64_t ms)
{
    now.steady_ms += ms;
    now.wall_s += ms / 1000;
}

/* Checks that STEP is due in IN_MS, has that time pass, and answers with RSC and BODY. */
static bool answer_step(enum registration_step step, int64_t in_ms, int rsc, const char *body)
{
    ck_assert_int_eq(registration.step, step);
    ck_assert_int_eq(registration.due_ms - now.steady_ms, in_ms);
    pass_ms(in_ms);
    registration_write(&registration, &now, &request);
    const struct registration_answer answer = {
        .status = 200, .rsc = rsc, .body = bytes_of_string(body)};
    return registration_take(&registration, &now, &answer);
}

static json_t *sent(const char *name)
{
    json_t *root = json_loads(request.body, 0, NULL);
    ck_assert_ptr_nonnull(root);
    json_t *resource = json_incref(json_object_get(root, name));
    ck_assert_msg(resource != NULL, "%s: %s", name, request.body);
    json_decref(root);
    return resource;
}

static void ck_assert_sent(const char *name, const char *expected)
{
    json_t *resource = sent(name), *wanted = json_loads(expected, 0, NULL);
    ck_assert_ptr_nonnull(wanted);
    ck_assert_msg(json_equal(resource, wanted), "%s", request.body);
    json_decref(resource);
    json_decref(wanted);
}

static void register_cse(void)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{\"m2m:csr\":{}}"));
    ck_assert_int_eq(registration.state, REGISTRATION_HOLDS);
}

START_TEST(a_remote_cse_is_created)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert_str_eq(request.method, "GET");
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT/in-cse");
    ck_assert_str_eq(request.body, "");
    ck_assert_int_eq(registration.state, REGISTRATION_BEGUN);
    ck_assert(!registration.is_maybe_there);
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{\"m2m:csr\":{\"et\":\"20270923T143640\"}}"));
    ck_assert_str_eq(request.method, "POST");
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT");
    ck_assert_uint_eq(request.resource_type, 16);
    ck_assert_sent("m2m:csr",
        "{\"cb\":\"/in-cse/cse-in\",\"csi\":\"/in-cse\",\"cst\":1,\"rr\":true,\"srv\":[\"3\"],"
        "\"poa\":[\"http://"
        "127.0.0.1:8383\"],\"et\":\"20260922T141320\",\"esi\":{\"esf\":[43,44,45]}}");
    ck_assert(registration.is_maybe_there);
    ck_assert_int_eq(registration.since_s, START_S);
}
END_TEST

START_TEST(it_is_looked_for_each_minute_and_renewed_at_half)
{
    register_cse();
    for (int64_t left_ms = HALF_MS; left_ms > REGISTRATION_LOOK_MS; left_ms -= REGISTRATION_LOOK_MS)
        ck_assert(!answer_step(STEP_LOOK, REGISTRATION_LOOK_MS, 2000, "{}"));
    ck_assert(!answer_step(STEP_RENEW, REGISTRATION_LOOK_MS, 2004, "{}"));
    ck_assert_str_eq(request.method, "PUT");
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT/in-cse");
    ck_assert_sent(
        "m2m:csr", "{\"rr\":true,\"poa\":[\"http://127.0.0.1:8383\"],\"et\":\"20260923T021320\"}");
    ck_assert(!answer_step(STEP_LOOK, REGISTRATION_LOOK_MS, 2000, "{}"));
}
END_TEST

START_TEST(the_time_that_the_cse_grants_counts)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{\"m2m:csr\":{\"et\":\"20260921T141340,5\"}}"));
    ck_assert(!answer_step(STEP_RENEW, 10000, 2004, "{\"m2m:csr\":{\"et\":\"20260921T141331\"}}"));
    ck_assert(!answer_step(STEP_RENEW, 1000, 2004, "{\"m2m:csr\":{\"et\":\"20260921T141332\"}}"));
    ck_assert_int_eq(registration.due_ms - now.steady_ms, 1000); /* not less than a second */
}
END_TEST

START_TEST(a_time_that_is_none_is_the_one_asked_for)
{
    static const char *const times[] = {"\"20260921T141320\"", "\"19700101T000000\"",
        "\"20260231T000000\"", "\"99991231T235959\"", "\"\"", "7", "null", "{}",
        "\"+2026 9 1T 1 1 1\"", "\"20260921T14132\"", "\"-0260921T141320\""};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"m2m:csr\":{\"et\":%s}}", times[i]);
        begin(&as_cse);
        ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
        ck_assert(answer_step(STEP_CREATE, 0, 2001, body));
        ck_assert_msg(registration.renew_ms - now.steady_ms == HALF_MS, "%s", body);
    }
}
END_TEST

START_TEST(what_is_there_is_renewed)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 2000, "{}"));
    ck_assert(registration.is_maybe_there);
    ck_assert(answer_step(STEP_RENEW, 0, 2004, "{}"));
    ck_assert_int_eq(registration.state, REGISTRATION_HOLDS);
}
END_TEST

START_TEST(a_conflict_means_that_it_is_there)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(!answer_step(STEP_CREATE, 0, 4105, ""));
    ck_assert(answer_step(STEP_RENEW, 0, 2004, "{}"));
}
END_TEST

START_TEST(what_the_cse_forgot_is_created_again)
{
    register_cse();
    pass_ms(0);
    ck_assert(answer_step(STEP_LOOK, REGISTRATION_LOOK_MS, 4004, ""));
    ck_assert_int_eq(registration.state, REGISTRATION_BEGUN);
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
    ck_assert_int_eq(registration.state, REGISTRATION_HOLDS);
    registration.due_ms = now.steady_ms;
    registration.step = STEP_RENEW;
    ck_assert(answer_step(STEP_RENEW, 0, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
}
END_TEST

START_TEST(esi_is_left_out_for_good_once_it_went_through_without)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(!answer_step(STEP_CREATE, 0, 4000, ""));
    ck_assert_ptr_nonnull(strstr(request.body, "\"esi\""));
    ck_assert(!registration.is_esi_refused);
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
    ck_assert_ptr_null(strstr(request.body, "\"esi\""));
    ck_assert(registration.is_esi_refused);
    ck_assert(answer_step(STEP_LOOK, REGISTRATION_LOOK_MS, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
    ck_assert_ptr_null(strstr(request.body, "\"esi\""));
}
END_TEST

START_TEST(a_cse_that_refuses_all_at_first_is_asked_with_esi_again)
{
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(!answer_step(STEP_CREATE, 0, 4000, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 4000, ""));
    ck_assert_int_eq(registration.state, REGISTRATION_FAILED);
    ck_assert_str_eq(registration.error, "creation: refused with response status code 4000");
    ck_assert(!answer_step(STEP_LOOK, 1000, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
    ck_assert_ptr_nonnull(strstr(request.body, "\"esi\""));
    ck_assert(!registration.is_esi_refused);
    ck_assert_str_eq(registration.error, "");
}
END_TEST

START_TEST(after_failures_it_waits_longer_and_longer)
{
    static const int64_t most_s[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    const struct registration_answer none = {.error = "Connection refused\r\n\x1b"};
    for (size_t i = 0; i < ARRAY_SIZE(most_s); i++) {
        now.random = i % 2 ? UINT32_MAX : (uint32_t)(most_s[i] * 500 - 1);
        registration_write(&registration, &now, &request);
        ck_assert(registration_take(&registration, &now, &none) == (i == 0));
        ck_assert_int_eq(registration.step, STEP_LOOK);
        const int64_t wait_ms = registration.due_ms - now.steady_ms;
        ck_assert_int_ge(wait_ms, most_s[i] * 500);
        ck_assert_int_lt(wait_ms, most_s[i] * 1000);
        ck_assert(i % 2 || wait_ms == most_s[i] * 1000 - 1);
        pass_ms(wait_ms);
    }
    ck_assert_str_eq(registration.error, "look: Connection refused\\x0d\\x0a\\x1b");
    now.random = 0;
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, "{}"));
    const struct registration_answer late = {.error = "x"};
    ck_assert(registration_take(&registration, &now, &late));
    ck_assert_int_eq(registration.due_ms - now.steady_ms, 1000); /* it begins anew */
}
END_TEST

START_TEST(answers_that_contradict_each_other_are_a_failure)
{
    unsigned count = 0;
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    while (registration.state == REGISTRATION_BEGUN && ++count < 100)
        (void)answer_step(registration.step, 0, registration.step == STEP_CREATE ? 4105 : 4004, "");
    ck_assert_uint_lt(count, 10);
    ck_assert_str_eq(registration.error, "the CSE's answers contradict each other");
    ck_assert_int_gt(registration.due_ms, now.steady_ms);
}
END_TEST

START_TEST(an_answer_without_a_status_code_is_from_no_cse)
{
    ck_assert(answer_step(STEP_LOOK, 0, 0, "<html>"));
    ck_assert_str_eq(registration.error, "look: no CSE answers: HTTP status 200 without X-M2M-RSC");
}
END_TEST

START_TEST(any_content_is_survived)
{
    static const char *const bodies[] = {"", "{", "[]", "7", "{\"m2m:csr\":7}", "{\"m2m:csr\":[]}",
        "{\"a\":{},\"b\":{}}", "{\"m2m:csr\":{\"et\":\"\\u0000\"}}", "\xff\xfe",
        "{\"m2m:acp\":{\"ri\":\"\"}}"};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        begin(&as_cse);
        ck_assert(!answer_step(STEP_LOOK, 0, 4004, bodies[i]));
        ck_assert(answer_step(STEP_CREATE, 0, 2001, bodies[i]));
        begin(&as_ae);
        ck_assert(!answer_step(STEP_LOOK, 0, 2000, bodies[i]));
        ck_assert(answer_step(STEP_LOOK_ACP, 0, 2000, bodies[i]));
        ck_assert_int_eq(registration.state, REGISTRATION_FAILED);
    }
    static char deep[60000]; /* deeper than jansson goes */
    memset(deep, '[', sizeof(deep) - 1);
    begin(&as_cse);
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, deep));
    ck_assert(answer_step(STEP_CREATE, 0, 2001, deep));
}
END_TEST

START_TEST(an_ae_gets_an_access_control_policy)
{
    begin(&as_ae);
    ck_assert(!answer_step(STEP_LOOK, 0, 4004, ""));
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT/e2ekeyd");
    ck_assert(!answer_step(STEP_CREATE, 0, 2001, "{\"m2m:ae\":{\"et\":\"20260921T141520\"}}"));
    ck_assert_uint_eq(request.resource_type, 2);
    ck_assert_sent("m2m:ae",
        "{\"rn\":\"e2ekeyd\",\"api\":\"Norg.e2ekeyd\",\"rr\":true,\"srv\":[\"3\"],"
        "\"poa\":[\"http://127.0.0.1:8383\"],\"et\":\"20260922T141320\"}");
    ck_assert(!answer_step(STEP_LOOK_ACP, 0, 4004, ""));
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT/e2ekeyd/acp-e2ekeyd");
    ck_assert(!answer_step(STEP_CREATE_ACP, 0, 2001, "{\"m2m:acp\":{\"ri\":\"acp1\"}}"));
    ck_assert_str_eq(request.url, "http://127.0.0.1:3000/TinyIoT/e2ekeyd");
    ck_assert_uint_eq(request.resource_type, 1);
    ck_assert_sent("m2m:acp",
        "{\"rn\":\"acp-e2ekeyd\",\"pv\":{\"acr\":[{\"acor\":[\"all\"],\"acop\":16},"
        "{\"acor\":[\"Ce2ekeyd\"],\"acop\":63}]},\"pvs\":{\"acr\":[{\"acor\":[\"Ce2ekeyd\"],"
        "\"acop\":63}]}}");
    ck_assert(answer_step(STEP_RENEW, 0, 2004, "{\"m2m:ae\":{\"et\":\"20260921T141520\"}}"));
    ck_assert_sent("m2m:ae", "{\"rr\":true,\"poa\":[\"http://127.0.0.1:8383\"],"
                             "\"et\":\"20260922T141320\",\"acpi\":[\"acp1\"]}");
    ck_assert_int_eq(registration.state, REGISTRATION_HOLDS);
    ck_assert(!answer_step(STEP_LOOK_ACP, 60000, 2000, "{\"m2m:acp\":{\"ri\":\"acp1\"}}"));
    ck_assert(!answer_step(STEP_RENEW, 0, 2004, "{\"m2m:ae\":{}}"));
}
END_TEST

START_TEST(a_change_is_sent_at_once)
{
    static char *other[] = {(char *)"https://in-cse.m2m.example"};
    struct policy_registration changed = as_cse;
    changed.points_of_access = other;
    register_cse();
    pass_ms(5000);
    registration_change(&registration, &changed, &cse, &now);
    ck_assert(!answer_step(STEP_RENEW, 0, 2004, "{}"));
    ck_assert_ptr_nonnull(strstr(request.body, "\"poa\":[\"https://in-cse.m2m.example\"]"));
}
END_TEST

CHECK_MAIN_FIXTURE("outbound/registration", set_up, NULL, a_remote_cse_is_created,
    it_is_looked_for_each_minute_and_renewed_at_half, the_time_that_the_cse_grants_counts,
    a_time_that_is_none_is_the_one_asked_for, what_is_there_is_renewed,
    a_conflict_means_that_it_is_there, what_the_cse_forgot_is_created_again,
    esi_is_left_out_for_good_once_it_went_through_without,
    a_cse_that_refuses_all_at_first_is_asked_with_esi_again,
    after_failures_it_waits_longer_and_longer, answers_that_contradict_each_other_are_a_failure,
    an_answer_without_a_status_code_is_from_no_cse, any_content_is_survived,
    an_ae_gets_an_access_control_policy, a_change_is_sent_at_once)
