/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/binding.h"

#include <stdio.h>
#include <string.h>

#include "onem2m/status.h"
#include "support/check_main.h"

#define BODY_LIMIT 100

static struct binding binding;

/* HEADERS: name and value in turn, NULL at the end. */
static void bind_request(const char *method, const char *path, const char *const *headers)
{
    binding_start(&binding, method, path);
    for (; headers && headers[0]; headers += 2)
        binding_header(&binding, headers[0], headers[1]);
    binding_finish(&binding, BODY_LIMIT);
}

#define BIND(method, path, ...) bind_request(method, path, (const char *const[]){__VA_ARGS__, NULL})

static void expect_fault(enum result result)
{
    ck_assert_msg(binding.fault.result == result, "%s: %s", result_name(binding.fault.result),
        binding.fault.text);
    ck_assert(result == RESULT_OK || binding.fault.text[0]);
    ck_assert_int_eq(binding.fault.alert, FAULT_NO_ALERT);
}

START_TEST(methods_are_operations)
{
    BIND("GET", "/x", "Host", "x");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_RETRIEVE);
    BIND("DELETE", "/x", "Host", "x");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_DELETE);
    BIND("PUT", "/x", "Content-Type", "application/json");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_UPDATE);
    ck_assert(!binding.request.asks_operations);
    BIND("HEAD", "/x", "Host", "x");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_RETRIEVE);
    ck_assert(!binding.request.asks_operations);
    BIND("OPTIONS", "/x", "Host", "x");
    expect_fault(RESULT_OK);
    ck_assert(binding.request.asks_operations);
    BIND("POST", "/x", "content-type", "application/json");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_NOTIFY);
    ck_assert_ptr_null(binding.request.resource_type);
    BIND("POST", "/x", "CONTENT-TYPE", "application/json;ty=30001");
    expect_fault(RESULT_OK);
    ck_assert_int_eq(binding.request.operation, OPERATION_CREATE);
    ck_assert_str_eq(binding.request.resource_type, "30001");
}
END_TEST

START_TEST(other_methods_are_refused)
{
    static const char *const others[] = {
        "Head", "PATCH", "TRACE", "get", "Post", "BREW", "A-METHOD-WITH-QUITE-A-LONG-NAME\x01"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        BIND(others[i], "/x", "Host", "x");
        expect_fault(RESULT_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(headers_in_any_case)
{
    BIND("GET", "/cse-in", "x-m2m-origin", "Cpeer", "X-M2M-ri", " 123 \t", "x-M2M-rvi", "2a",
        "X-M2M-RET", "5000", "X-M2M-OT", "whatever", "X-Other", "", "X-Other", "");
    expect_fault(RESULT_OK);
    ck_assert_str_eq(binding.request.from, "Cpeer");
    ck_assert_str_eq(binding.request.request_id, "123");
    ck_assert_str_eq(binding.request.release, "2a");
    ck_assert_str_eq(binding.request.expiration, "5000");
    ck_assert_str_eq(binding.request.to, "/cse-in");
}
END_TEST

START_TEST(absent_is_not_empty)
{
    BIND("GET", "/cse-in", "X-M2M-RI", "");
    expect_fault(RESULT_OK);
    ck_assert_ptr_null(binding.request.from);
    ck_assert_ptr_null(binding.request.release);
    ck_assert_ptr_null(binding.request.expiration);
    ck_assert_ptr_null(binding.request.response_type);
    ck_assert_ptr_null(binding.request.result_content);
    ck_assert_str_eq(binding.request.request_id, "");
}
END_TEST

START_TEST(repeated_headers)
{
    static const char *const names[] = {
        "X-M2M-Origin", "X-M2M-RI", "X-M2M-RVI", "X-M2M-RET", "Content-Type"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        BIND("GET", "/x", names[i], "3", names[i], "3");
        expect_fault(RESULT_BAD_REQUEST);
        ck_assert_ptr_nonnull(strstr(binding.fault.text, names[i]));
        ck_assert(!binding.is_unreadable);
    }
}
END_TEST

START_TEST(long_headers)
{
    char value[IDENTIFIER_OCTETS + 1] = {0};

    memset(value, 'C', IDENTIFIER_OCTETS - 1);
    BIND("GET", "/x", "X-M2M-Origin", value);
    expect_fault(RESULT_OK);
    ck_assert_str_eq(binding.request.from, value);
    memset(value, 'C', IDENTIFIER_OCTETS);
    BIND("GET", "/x", "X-M2M-Origin", value);
    expect_fault(RESULT_BAD_REQUEST);
}
END_TEST

START_TEST(media_types_are_checked)
{
    BIND("POST", "/x", "Host", "x");
    expect_fault(RESULT_UNSUPPORTED_MEDIA);
    BIND("POST", "/x", "Content-Type", "application/xml;ty=30001");
    expect_fault(RESULT_UNSUPPORTED_MEDIA);
    ck_assert_int_eq(binding.request.operation, OPERATION_CREATE);
    BIND("PUT", "/x", "Content-Type", "text/plain");
    expect_fault(RESULT_UNSUPPORTED_MEDIA);
    BIND("GET", "/x", "Content-Type", "text/plain");
    expect_fault(RESULT_OK);
    BIND("POST", "/x", "Content-Type", "application/json;ty=3;ty=4");
    expect_fault(RESULT_BAD_REQUEST);
    BIND("GET", "/x", "Accept", "text/html", "Accept", "application/xml");
    expect_fault(RESULT_NOT_ACCEPTABLE);
    BIND("GET", "/x", "Accept", "text/html", "Accept", "application/json");
    expect_fault(RESULT_OK);
}
END_TEST

START_TEST(framing_is_checked)
{
    BIND("PUT", "/x", "Content-Type", "application/json", "Content-Length", "100");
    expect_fault(RESULT_OK);
    ck_assert(!binding.is_unreadable);
    BIND("PUT", "/x", "Content-Type", "application/json", "Content-Length", "101");
    expect_fault(RESULT_BAD_MESSAGE);
    ck_assert(binding.is_unreadable);
    BIND("PUT", "/x", "Content-Type", "application/json", "Transfer-Encoding", "Chunked");
    expect_fault(RESULT_OK);
    BIND("PUT", "/x", "Transfer-Encoding", "chunked", "Content-Length", "5");
    expect_fault(RESULT_BAD_REQUEST);
    ck_assert(binding.is_unreadable);
    BIND("PUT", "/x", "Transfer-Encoding", "gzip, chunked");
    expect_fault(RESULT_BAD_REQUEST);
    ck_assert(binding.is_unreadable);
    BIND("PUT", "/x", "Content-Length", "5", "Content-Length", "5");
    expect_fault(RESULT_BAD_REQUEST);
    ck_assert(binding.is_unreadable);
}
END_TEST

START_TEST(a_host_is_named_from_http_1_1_on)
{
    BIND("GET", "/x", "X-M2M-RI", "1");
    binding_check_host(&binding, "HTTP/1.0");
    expect_fault(RESULT_OK);
    binding_check_host(&binding, "HTTP/1.1");
    expect_fault(RESULT_BAD_REQUEST);
    BIND("GET", "/x", "host", "a");
    binding_check_host(&binding, "HTTP/1.1");
    expect_fault(RESULT_OK);
    BIND("GET", "/x", "Host", "a", "Host", "b");
    expect_fault(RESULT_BAD_REQUEST);
}
END_TEST

START_TEST(the_first_fault_stays)
{
    BIND("BREW", "/%zz", "X-M2M-RI", "1", "X-M2M-RI", "2", "Accept", "text/html");
    expect_fault(RESULT_NOT_ALLOWED);
    BIND("POST", "/%zz", "X-M2M-RI", "1", "X-M2M-RI", "2", "Accept", "text/html");
    expect_fault(RESULT_BAD_REQUEST);
    binding_refuse_body(&binding, BODY_LIMIT);
    expect_fault(RESULT_BAD_REQUEST);
    BIND("PUT", "/x", "Content-Type", "application/json");
    binding_refuse_body(&binding, BODY_LIMIT);
    expect_fault(RESULT_BAD_MESSAGE);
}
END_TEST

START_TEST(paths_are_decoded)
{
    static const struct {
        const char *in, *out;
    } known[] = {
        {"/cse-in/e2EKeyCSE", "/cse-in/e2EKeyCSE"},
        {"/%7E/in-cse", "/~/in-cse"},
        {"/%7e/a%20b", "/~/a b"},
        {"/a+b", "/a+b"},
        {"/%C3%A9%ff", "/\xc3\xa9\xff"},
        {"/%2541", "/%41"},
        {"http://host:80/cse-in", "/cse-in"},
        {"HTTPS://host/cse-in", "/cse-in"},
        {"http://host", ""},
        {"", ""},
        {"*", "*"},
    };
    static const char *const bad[] = {"/%", "/%4", "/%zz", "/%00", "/a%0", "/%-1", "/% 1", "/%%41"};

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        BIND("GET", known[i].in, "Host", "x");
        expect_fault(RESULT_OK);
        ck_assert_str_eq(binding.request.to, known[i].out);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        BIND("GET", bad[i], "Host", "x");
        expect_fault(RESULT_BAD_REQUEST);
    }
}
END_TEST

START_TEST(paths_have_a_bound)
{
    char path[BINDING_PATH_OCTETS + 1] = "/";

    memset(path + 1, 'x', BINDING_PATH_OCTETS - 2);
    BIND("GET", path, "Host", "x");
    expect_fault(RESULT_OK);
    ck_assert_str_eq(binding.request.to, path);
    memset(path + 1, 'x', BINDING_PATH_OCTETS - 1);
    BIND("GET", path, "Host", "x");
    expect_fault(RESULT_NOT_FOUND);
}
END_TEST

START_TEST(queries)
{
    binding_start(&binding, "GET", "/x");
    binding_query(&binding, "rcn", "%33");
    binding_query(&binding, "rt", NULL);
    binding_query(&binding, "fu", "1");
    binding_query(&binding, "fu", "2");
    binding_finish(&binding, BODY_LIMIT);
    expect_fault(RESULT_OK);
    ck_assert_str_eq(binding.request.result_content, "3");
    ck_assert_str_eq(binding.request.response_type, "");

    binding_query(&binding, "atrl", "csi+srv%20rr");
    ck_assert_str_eq(binding.request.attribute_list, "csi+srv rr");
    binding_query(&binding, "rcn", "1");
    expect_fault(RESULT_BAD_REQUEST);
    binding_start(&binding, "GET", "/x");
    binding_query(&binding, "rt", "%0");
    expect_fault(RESULT_BAD_REQUEST);
    binding_start(&binding, "GET", "/x");
    binding_query(&binding, "rt", "33333333333333333333");
    expect_fault(RESULT_BAD_REQUEST);
}
END_TEST

/* --- responses --- */

static char written[1024];

static void write_line(void *context, const char *name, const char *value)
{
    (void)context;
    size_t used = strlen(written);
    snprintf(written + used, sizeof(written) - used, "%s: %s\n", name, value);
}

static int respond(const struct response *response)
{
    written[0] = '\0';
    return binding_respond(&binding, response, write_line, NULL);
}

START_TEST(responds_to_create)
{
    struct response response = {
        .result = RESULT_OK, .rsc = RSC_CREATED, .location = "/in-cse/ab", .content = {.size = 1}};

    BIND("POST", "/x", "X-M2M-RI", "r 1", "X-M2M-RVI", "2a", "Accept",
        "application/vnd.onem2m-res+json");
    ck_assert_int_eq(respond(&response), 201);
    ck_assert_str_eq(written, "X-M2M-RSC: 2001\nX-M2M-RI: r 1\nX-M2M-RVI: 2a\n"
                              "Content-Type: application/vnd.onem2m-res+json\n"
                              "Content-Location: /in-cse/ab\n");
}
END_TEST

START_TEST(responds_without_content)
{
    struct response response = {.result = RESULT_OK, .rsc = RSC_DELETED};

    BIND("DELETE", "/x", "X-M2M-RI", "1");
    ck_assert_int_eq(respond(&response), 200);
    ck_assert_str_eq(written, "X-M2M-RSC: 2002\nX-M2M-RI: 1\n");
}
END_TEST

START_TEST(responds_to_refusals)
{
    struct response response = {
        .result = RESULT_BUSY, .rsc = 5000, .retry_after_s = 3, .content = {.size = 1}};

    BIND("BREW", "/x", "X-M2M-RI", "1", "Accept", "text/html");
    ck_assert_int_eq(respond(&response), 503);
    ck_assert_str_eq(written, "X-M2M-RSC: 5000\nX-M2M-RI: 1\nContent-Type: application/json\n"
                              "Retry-After: 3\nAllow: GET, HEAD, POST, PUT, DELETE, OPTIONS\n");
}
END_TEST

START_TEST(responds_with_the_methods_of_a_resource)
{
    static const struct {
        unsigned operations;
        const char *allow;
    } rows[] = {
        {OPERATION_BIT(OPERATION_NOTIFY), "POST, OPTIONS"},
        {OPERATION_BIT(OPERATION_CREATE), "POST, OPTIONS"},
        {OPERATION_BIT(OPERATION_RETRIEVE) | OPERATION_BIT(OPERATION_DELETE),
            "GET, HEAD, DELETE, OPTIONS"},
        {OPERATIONS_ALL, "GET, HEAD, POST, PUT, DELETE, OPTIONS"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct response response = {
            .result = RESULT_OK, .rsc = RSC_OK, .operations = rows[i].operations};
        char expected[128];

        BIND("OPTIONS", "/x", "Host", "x");
        ck_assert_int_eq(respond(&response), 200);
        snprintf(expected, sizeof(expected), "X-M2M-RSC: 2000\nAllow: %s\n", rows[i].allow);
        ck_assert_str_eq(written, expected);
    }
}
END_TEST

START_TEST(echoes_only_what_is_safe)
{
    struct response response = {.result = RESULT_OK, .rsc = RSC_OK};
    char id[REQUEST_ID_OCTETS + 1] = {0};

    BIND("GET", "/x", "X-M2M-RI", "a\rb", "X-M2M-RVI", "");
    respond(&response);
    ck_assert_str_eq(written, "X-M2M-RSC: 2000\n");
    BIND("GET", "/x", "X-M2M-RI", "\xc3\xa9", "X-M2M-RVI", "123456789");
    respond(&response);
    ck_assert_str_eq(written, "X-M2M-RSC: 2000\n");
    memset(id, 'x', REQUEST_ID_OCTETS - 1);
    BIND("GET", "/x", "X-M2M-RI", id);
    respond(&response);
    ck_assert_ptr_nonnull(strstr(written, id));
    memset(id, 'x', REQUEST_ID_OCTETS);
    BIND("GET", "/x", "X-M2M-RI", id);
    respond(&response);
    ck_assert_str_eq(written, "X-M2M-RSC: 2000\n");
}
END_TEST

CHECK_MAIN("http/binding", methods_are_operations, other_methods_are_refused, headers_in_any_case,
    absent_is_not_empty, repeated_headers, long_headers, media_types_are_checked,
    framing_is_checked, a_host_is_named_from_http_1_1_on, the_first_fault_stays, paths_are_decoded,
    paths_have_a_bound, queries, responds_to_create, responds_without_content, responds_to_refusals,
    responds_with_the_methods_of_a_resource, echoes_only_what_is_safe)
