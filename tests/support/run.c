/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/run.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "support/varlink.h"

void run_begin(struct run *run, struct initiator_credential *credential, const char *server_name)
{
    struct fault fault = FAULT_INIT;

    *run = (struct run){0};
    run->message1.limit = run->message2.limit = run->message3.limit = run->message4.limit = 65536;
    ck_assert_msg(initiator_start(credential, server_name, &run->initiator, &run->message1,
                      &fault) == RESULT_OK,
        "%s", fault.text);
}

void run_take_message2(struct run *run, const char *body)
{
    struct fault fault = FAULT_INIT;

    exchange_message(body, &run->message2);
    ck_assert_msg(initiator_answer(run->initiator, buffer_bytes(&run->message2),
                      "//m2m.example/in-cse", &run->message3, &fault) == RESULT_OK,
        "%s", fault.text);
}

void run_take_message4(struct run *run, const char *body)
{
    struct fault fault = FAULT_INIT;

    exchange_message(body, &run->message4);
    ck_assert_msg(initiator_finish(run->initiator, buffer_bytes(&run->message4), &run->exported,
                      &fault) == RESULT_OK,
        "%s", fault.text);
}

void run_end(struct run *run)
{
    initiator_free(run->initiator);
    buffer_release(&run->message1);
    buffer_release(&run->message2);
    buffer_release(&run->message3);
    buffer_release(&run->message4);
}

/* sit as 6.0: some CSEs pass it on so. */
static char *notification(const struct buffer *message)
{
    char *text = malloc(BASE64_OCTETS(message->size) + 1), *content = NULL;

    ck_assert_ptr_nonnull(text);
    base64_encode_text(buffer_bytes(message), text);
    ck_assert_int_gt(asprintf(&content, "{\"m2m:seci\":{\"sit\":6.0,\"eckm\":\"%s\"}}", text), 0);
    free(text);
    return content;
}

void run_send(CURL *client, const struct daemon *daemon, enum run_carrier carrier, const char *path,
    const char *from, const char *request_id, const struct buffer *message,
    struct http_answer *answer)
{
    static const char *const types[] = {[RUN_CREATE] = "application/json;ty=30001",
        [RUN_UPDATE] = "application/json",
        [RUN_NOTIFY] = "application/vnd.onem2m-ntfy+json"};
    char *content =
        carrier == RUN_NOTIFY ? notification(message) : exchange_content(buffer_bytes(message));

    m2m_call(client, daemon->port,
        &(struct m2m_request){.method = carrier == RUN_UPDATE ? "PUT" : "POST",
            .path = path,
            .from = from,
            .request_id = request_id,
            .content_type = types[carrier],
            .body = content},
        answer);
    free(content);
}

const struct run_place run_places[RUN_PLACES] = {
    {RUN_UPDATE, NULL}, {RUN_UPDATE, RUN_ENTRY}, {RUN_NOTIFY, "/notify"}};

void run_send_message3(const struct run *run, CURL *client, const struct daemon *daemon,
    const struct run_place *place, const struct buffer *message, struct http_answer *answer)
{
    run_send(client, daemon, place->carrier, place->path ? place->path : run->path, run->from, "m3",
        message, answer);
}

const char *run_member(const struct http_answer *answer, const char *name)
{
    static _Thread_local char text[8192];
    json_t *root = json_loads(answer->body ? answer->body : "", 0, NULL);
    json_t *value = json_object_get(json_object_get(root, "m2m:e2ek"), name);

    text[0] = '\0';
    if (json_is_string(value))
        snprintf(text, sizeof(text), "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    json_decref(root);
    return text;
}

static void expect_answer(const struct http_answer *answer, long status)
{
    ck_assert_msg(answer->status == status, "%ld: %s", answer->status,
        answer->body ? answer->body : "no body");
}

void run_open(struct run *run, CURL *client, const struct daemon *daemon,
    struct initiator_credential *credential, const char *from)
{
    struct http_answer answer;

    run_begin(run, credential, RUN_SERVER_NAME);
    run->from = from;
    run_send(client, daemon, RUN_CREATE, RUN_ENTRY, from, "open", &run->message1, &answer);
    expect_answer(&answer, 201);
    snprintf(run->path, sizeof(run->path), RUN_ENTRY "/%s", run_member(&answer, "rn"));
    run_take_message2(run, answer.body);
    http_answer_release(&answer);
}

void run_finish(struct run *run, CURL *client, const struct daemon *daemon,
    enum run_carrier carrier, const char *path)
{
    struct http_answer answer;

    run_send(client, daemon, carrier, path ? path : run->path, run->from, "finish", &run->message3,
        &answer);
    expect_answer(&answer, 200);
    if (carrier == RUN_UPDATE)
        ck_assert_str_eq(run_member(&answer, "est"), "2");
    run_take_message4(run, answer.body);
    http_answer_release(&answer);
    run_expect_key(run, daemon, run->from);
    run_end(run);
}

void run_expect_status(
    const struct run *run, CURL *client, const struct daemon *daemon, long status)
{
    struct http_answer answer;

    m2m_call(client, daemon->port,
        &(struct m2m_request){
            .method = "GET", .path = run->path, .from = run->from, .request_id = "status"},
        &answer);
    expect_answer(&answer, status);
    http_answer_release(&answer);
}

int64_t run_status_number(const struct daemon *daemon, const char *first, const char *second)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon->socket);
    json_t *reply = varlink_call(&varlink, "org.e2ekeyd.Keys.GetStatus", NULL);
    json_t *status = json_object_get(json_object_get(reply, "parameters"), "status");
    json_t *number = json_object_get(json_object_get(status, first), second);
    ck_assert_msg(json_is_integer(number), "no %s.%s in the status", first, second);
    int64_t value = json_integer_value(number);
    json_decref(reply);
    varlink_close(&varlink);
    return value;
}

static json_t *get_key(const struct daemon *daemon, const char *peer)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon->socket);
    json_t *reply =
        varlink_call(&varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "peer", peer));
    varlink_close(&varlink);
    return reply;
}

static const char *string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

void run_expect_key(const struct run *run, const struct daemon *daemon, const char *peer)
{
    char key[BASE64_OCTETS(32) + 1], id[33];
    json_t *reply = get_key(daemon, peer);
    const json_t *got = json_object_get(json_object_get(reply, "parameters"), "key");

    base64_encode_text(bytes_of(run->exported.key, 32), key);
    bytes_to_hex(bytes_of(run->exported.id, 16), id);
    ck_assert_str_eq(varlink_error(reply), "");
    ck_assert_str_eq(string(got, "keyId"), id);
    ck_assert_msg(strcmp(string(got, "key"), key) == 0, "%s has another key", peer);
    ck_assert_str_eq(string(got, "local"), "//m2m.example/in-cse");
    ck_assert_str_eq(string(got, "role"), "terminating");
    ck_assert_str_eq(string(got, "flavour"), run->flavour ? run->flavour : "aeId");
    json_decref(reply);
}

void run_expect_no_key(const struct daemon *daemon, const char *peer)
{
    json_t *reply = get_key(daemon, peer);

    ck_assert_str_eq(varlink_error(reply), "org.e2ekeyd.Keys.NoSuchKey");
    json_decref(reply);
}
