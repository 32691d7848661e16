/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/refusal.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

struct view {
    const char *case_name;
    const struct http_answer *answer;
    const struct refusal *expected;
};

#define EXPECT(view, condition, what)                                                              \
    ck_assert_msg(condition, "%s: %s; got %ld/%s: %s", (view)->case_name, what,                    \
        (view)->answer->status, text_or(http_answer_header((view)->answer, "X-M2M-RSC")),          \
        text_or((view)->answer->body))

static const char *text_or(const char *text)
{
    return text ? text : "-";
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void expect_headers(const struct view *view, const char *request_id, const char *release)
{
    const struct http_answer *answer = view->answer;
    const char *retry = http_answer_header(answer, "Retry-After");
    char rsc[16], what[64];

    snprintf(rsc, sizeof(rsc), "%d", view->expected->rsc);
    snprintf(what, sizeof(what), "expected %ld/%s", view->expected->status, rsc);
    EXPECT(view, answer->status == view->expected->status, what);
    EXPECT(view, same(http_answer_header(answer, "X-M2M-RSC"), rsc), what);
    EXPECT(view, same(http_answer_header(answer, "X-M2M-RI"), request_id), "X-M2M-RI");
    EXPECT(view, same(http_answer_header(answer, "X-M2M-RVI"), release), "X-M2M-RVI");
    EXPECT(view, same(http_answer_header(answer, "Content-Type"), "application/json"), "type");
    EXPECT(view, !http_answer_header(answer, "Content-Location"), "a refusal creates nothing");
    EXPECT(view, (answer->status == 503) == (retry && atoi(retry) > 0), "Retry-After");
}

/* One line of printable ASCII, fit for a log and a terminal. */
static void expect_debug_line(const struct view *view, const json_t *root)
{
    const json_t *value = json_object_get(root, "m2m:dbg");
    const char *line = text_or(json_string_value(value));

    EXPECT(view, json_string_length(value) == strlen(line) && line[0] != '\0', "m2m:dbg");
    for (const char *c = line; *c != '\0'; c++)
        EXPECT(view, *c >= ' ' && *c <= '~', "m2m:dbg is not one printable line");
    EXPECT(view, strstr(line, view->expected->text), view->expected->text);
}

static void expect_alert(const struct view *view, const json_t *root, bool by_notify)
{
    const uint8_t record[] = {21, 3, 3, 0, 2, 2, (uint8_t)view->expected->alert};
    const json_t *object = json_object_get(root, by_notify ? "m2m:seci" : "m2m:e2ek");
    const json_t *kind = json_object_get(object, by_notify ? "sit" : "est");
    char text[BASE64_OCTETS(sizeof(record)) + 1];

    if (view->expected->alert == REFUSAL_ALERT_NONE) {
        EXPECT(view, json_object_size(root) == 1, "m2m:dbg alone");
        return;
    }
    base64_encode_text(bytes_of(record, sizeof(record)), text);
    EXPECT(view, json_object_size(root) == 2 && json_object_size(object) == 2, "an alert");
    EXPECT(view, json_integer_value(kind) == (by_notify ? 6 : 3), "sit 6 or est 3");
    EXPECT(view, same(json_string_value(json_object_get(object, "eckm")), text), text);
}

void refusal_expect(const char *case_name, struct http_answer *answer,
    const struct refusal *expected, const char *request_id, const char *release, bool by_notify)
{
    const struct view view = {case_name, answer, expected};
    json_t *root = json_loads(answer->body ? answer->body : "", JSON_REJECT_DUPLICATES, NULL);

    expect_headers(&view, request_id, release);
    EXPECT(&view, root, "a body in JSON");
    expect_debug_line(&view, root);
    expect_alert(&view, root, by_notify);
    json_decref(root);
    http_answer_release(answer);
}
