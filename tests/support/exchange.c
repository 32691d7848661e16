/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/exchange.h"

#include <check.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "support/varlink.h"
#include "tls/context.h"

#define PROMPT_MS 10000 /* an exchange that took longer has waited for another client */

struct initiator_credential *exchange_credential(const struct daemon *daemon, const char *name)
{
    struct initiator_credential *credential = NULL;
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(tls_start(&fault), RESULT_OK);
    ck_assert_msg(initiator_credential_new(daemon_file(daemon, "%s.pem", name),
                      daemon_file(daemon, "%s.key", name), daemon_file(daemon, "field-ca.pem"),
                      &credential, &fault) == RESULT_OK,
        "%s", fault.text);
    return credential;
}

char *exchange_content(struct bytes message)
{
    static const char before[] = "{\"m2m:e2ek\":{\"eckm\":\"";
    char *content = malloc(sizeof(before) + BASE64_OCTETS(message.size) + 4);

    ck_assert_ptr_nonnull(content);
    memcpy(content, before, sizeof(before) - 1);
    base64_encode_text(message, content + sizeof(before) - 1);
    memcpy(content + strlen(content), "\"}}", sizeof("\"}}"));
    return content;
}

void exchange_message(const char *body, struct buffer *message)
{
    json_t *root = json_loads(body ? body : "", 0, NULL);
    json_t *object = json_object_get(root, "m2m:e2ek");
    const char *text = json_string_value(
        json_object_get(object ? object : json_object_get(root, "m2m:seci"), "eckm"));

    ck_assert_msg(text, "no eckm in %s", body ? body : "no body");
    ck_assert_int_eq(base64_decode(bytes_of_string(text), message), RESULT_OK);
    json_decref(root);
}

/* One request that carries MESSAGE; on success MESSAGE is the answer's. */
static bool call(CURL *client, const struct daemon *daemon, const char *from, const char *method,
    const char *path, const char *type, struct buffer *message, struct http_answer *answer)
{
    static atomic_uint next;
    char request_id[24];
    char *content = exchange_content(buffer_bytes(message));

    snprintf(request_id, sizeof(request_id), "x%u", atomic_fetch_add(&next, 1));
    m2m_call(client, daemon->port,
        &(struct m2m_request){.method = method,
            .path = path,
            .from = from,
            .request_id = request_id,
            .content_type = type,
            .body = content},
        answer);
    free(content);
    if (answer->status / 100 != 2)
        return false;
    buffer_consume(message, message->size);
    exchange_message(answer->body, message);
    return true;
}

bool exchange_run(CURL *client, const struct daemon *daemon,
    struct initiator_credential *credential, const char *from, struct exported_key *exported,
    struct http_answer *answer)
{
    struct initiator *initiator CLEANUP(auto_initiator_free) = NULL;
    struct buffer message AUTO_BUFFER = {.limit = 65536};
    struct buffer message3 AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;
    char path[600];

    ck_assert_msg(initiator_start(credential, "in-cse.m2m.example", &initiator, &message, &fault) ==
                      RESULT_OK,
        "%s", fault.text);
    if (!call(client, daemon, from, "POST", "/cse-in/e2EKeyCSE", "application/json;ty=30001",
            &message, answer))
        return false;
    snprintf(path, sizeof(path), "/~%s", http_answer_header(answer, "Content-Location"));
    http_answer_release(answer);
    ck_assert_msg(initiator_answer(initiator, buffer_bytes(&message), "//m2m.example/in-cse",
                      &message3, &fault) == RESULT_OK,
        "%s", fault.text);
    if (!call(client, daemon, from, "PUT", path, "application/json", &message3, answer))
        return false;
    ck_assert_msg(
        initiator_finish(initiator, buffer_bytes(&message3), exported, &fault) == RESULT_OK, "%s",
        fault.text);
    http_answer_release(answer);
    return true;
}

void exchange_prove(
    const struct daemon *daemon, struct initiator_credential *credential, const char *from)
{
    CURL *client = http_open();
    struct exported_key exported;
    struct http_answer answer;
    struct varlink varlink;
    int64_t started = clock_steady_ms();

    ck_assert_msg(exchange_run(client, daemon, credential, from, &exported, &answer),
        "refused: %ld %s", answer.status, answer.body);
    ck_assert_int_lt(clock_steady_ms() - started, PROMPT_MS);
    http_close(client);
    varlink_open(&varlink, daemon->socket);
    json_t *reply =
        varlink_call(&varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "peer", from));
    char id[2 * sizeof(exported.id) + 1];
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), id);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(json_object_get(reply, "parameters"), "key"), "keyId")),
        id);
    json_decref(reply);
    varlink_close(&varlink);
}

char *exchange_begin(struct initiator_credential *credential)
{
    struct initiator *initiator CLEANUP(auto_initiator_free) = NULL;
    struct buffer message AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(
        initiator_start(credential, "in-cse.m2m.example", &initiator, &message, &fault), RESULT_OK);
    return exchange_content(buffer_bytes(&message));
}
