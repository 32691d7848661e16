/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/call.h"

#include <string.h>

#include "support/check_main.h"

static enum result parse(const char *text, struct call *call)
{
    return call_parse(bytes_of_string(text), call);
}

START_TEST(a_call_is_read)
{
    struct call call;
    ck_assert_int_eq(
        parse("{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"y\"},\"more\":true}", &call),
        RESULT_OK);
    ck_assert_str_eq(call.method, "a.b.C");
    ck_assert(json_is_object(call.parameters));
    ck_assert(call.more && !call.oneway && !call.upgrade);
    call_release(&call);
    ck_assert_int_eq(
        parse("{\"method\":\"a.b.C\",\"oneway\":true,\"upgrade\":true,\"more\":false}", &call),
        RESULT_OK);
    ck_assert_ptr_null(call.parameters);
    ck_assert(!call.more && call.oneway && call.upgrade);
    call_release(&call);
    ck_assert_int_eq(
        parse("{\"method\":\"a.b.C\",\"parameters\":null,\"more\":null,\"new\":1}", &call),
        RESULT_OK);
    call_release(&call);
}
END_TEST

START_TEST(what_is_no_call_is_refused)
{
    static const char *const bad[] = {"", " ", "{", "[]", "\"method\"", "null", "{}",
        "{\"method\":1}", "{\"method\":null}", "{\"method\":\"a.B\"} x",
        "{\"method\":\"a.B\",\"method\":\"a.C\"}", "{\"method\":\"a.B\",\"parameters\":[]}",
        "{\"method\":\"a.B\",\"parameters\":\"\"}", "{\"method\":\"a.B\",\"more\":1}",
        "{\"method\":\"a.B\",\"oneway\":\"true\"}", "{\"method\":\"a.B\",\"upgrade\":{}}",
        "{\"method\":\"\xff\"}", "{\"method\":\"a\\u0000b\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct call call;
        ck_assert_msg(parse(bad[i], &call) == RESULT_BAD_INPUT, "taken: %s", bad[i]);
        ck_assert_ptr_null(call.root);
    }
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    char deep[20001];
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    struct call call;
    ck_assert_int_eq(parse(deep, &call), RESULT_BAD_INPUT);
}
END_TEST

static const char *peer, *local;
static const struct parameter parameters[] = {{"peer", &peer}, {"local", &local}};

static const char *read_parameters(const char *text)
{
    static struct call call;
    call_release(&call);
    char whole[256];
    snprintf(whole, sizeof(whole), "{\"method\":\"a.B\",\"parameters\":%s}", text);
    ck_assert_int_eq(parse(whole, &call), RESULT_OK);
    peer = local = NULL;
    return call_parameters(&call, parameters, ARRAY_SIZE(parameters));
}

START_TEST(parameters_are_strings_that_the_method_knows)
{
    ck_assert_ptr_null(read_parameters("{}"));
    ck_assert_ptr_null(peer);
    ck_assert_ptr_null(read_parameters("{\"peer\":\"Cx\",\"local\":null}"));
    ck_assert_str_eq(peer, "Cx");
    ck_assert_ptr_null(local);
    ck_assert_str_eq(read_parameters("{\"peer\":1}"), "peer");
    ck_assert_str_eq(read_parameters("{\"local\":{}}"), "local");
    ck_assert_str_eq(read_parameters("{\"peer\":\"x\",\"Peer\":\"y\"}"), "Peer");
    read_parameters("{}");
}
END_TEST

CHECK_MAIN("query/call", a_call_is_read, what_is_no_call_is_refused, deep_nesting_is_refused,
    parameters_are_strings_that_the_method_knows)
