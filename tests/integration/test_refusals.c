/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that are refused before any message in them counts. Messages that are refused:
 * test_refused_message1, test_refused_message3; certificates: test_refused_certificates; exchanges
 * that are over, and limits: test_limits. */
#include "support/check_main.h"

#include <string.h>

#include "base/base64.h"
#include "support/refusal.h"
#include "support/run.h"
#include "tls/context.h"

#define OVERLONG 400  /* octets: more than any identifier */
#define DEEP     9999 /* brackets */
#define LARGE    30000

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meter;

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){0});
    client = http_open();
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}

/* --- requests --- */

/* What is left out is as in a good Create of Message 1. In .path and .body, @1 and @3 stand for
 * the base64 of a good Message 1 and Message 3, and @n for the name of the exchange that awaits the
 * latter. .headers replace those of the same name; "Name:" leaves one out. */
struct attempt {
    const char *name;
    const char *method, *path, *body;
    const char *headers[3];
    long status;
    int rsc;
    const char *text;
};

#define M1        "{\"m2m:e2ek\":{\"eckm\":\"@1\"}}"
#define M3        "{\"m2m:e2ek\":{\"eckm\":\"@3\"}}"
#define X_10      "xxxxxxxxxx"
#define X_100     X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10
#define LONG_NAME X_100 X_100 X_100 X_100 X_100
#define NOTICE    "Content-Type: application/vnd.onem2m-ntfy+json"
#define PLAIN     "Content-Type: application/json"

static char overlong_list[OVERLONG], overlong_from[OVERLONG], overlong_id[OVERLONG], deep[DEEP + 1],
    large[LARGE], large_eckm[LARGE];

static const struct attempt attempts[] = {
    /* not JSON, or another one than is due */
    {"empty", .body = "", .status = 400, .rsc = 4000, .text = "not JSON: it is empty"},
    {"not JSON", .body = "<e2ek/>", .status = 400, .rsc = 4000, .text = "content is not JSON"},
    {"half of JSON", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\"", .status = 400, .rsc = 4000,
        .text = "content is not JSON"},
    {"trailing text", .body = M1 "x", .status = 400, .rsc = 4000, .text = "content is not JSON"},
    {"not UTF-8", .body = "{\"m2m:e2ek\":{\"eckm\":\"\xff\"}}", .status = 400, .rsc = 4000,
        .text = "content is not JSON"},
    {"depth bomb", .body = deep, .status = 400, .rsc = 4000, .text = "content is not JSON"},
    {"array", .body = "[" M1 "]", .status = 400, .rsc = 4000, .text = "m2m:e2ek"},
    {"another root", .body = "{\"m2m:cin\":{\"eckm\":\"@1\"}}", .status = 400, .rsc = 4000,
        .text = "m2m:e2ek"},
    {"Notify's root", .body = "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"@1\"}}", .status = 400,
        .rsc = 4000, .text = "m2m:e2ek"},
    {"two roots", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\"},\"x\":1}", .status = 400, .rsc = 4000,
        .text = "nothing else"},
    {"root is no object", .body = "{\"m2m:e2ek\":\"@1\"}", .status = 400, .rsc = 4000,
        .text = "m2m:e2ek"},
    /* members */
    {"duplicate root", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\"},\"m2m:e2ek\":{\"eckm\":\"@1\"}}",
        .status = 400, .rsc = 4000, .text = "duplicate"},
    {"duplicate member", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\",\"eckm\":\"@1\"}}", .status = 400,
        .rsc = 4000, .text = "duplicate"},
    {"unknown member", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\",\"acpi\":[]}}", .status = 400,
        .rsc = 4000, .text = "unknown member \"acpi\""},
    {"et has passed", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\",\"et\":\"20200101T000000\"}}",
        .status = 400, .rsc = 4000, .text = "et has passed"},
    {"lbl in Update", .method = "PUT", .path = RUN_ENTRY "/@n",
        .body = "{\"m2m:e2ek\":{\"lbl\":[],\"eckm\":\"@3\"}}", .headers = {PLAIN}, .status = 400,
        .rsc = 4000, .text = "lbl can only be given in Create"},
    {"member of responses", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\",\"est\":2}}", .status = 400,
        .rsc = 4000, .text = "unknown member \"est\""},
    {"unprintable member", .body = "{\"m2m:e2ek\":{\"\\n\\u00e9\\u0007\":1}}", .status = 400,
        .rsc = 4000, .text = "unknown member \"\\x0a"},
    {"NUL in a member", .body = "{\"m2m:e2ek\":{\"eckm\\u0000\":\"@1\"}}", .status = 400,
        .rsc = 4000, .text = "content is not JSON"},
    {"no eckm", .body = "{\"m2m:e2ek\":{}}", .status = 400, .rsc = 4000, .text = "eckm is missing"},
    {"eckm is a number", .body = "{\"m2m:e2ek\":{\"eckm\":1}}", .status = 400, .rsc = 4000,
        .text = "eckm is not a string"},
    {"eckm is null", .body = "{\"m2m:e2ek\":{\"eckm\":null}}", .status = 400, .rsc = 4000,
        .text = "eckm is not a string"},
    {"rn is a number", .body = "{\"m2m:e2ek\":{\"rn\":1,\"eckm\":\"@1\"}}", .status = 400,
        .rsc = 4000, .text = "rn is not a name"},
    {"rn in Update", .method = "PUT", .path = RUN_ENTRY "/@n",
        .body = "{\"m2m:e2ek\":{\"rn\":\"x\",\"eckm\":\"@3\"}}", .headers = {PLAIN}, .status = 400,
        .rsc = 4000, .text = "rn can only be given in Create"},
    {"sit missing", .path = "/notify", .body = "{\"m2m:seci\":{\"eckm\":\"@1\"}}",
        .headers = {NOTICE}, .status = 400, .rsc = 4000, .text = "sit is missing"},
    {"sit 5", .path = "/notify", .body = "{\"m2m:seci\":{\"sit\":5,\"eckm\":\"@1\"}}",
        .headers = {NOTICE}, .status = 501, .rsc = 5001, .text = "sit 5 is not taken"},
    {"sit is a string", .path = "/notify", .body = "{\"m2m:seci\":{\"sit\":\"6\",\"eckm\":\"@1\"}}",
        .headers = {NOTICE}, .status = 400, .rsc = 4000, .text = "sit is not 6"},
    /* base64 */
    {"not base64", .body = "{\"m2m:e2ek\":{\"eckm\":\"****\"}}", .status = 400, .rsc = 4000,
        .text = "not base64"},
    {"unpadded", .body = "{\"m2m:e2ek\":{\"eckm\":\"FgMDAAA\"}}", .status = 400, .rsc = 4000,
        .text = "not base64"},
    {"base64url", .body = "{\"m2m:e2ek\":{\"eckm\":\"FgMD-_8=\"}}", .status = 400, .rsc = 4000,
        .text = "not base64"},
    {"stray bits", .body = "{\"m2m:e2ek\":{\"eckm\":\"FgMDAB==\"}}", .status = 400, .rsc = 4000,
        .text = "not base64"},
    {"form feed", .body = "{\"m2m:e2ek\":{\"eckm\":\"@1\\f\"}}", .status = 400, .rsc = 4000,
        .text = "not base64"},
    {"nothing but blanks", .body = "{\"m2m:e2ek\":{\"eckm\":\" \\n\"}}", .status = 400, .rsc = 4102,
        .text = "eckm is empty"},
    /* what every request has to have */
    {"no X-M2M-RI", .headers = {"X-M2M-RI:"}, .status = 400, .rsc = 4000,
        .text = "X-M2M-RI is missing"},
    {"overlong X-M2M-RI", .headers = {overlong_id}, .status = 400, .rsc = 4000,
        .text = "X-M2M-RI is longer"},
    {"two X-M2M-RI", .headers = {"X-M2M-RI: one", "X-M2M-RI: two"}, .status = 400, .rsc = 4000,
        .text = "X-M2M-RI comes twice"},
    {"no X-M2M-Origin", .headers = {"X-M2M-Origin:"}, .status = 400, .rsc = 4000,
        .text = "X-M2M-Origin is missing"},
    {"overlong X-M2M-Origin", .headers = {overlong_from}, .status = 400, .rsc = 4000,
        .text = "X-M2M-Origin is longer"},
    {"two X-M2M-Origin", .headers = {"X-M2M-Origin: Cmeter", "X-M2M-Origin: Cmeter"}, .status = 400,
        .rsc = 4000, .text = "X-M2M-Origin comes twice"},
    {"From with a blank", .headers = {"X-M2M-Origin: Cme ter"}, .status = 400, .rsc = 4000,
        .text = "Cme ter"},
    {"From that climbs", .headers = {"X-M2M-Origin: /in-cse/../Cmeter"}, .status = 400, .rsc = 4000,
        .text = ".."},
    {"From that is an SP", .headers = {"X-M2M-Origin: //m2m.example"}, .status = 400, .rsc = 4000,
        .text = "//m2m.example"},
    {"From with unprintable octets", .headers = {"X-M2M-Origin: C\xa0\xe9"}, .status = 400,
        .rsc = 4000, .text = "C\\xa0\\xe9"},
    {"ty missing on <CSEBase>: a Notify", .headers = {PLAIN}, .status = 400, .rsc = 4000,
        .text = "m2m:seci"},
    {"m2m:sgn to <CSEBase>", .path = "/~/in-cse", .headers = {PLAIN},
        .body = "{\"m2m:sgn\":{\"vrq\":true}}", .status = 501, .rsc = 5001,
        .text = "m2m:sgn is not taken"},
    {"m2m:seci of another kind", .path = "/notify", .headers = {NOTICE},
        .body = "{\"m2m:seci\":{\"sit\":2,\"dasr\":{}}}", .status = 501, .rsc = 5001,
        .text = "sit 2 is not taken"},
    {"ty missing on the entry point", .path = RUN_ENTRY, .headers = {PLAIN}, .status = 400,
        .rsc = 4000, .text = "m2m:seci"},
    {"ty is no number", .headers = {"Content-Type: application/json;ty=e2ek"}, .status = 400,
        .rsc = 4000, .text = "ty is not a resource type"},
    {"ty is empty", .headers = {"Content-Type: application/json;ty="}, .status = 400, .rsc = 4000,
        .text = "ty is not a resource type"},
    {"ty is beyond all numbers",
        .headers = {"Content-Type: application/json;ty=18446744073709581617"}, .status = 400,
        .rsc = 4000, .text = "ty is not a resource type"},
    {"ty twice", .headers = {"Content-Type: application/json;ty=30001;ty=30001"}, .status = 400,
        .rsc = 4000, .text = "ty comes twice"},
    {"NUL in the path", .path = "/cse-in%00", .status = 400, .rsc = 4000, .text = "%00"},
    {"half an escape in the path", .path = "/cse-in%4", .status = 400, .rsc = 4000, .text = "%4"},
    /* messages that are none */
    {"eckm is empty", .body = "{\"m2m:e2ek\":{\"eckm\":\"\"}}", .status = 400, .rsc = 4102,
        .text = "eckm is empty"},
    {"eckm is too large", .body = large_eckm, .status = 400, .rsc = 4102,
        .text = "eckm is larger than 16384 octets"},
    {"the body is too large", .body = large, .status = 400, .rsc = 4102, .text = "body is larger"},
    /* not there */
    {"no such path", .path = "/elsewhere", .status = 404, .rsc = 4004,
        .text = "(the entry point is /~/in-cse/cse-in/e2EKeyCSE): \"/elsewhere\""},
    {"no such structured path", .path = "/in-cse/e2EKey", .status = 404, .rsc = 4004,
        .text = "(the entry point is /~/in-cse/cse-in/e2EKeyCSE): \"/in-cse/e2EKey\""},
    {"a path of any octets", .path = "/~/%0a%22%ff%25s", .status = 404, .rsc = 4004,
        .text = "(the entry point is /~/in-cse/cse-in/e2EKeyCSE): \"/~/\\x0a\"\\xff%s\""},
    {"a long path", .path = "/~/" LONG_NAME, .status = 404, .rsc = 4004,
        .text = "(the entry point is /~/in-cse/cse-in/e2EKeyCSE): \"/~/xxxx"},
    {"another CSE", .path = "/~/mn-cse/cse-in", .status = 404, .rsc = 4004,
        .text = "no such resource"},
    {"another SP", .path = "/_/m2m.elsewhere/in-cse", .status = 404, .rsc = 4004,
        .text = "no such resource"},
    {"no such exchange", .method = "PUT", .path = RUN_ENTRY "/00112233445566778899aabbccddeeff",
        .body = M3, .headers = {PLAIN}, .status = 404, .rsc = 4004, .text = "no such exchange"},
    {"no such exchange to retrieve", .method = "GET", .path = RUN_ENTRY "/none", .status = 404,
        .rsc = 4004, .text = "no such exchange"},
    {"no such exchange to delete", .method = "DELETE", .path = RUN_ENTRY "/none", .status = 404,
        .rsc = 4004, .text = "no such exchange"},
    {"below an exchange", .method = "GET", .path = RUN_ENTRY "/@n/x", .status = 404, .rsc = 4004,
        .text = "no such resource"},
    {"nothing pending", .method = "PUT", .path = RUN_ENTRY, .body = M3,
        .headers = {PLAIN, "X-M2M-Origin: Cnobody"}, .status = 404, .rsc = 4004,
        .text = "no exchange of this originator"},
    {"nothing pending, by Notify", .path = "/notify",
        .body = "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"@3\"}}",
        .headers = {NOTICE, "X-M2M-Origin: Cnobody"}, .status = 404, .rsc = 4004,
        .text = "no exchange of this originator"},
    /* another originator's */
    {"another's exchange to update", .method = "PUT", .path = RUN_ENTRY "/@n", .body = M3,
        .headers = {PLAIN, "X-M2M-Origin: Cother"}, .status = 403, .rsc = 4103,
        .text = "another originator's"},
    {"another's exchange to retrieve", .method = "GET", .path = RUN_ENTRY "/@n",
        .headers = {"X-M2M-Origin: Cother"}, .status = 403, .rsc = 4103,
        .text = "another originator's"},
    {"another's exchange to delete", .method = "DELETE", .path = RUN_ENTRY "/@n",
        .headers = {"X-M2M-Origin: Cother"}, .status = 403, .rsc = 4103,
        .text = "another originator's"},
    /* not that operation, not here */
    {"retrieve what <CSEBase> has not", .method = "GET", .path = "/cse-in?atrl=csi+nope",
        .status = 400, .rsc = 4000, .text = "no attribute \"nope\""},
    {"atrl is overlong", .method = "GET", .path = overlong_list, .status = 400, .rsc = 4000,
        .text = "atrl is malformed"},
    {"atrl twice", .method = "GET", .path = "/cse-in?atrl=csi&atrl=csi", .status = 400, .rsc = 4000,
        .text = "atrl comes twice"},
    {"update <CSEBase>", .method = "PUT", .body = M3, .headers = {PLAIN}, .status = 405,
        .rsc = 4005, .text = "does not take the operation"},
    {"delete <CSEBase>", .method = "DELETE", .status = 405, .rsc = 4005,
        .text = "does not take the operation"},
    {"delete the entry point", .method = "DELETE", .path = RUN_ENTRY, .status = 405, .rsc = 4005,
        .text = "does not take the operation"},
    {"create below an exchange", .path = RUN_ENTRY "/@n", .status = 405, .rsc = 4005,
        .text = "does not take the operation"},
    {"notify an exchange", .path = RUN_ENTRY "/@n", .headers = {NOTICE}, .status = 405, .rsc = 4005,
        .text = "does not take the operation"},
    {"create at the notify path", .path = "/notify", .status = 405, .rsc = 4005,
        .text = "(the entry point is /~/in-cse/cse-in/e2EKeyCSE): \"/notify\""},
    {"retrieve the notify path", .method = "GET", .path = "/notify", .status = 405, .rsc = 4005,
        .text = "does not take the operation"},
    {"another method", .method = "PATCH", .status = 405, .rsc = 4005, .text = "PATCH"},
    {"another type", .headers = {"Content-Type: application/json;ty=4"}, .status = 403, .rsc = 4108,
        .text = "only resource type 30001"},
    /* media types and releases */
    {"text", .headers = {"Content-Type: text/plain;ty=30001"}, .status = 415, .rsc = 4015,
        .text = "application/json"},
    {"XML", .headers = {"Content-Type: application/vnd.onem2m-res+xml;ty=30001"}, .status = 415,
        .rsc = 4015, .text = "application/json"},
    {"CBOR", .headers = {"Content-Type: application/cbor;ty=30001"}, .status = 415, .rsc = 4015,
        .text = "application/json"},
    {"another charset", .headers = {"Content-Type: application/json;charset=utf-16;ty=30001"},
        .status = 415, .rsc = 4015, .text = "UTF-8"},
    {"no Content-Type", .headers = {"Content-Type:"}, .status = 415, .rsc = 4015,
        .text = "Content-Type is missing"},
    {"Accept: XML", .headers = {"Accept: application/xml"}, .status = 406, .rsc = 5207,
        .text = "application/json"},
    {"Accept: all but JSON", .headers = {"Accept: */*, application/*;q=0"}, .status = 406,
        .rsc = 5207, .text = "application/json"},
    {"release 6", .headers = {"X-M2M-RVI: 6"}, .status = 501, .rsc = 4001, .text = "\"6\""},
    {"release 2b", .headers = {"X-M2M-RVI: 2b"}, .status = 501, .rsc = 4001, .text = "\"2b\""},
    {"release 33", .headers = {"X-M2M-RVI: 33"}, .status = 501, .rsc = 4001, .text = "\"33\""},
    /* time, response type, result content */
    {"X-M2M-RET past", .headers = {"X-M2M-RET: 20200101T000000"}, .status = 504, .rsc = 4008,
        .text = "has passed"},
    {"X-M2M-RET past, to the microsecond", .headers = {"X-M2M-RET: 20200101T000000,999999"},
        .status = 504, .rsc = 4008, .text = "has passed"},
    {"X-M2M-RET in no time", .headers = {"X-M2M-RET: 0"}, .status = 504, .rsc = 4008,
        .text = "has passed"},
    {"X-M2M-RET before now", .headers = {"X-M2M-RET: -1000"}, .status = 504, .rsc = 4008,
        .text = "has passed"},
    {"X-M2M-RET is no time", .headers = {"X-M2M-RET: 20300231T000000"}, .status = 400, .rsc = 4000,
        .text = "20300231T000000"},
    {"rt 1", .path = "/cse-in?rt=1", .status = 501, .rsc = 5206, .text = "response type 1"},
    {"rt 2", .path = "/cse-in?rt=2", .status = 501, .rsc = 5206, .text = "response type 2"},
    {"rt 5", .path = "/cse-in?rt=5", .status = 501, .rsc = 5206, .text = "response type 5"},
    {"rt twice", .path = "/cse-in?rt=3&rt=3", .status = 400, .rsc = 4000, .text = "rt comes twice"},
    {"rcn 0 in Create", .path = "/cse-in?rcn=0", .status = 501, .rsc = 5001,
        .text = "result content 0"},
    {"rcn 2 in Create", .path = "/cse-in?rcn=2", .status = 501, .rsc = 5001,
        .text = "result content 2"},
    {"rcn 4", .path = "/cse-in?rcn=4", .status = 501, .rsc = 5001, .text = "result content 4"},
    {"rcn 11", .path = "/cse-in?rcn=11", .status = 501, .rsc = 5001, .text = "result content 11"},
    {"rcn 3 in Update", .method = "PUT", .path = RUN_ENTRY "/@n?rcn=3", .body = M3,
        .headers = {PLAIN}, .status = 501, .rsc = 5001, .text = "result content 3"},
    {"rcn 0 in Retrieve", .method = "GET", .path = RUN_ENTRY "/@n?rcn=0", .status = 501,
        .rsc = 5001, .text = "result content 0"},
};

static const char *const good_headers[] = {"X-M2M-Origin: Cmeter", "X-M2M-RI: request-1",
    "X-M2M-RVI: 3", "Content-Type: application/json;ty=30001"};

static size_t name_size(const char *header)
{
    return strcspn(header, ":") + 1;
}

static bool is_replaced(const struct attempt *attempt, const char *header)
{
    for (size_t i = 0; i < ARRAY_SIZE(attempt->headers) && attempt->headers[i]; i++)
        if (strncmp(attempt->headers[i], header, name_size(header)) == 0)
            return true;
    return false;
}

/* LIST: room for all, NULL at the end. */
static void make_headers(const struct attempt *attempt, const char **list)
{
    for (size_t i = 0; i < ARRAY_SIZE(good_headers); i++)
        if (!is_replaced(attempt, good_headers[i]))
            *list++ = good_headers[i];
    for (size_t i = 0; i < ARRAY_SIZE(attempt->headers) && attempt->headers[i]; i++)
        *list++ = attempt->headers[i];
    *list = NULL;
}

/* The first header called NAME ("X:") as it is to come back: NULL when it is not there, or too long
 * to be said again. */
static const char *echoed(const char *const *headers, const char *name)
{
    for (; *headers; headers++)
        if (strncmp(*headers, name, strlen(name)) == 0)
            return strlen(*headers) < OVERLONG / 2 && (*headers)[strlen(name)] == ' '
                       ? *headers + strlen(name) + 1
                       : NULL;
    return NULL;
}

struct known {
    char *message1, *message3, *name;
};

static const char *meaning(const struct known *known, char letter)
{
    return letter == '1' ? known->message1 : letter == '3' ? known->message3 : known->name;
}

/* TEMPLATE with what @1, @3 and @n stand for; the caller frees. */
static char *expand(const char *template, const struct known *known)
{
    struct buffer out AUTO_BUFFER = {.limit = 1 << 20};

    for (; *template; template ++) {
        const char *text = (char[]){*template, '\0'};
        if (*template == '@')
            text = meaning(known, *++template);
        ck_assert_int_eq(buffer_append(&out, text, strlen(text)), RESULT_OK);
    }
    return strndup(out.data ? (const char *)out.data : "", out.size);
}

static char *base64_of(const struct buffer *message)
{
    char *text = malloc(BASE64_OCTETS(message->size) + 1);

    ck_assert_ptr_nonnull(text);
    base64_encode_text(buffer_bytes(message), text);
    return text;
}

static void refuse(const struct attempt *attempt, const struct known *known)
{
    const char *method = attempt->method ? attempt->method : "POST";
    bool has_body = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    char *path = expand(attempt->path ? attempt->path : "/cse-in", known);
    char *body = expand(attempt->body ? attempt->body : M1, known);
    const char *headers[ARRAY_SIZE(good_headers) + ARRAY_SIZE(attempt->headers) + 1];
    const struct refusal expected = {attempt->status, attempt->rsc, .text = attempt->text};
    struct http_answer answer;
    char address[64];

    snprintf(address, sizeof(address), "http://127.0.0.1:%u", daemon_.port);
    make_headers(attempt, headers);
    http_call(client, address,
        &(struct http_request){method, path, headers, has_body ? body : NULL}, &answer);
    refusal_expect(attempt->name, &answer, &expected, echoed(headers, "X-M2M-RI:"),
        echoed(headers, "X-M2M-RVI:"), false);
    free(path);
    free(body);
}

static void fill_large(void)
{
    snprintf(overlong_list, sizeof(overlong_list), "/cse-in?atrl=csi%0*d", OVERLONG - 20, 0);
    snprintf(overlong_from, sizeof(overlong_from), "X-M2M-Origin: C%0*d", OVERLONG - 20, 0);
    snprintf(overlong_id, sizeof(overlong_id), "X-M2M-RI: %0*d", OVERLONG / 2, 0);
    memset(deep, '[', DEEP);
    memset(large, ' ', LARGE - 1);
    int used = snprintf(large_eckm, sizeof(large_eckm), "{\"m2m:e2ek\":{\"eckm\":\"");
    memset(large_eckm + used, 'A', BASE64_OCTETS(16385));
    strcpy(large_eckm + used + BASE64_OCTETS(16385), "\"}}");
}

START_TEST(bad_requests_are_refused_and_leave_no_trace)
{
    struct run honest, fresh;

    set_up();
    fill_large();
    run_open(&honest, client, &daemon_, meter, "Cmeter");
    run_begin(&fresh, meter, RUN_SERVER_NAME);
    struct known known = {.message1 = base64_of(&fresh.message1),
        .message3 = base64_of(&honest.message3),
        .name = honest.path + strlen(RUN_ENTRY "/")};
    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
        refuse(&attempts[i], &known);

    run_expect_no_key(&daemon_, "Cmeter");
    run_finish(&honest, client, &daemon_, RUN_UPDATE, NULL);
    free(known.message1);
    free(known.message3);
    run_end(&fresh);
    tear_down();
}
END_TEST

/* What no HTTP client sends. */
START_TEST(octets_that_are_no_request_are_refused)
{
    static const char nul_in_from[] =
        "DELETE /cse-in/e2EKeyCSE HTTP/1.1\r\nHost: x\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\n"
        "X-M2M-Origin: Cme\0ter\r\n\r\n";
    static const char no_http[] = "\x16\x03\x01\x00\x05hello\r\n\r\n";
    const struct {
        const char *octets;
        size_t size;
    } all[] = {{nul_in_from, sizeof(nul_in_from) - 1}, {no_http, sizeof(no_http) - 1}};
    struct run run;

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char *answer = raw_call(daemon_.port, all[i].octets, all[i].size, 2000, NULL);
        ck_assert_msg(strncmp(answer, "HTTP/1.1 4", 10) == 0 || answer[0] == '\0', "%s", answer);
        free(answer);
    }
    run_open(&run, client, &daemon_, meter, "Cmeter");
    run_finish(&run, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/refusals", bad_requests_are_refused_and_leave_no_trace,
    octets_that_are_no_request_are_refused)
