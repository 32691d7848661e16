/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which certificate types (RFC 7250) an initiator gets: the first in its order that is usable; and
 * without a common one it is refused before there is anything to sign. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "support/foreign.h"
#include "support/run.h"
#include "support/spoil.h"
#include "tls/context.h"
#include "tls/message.h"

#define CLIENT_CERTIFICATE_TYPE 19
#define SERVER_CERTIFICATE_TYPE 20

static struct daemon daemon_;
static CURL *client;

#define RULE_X509(endpoint)                                                                        \
    "{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\",\"trust\":\"field\","           \
    "\"endpoints\":[\"" endpoint "\"]}"
#define RULE_RAW(endpoint)                                                                         \
    "{\"flavour\":\"rawPublicKey\",\"identity\":\"//m2m.example/in-cse/C" endpoint "\","           \
    "\"publicKeyId\":\"ni:///sha-256-120;" endpoint                                                \
    "AAAAAAAAAAAAAAAA\",\"endpoints\":[\"" endpoint "\"]}"
#define ENDPOINT(name, more)                                                                       \
    "{\"name\":\"" name "\",\"identity\":\"//m2m.example/" name "\",\"serverName\":\"" name        \
    ".m2m.example\",\"privateKey\":\"in-cse.key\"," more "}"

/* By what each end-point proves itself, and what its rules are for. */
static const char policy[] = "{\"limits\":{\"pendingPerOriginator\":64},\"endpoints\":[" ENDPOINT(
    "in-cse", "\"certificate\":\"in-cse.pem\"") "," ENDPOINT("both",
    "\"certificate\":\"in-cse.pem\",\"rawPublicKey\":true") "," ENDPOINT("bare",
    "\"rawPublicKey\":true") "," ENDPOINT("idle",
    "\"certificate\":\"in-cse.pem\"") "],"
                                      "\"initiators\":[" RULE_X509("in-cse") "," RULE_X509(
                                          "both") "," RULE_RAW("both") "," RULE_RAW("bare") "]}";

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    client = http_open();
}

static void tear_down(void)
{
    http_close(client);
    daemon_stop(&daemon_);
}

/* COUNT more octets in the length of WIDTH octets at AT. */
static void lengthen(uint8_t *at, size_t width, size_t count)
{
    for (size_t i = width; i-- > 0; count >>= 8) {
        count += at[i];
        at[i] = (uint8_t)count;
    }
}

/* To the end of ClientHello, with all the lengths around it. TYPES is the list, its count first. */
static void add_extension(struct buffer *hello, uint8_t extension, const uint8_t types[8])
{
    const uint8_t body = (uint8_t)(1 + types[0]), head[] = {0, extension, 0, body};
    uint8_t *at = hello->data + 9 + 2 + 32; /* headers of record and message, version, random */

    at += 1 + at[0];
    at += 2 + (at[0] << 8 | at[1]);
    lengthen(at + 1 + at[0], 2, sizeof(head) + body);
    lengthen(hello->data + 6, 3, sizeof(head) + body);
    lengthen(hello->data + 3, 2, sizeof(head) + body);
    spoil_append(hello, head, sizeof(head));
    spoil_append(hello, types, body);
}

/* 0: X.509, 2: raw public key; a list, its count first; no list: no extension. */
#define X509_ALONE                                                                                 \
    {                                                                                              \
        1, 0                                                                                       \
    }
#define RAW_ALONE                                                                                  \
    {                                                                                              \
        1, 2                                                                                       \
    }
#define X509_RAW                                                                                   \
    {                                                                                              \
        2, 0, 2                                                                                    \
    }
#define RAW_X509                                                                                   \
    {                                                                                              \
        2, 2, 0                                                                                    \
    }
#define NO_LIST                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }
#define REFUSED 255

static const struct {
    const char *server_name;
    uint8_t client[8], server[8]; /* the lists of the initiator */
    uint8_t client_type, server_type;
} cases[] = {
    {"in-cse.m2m.example", NO_LIST, NO_LIST, 0, 0},
    {"in-cse.m2m.example", X509_ALONE, X509_ALONE, 0, 0},
    {"in-cse.m2m.example", RAW_X509, RAW_X509, 0, 0},
    {"in-cse.m2m.example", X509_RAW, X509_RAW, 0, 0},
    {"in-cse.m2m.example", RAW_ALONE, NO_LIST, REFUSED, 0},
    {"in-cse.m2m.example", NO_LIST, RAW_ALONE, REFUSED, 0},
    {"in-cse.m2m.example", {1, 3}, NO_LIST, REFUSED, 0}, /* a type that we do not know */
    {"in-cse.m2m.example", {2, 3, 0}, NO_LIST, 0, 0},
    {"both.m2m.example", NO_LIST, NO_LIST, 0, 0},
    {"both.m2m.example", RAW_X509, X509_RAW, 2, 0},
    {"both.m2m.example", X509_RAW, RAW_X509, 0, 2},
    {"both.m2m.example", RAW_ALONE, RAW_ALONE, 2, 2},
    {"both.m2m.example", RAW_ALONE, NO_LIST, 2, 0},
    {"both.m2m.example", NO_LIST, RAW_ALONE, 0, 2},
    {"bare.m2m.example", NO_LIST, NO_LIST, REFUSED, 0},
    {"bare.m2m.example", RAW_ALONE, NO_LIST, REFUSED, 0},
    {"bare.m2m.example", NO_LIST, RAW_ALONE, REFUSED, 0},
    {"bare.m2m.example", X509_ALONE, RAW_ALONE, REFUSED, 0},
    {"bare.m2m.example", RAW_ALONE, X509_ALONE, REFUSED, 0},
    {"bare.m2m.example", X509_RAW, X509_RAW, 2, 2},
    {"bare.m2m.example", RAW_X509, RAW_ALONE, 2, 2},
    {"idle.m2m.example", RAW_X509, NO_LIST, 0, 0}, /* no rule lets anyone in */
    {"idle.m2m.example", RAW_ALONE, NO_LIST, REFUSED, 0},
    {"both.m2m.example", {3, 1, 3, 2}, {3, 4, 2, 0}, 2, 2}, /* as long as anyone likes */
    {"both.m2m.example", {5, 1, 3, 4, 5, 2}, {5, 5, 4, 3, 1, 0}, 2, 0},
    {"bare.m2m.example", {7, 9, 8, 7, 6, 5, 4, 2}, {7, 2, 2, 2, 2, 2, 2, 2}, 2, 2},
    {"in-cse.m2m.example", {7, 0, 0, 0, 0, 0, 0, 0}, {7, 9, 8, 7, 6, 5, 4, 0}, 0, 0},
    {"in-cse.m2m.example", {7, 9, 8, 7, 6, 5, 4, 2}, NO_LIST, REFUSED, 0},
};

static void expect_types(size_t i, struct http_answer *answer)
{
    static struct message2 message2;
    struct buffer octets AUTO_BUFFER = {.limit = 65536};

    ck_assert_msg(answer->status == 201, "case %zu: %s", i, answer->body);
    exchange_message(answer->body, &octets);
    ck_assert_int_eq(message2_read(buffer_bytes(&octets), &message2, NULL), RESULT_OK);
    ck_assert_msg((uint8_t)message2.client_type == cases[i].client_type &&
                      (uint8_t)message2.server_type == cases[i].server_type,
        "case %zu: %d, %d", i, message2.client_type, message2.server_type);
    http_answer_release(answer);
}

START_TEST(the_first_usable_type_is_chosen)
{
    const struct refusal refused = {
        403, 4106, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "no certificate type"};

    set_up();
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_answer answer;
        struct run run;

        run_begin(&run, meter, cases[i].server_name);
        if (cases[i].client[0] > 0)
            add_extension(&run.message1, CLIENT_CERTIFICATE_TYPE, cases[i].client);
        if (cases[i].server[0] > 0)
            add_extension(&run.message1, SERVER_CERTIFICATE_TYPE, cases[i].server);
        run_send(client, &daemon_, RUN_CREATE, "/cse-in", "Cmeter", "t", &run.message1, &answer);
        if (cases[i].client_type == REFUSED)
            refusal_expect(cases[i].server_name, &answer, &refused, "t", "3", false);
        else
            expect_types(i, &answer);
        run_end(&run);
    }
    initiator_credential_free(meter);
    tear_down();
}
END_TEST

/* A whole exchange with a stack that would rather have our raw public key. */
START_TEST(gnutls_takes_x509_instead)
{
    struct http_answer answer;
    struct foreign foreign;
    char *content = NULL, error[512];

    set_up();
    foreign_start(
        &foreign, &daemon_, "gnutls", "meter", (const char *[]){"--take", "raw,x509", NULL});
    ck_assert_int_gt(
        asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "POST",
            .path = "/cse-in",
            .from = "Cmeter",
            .request_id = "1",
            .content_type = "application/json;ty=30001",
            .body = content},
        &answer);
    free(content);
    ck_assert_msg(answer.status == 201, "%ld: %s", answer.status, answer.body);
    foreign_write(&foreign, run_member(&answer, "eckm"));
    http_answer_release(&answer);

    ck_assert_int_gt(
        asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "PUT",
            .path = RUN_ENTRY,
            .from = "Cmeter",
            .request_id = "2",
            .content_type = "application/json",
            .body = content},
        &answer);
    free(content);
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    foreign_write(&foreign, run_member(&answer, "eckm"));
    ck_assert_ptr_nonnull(strstr(foreign_read(&foreign), run_member(&answer, "kid")));
    http_answer_release(&answer);
    ck_assert_int_eq(foreign_end(&foreign, error, sizeof(error)), 0);
    tear_down();
}
END_TEST

CHECK_MAIN(
    "integration/certificate_types", the_first_usable_type_is_chosen, gnutls_takes_x509_instead)
