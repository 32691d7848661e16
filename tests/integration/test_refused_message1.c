/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message 1 that is not whole, not due, or not good. */
#include "support/check_main.h"
#include "support/fixture.h"

#include <stdio.h>
#include <string.h>

#include "support/foreign.h"
#include "support/run.h"
#include "support/spoil.h"
#include "tls/context.h"
#include "tls/message.h"

#define HELLO_VERSION 9 /* where client_version stands: after the headers of record and message */
#define HELLO_SESSION (HELLO_VERSION + 2 + 32)

/* --- Message 1 --- */

static void twice(struct buffer *message)
{
    struct buffer again;

    spoil_copy(message, &again);
    spoil_append(message, again.data, again.size);
    buffer_release(&again);
}

static void as_other_protocol(struct buffer *message)
{
    message->data[1] = 2;
}

static void empty_record(struct buffer *message)
{
    spoil_append(message, "\x16\x03\x03\0", 5);
}

/* The record ends before the ClientHello does. */
static void hello_goes_on(struct buffer *message)
{
    message->data[8]++;
}

static void as_tls_1_1(struct buffer *message)
{
    message->data[HELLO_VERSION + 1] = 2;
}

static uint8_t *suites(struct buffer *message)
{
    return message->data + HELLO_SESSION + 1 + message->data[HELLO_SESSION];
}

static size_t suites_size(struct buffer *message)
{
    return (size_t)suites(message)[0] << 8 | suites(message)[1];
}

/* TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 alone, over and over. */
static void strange_suites(struct buffer *message)
{
    for (size_t i = 0; i < suites_size(message); i += 2)
        memcpy(suites(message) + 2 + i, "\xc0\x2c", 2);
}

static void no_null_compression(struct buffer *message)
{
    uint8_t *compressions = suites(message) + 2 + suites_size(message);

    memset(compressions + 1, 1, compressions[0]);
}

/* Turns extension FROM into TO, which stays as long as it was. */
static void rename_extension(struct buffer *message, uint16_t from, uint16_t to)
{
    uint8_t *at = suites(message) + 2 + suites_size(message);
    const uint8_t *end = message->data + message->size;

    for (at += 1 + at[0] + 2; at < end; at += 4 + (at[2] << 8 | at[3]))
        if ((at[0] << 8 | at[1]) == from) {
            at[0] = (uint8_t)(to >> 8);
            at[1] = (uint8_t)to;
            return;
        }
    ck_abort_msg("no extension %d", from);
}

static void no_extended_master_secret(struct buffer *message)
{
    rename_extension(message, 23, 0xfafa);
}

static void extension_twice(struct buffer *message)
{
    rename_extension(message, 23, 0);
}

/* No curve, so no suite either: 0xfafa is reserved (RFC 8701). */
static void no_common_curve(struct buffer *message)
{
    uint8_t *curve = memmem(message->data, message->size, "\0\x0a\0\4\0\2\0\x17", 8);

    ck_assert_ptr_nonnull(curve);
    memcpy(curve + 6, "\xfa\xfa", 2);
}

static void cut_extensions(struct buffer *message)
{
    uint8_t *at = suites(message) + 2 + suites_size(message);

    at[1 + at[0] + 1]++; /* their length, low octet */
}

static const struct spoiled spoiled1[] = {
    {"cut short", spoil_drop_last, {400, 4102, 0, "not whole TLS records"}},
    {"trailing octet", spoil_add_octet, {400, 4102, 0, "not whole TLS records"}},
    {"trailing alert", spoil_add_alert, {400, 4102, 0, "holds an alert"}},
    {"an alert", spoil_only_alert, {400, 4102, 0, "alert"}},
    {"two ClientHellos", twice, {400, 4102, 0, "goes on after its ClientHello"}},
    {"no record", spoil_strip_record_header, {400, 4102, 0, "not whole TLS records"}},
    {"application data", spoil_as_application_data, {400, 4102, 0, "record of another type"}},
    {"another protocol", as_other_protocol, {400, 4102, 0, "not whole TLS records"}},
    {"an empty record", empty_record, {400, 4102, 0, "not whole TLS records"}},
    {"half a ClientHello", hello_goes_on, {400, 4102, 0, "whole ClientHello"}},
    {"TLS 1.1", as_tls_1_1, {403, 4106, TLS_ALERT_PROTOCOL_VERSION, "TLS 1.2"}},
    {"no common suite", strange_suites, {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "refused"}},
    {"no common curve", no_common_curve, {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "refused"}},
    {"compressed", no_null_compression, {403, 4106, TLS_ALERT_ILLEGAL_PARAMETER, "compression"}},
    {"no extended master secret", no_extended_master_secret,
        {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "extended master secret"}},
    {"an extension twice", extension_twice, {403, 4106, TLS_ALERT_DECODE_ERROR, "stands twice"}},
    {"cut extensions", cut_extensions, {403, 4106, TLS_ALERT_DECODE_ERROR, "extensions"}},
};

static void refuse1(const struct spoiled *case_)
{
    struct http_answer answer;
    struct run run;

    run_begin(&run, meter, RUN_SERVER_NAME);
    case_->spoil(&run.message1);
    run_send(client, &daemon_, RUN_CREATE, "/cse-in", "Cmeter", "m1", &run.message1, &answer);
    refusal_expect(case_->name, &answer, &case_->expected, "m1", "3", false);
    /* What does not even begin with a ClientHello is taken for Message 3 when it comes by Notify.
     */
    struct refusal expected = case_->expected;
    if (expected.rsc == 4102)
        expected.text = "Message ";
    run_send(client, &daemon_, RUN_NOTIFY, "/notify", "Cmeter", "m1", &run.message1, &answer);
    refusal_expect(case_->name, &answer, &expected, "m1", "3", true);
    run_end(&run);
}

START_TEST(bad_message1s_are_refused_and_take_no_room)
{
    struct http_answer answer;
    struct exported_key exported;

    fixture_start(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(spoiled1); i++)
        refuse1(&spoiled1[i]);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), 0);
    bool good = exchange_run(client, &daemon_, meter, "Cmeter", &exported, &answer);
    ck_assert_msg(good, "%ld: %s", answer.status, answer.body);
    fixture_stop();
}
END_TEST

START_TEST(a_server_name_that_is_not_ours_is_refused)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_UNRECOGNIZED_NAME, "SNI \"other.m2m.example\""};
    struct http_answer answer;
    struct run run;

    fixture_start(NULL);
    run_begin(&run, meter, "other.m2m.example");
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "s", &run.message1, &answer);
    refusal_expect("Create", &answer, &expected, "s", "3", false);
    run_send(client, &daemon_, RUN_NOTIFY, "/notify/in-cse", "Cmeter", "s", &run.message1, &answer);
    refusal_expect("Notify to an end-point", &answer, &expected, "s", "3", true);
    run_end(&run);
    fixture_stop();
}
END_TEST

/* The policy that an installation begins with: valid, and nobody is served. */
START_TEST(without_end_points_nobody_is_served)
{
    const struct refusal expected = {403, 4103, TLS_ALERT_ACCESS_DENIED, "no rule is for"};
    struct http_answer answer;
    struct run run;

    fixture_start("{\"endpoints\":[],\"initiators\":[]}");
    run_begin(&run, meter, RUN_SERVER_NAME);
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "n", &run.message1, &answer);
    refusal_expect("Create", &answer, &expected, "n", "3", false);
    run_end(&run);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){
            .method = "GET", .path = RUN_ENTRY, .from = "Cmeter", .request_id = "g"},
        &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_msg(strstr(answer.body, "\"escert\":[]"), "%s", answer.body);
    http_answer_release(&answer);
    fixture_stop();
}
END_TEST

/* OpenSSL and GnuTLS, not only octets that we changed; their stacks understand the alert. */
START_TEST(foreign_stacks_learn_why)
{
    static const struct {
        const char *stack, *arguments[3], *text;
        const char *policy;
    } cases[] = {
        {"openssl", {"--no-ems", NULL}, "extended master secret", NULL},
        {"gnutls", {"--no-ems", NULL}, "extended master secret", NULL},
        {"openssl", {"--cipher", "ECDHE-ECDSA-AES128-CCM", NULL}, "refused",
            "{\"tls\":{\"cipherSuites\":[\"ECDHE-ECDSA-AES128-SHA256\"]}}"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct refusal expected = {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, cases[i].text};
        struct http_answer answer;
        struct foreign foreign;
        char *content = NULL, error[512];

        fixture_start(cases[i].policy);
        foreign_start(&foreign, &daemon_, cases[i].stack, "meter", cases[i].arguments);
        ck_assert_int_gt(
            asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
        m2m_call(client, daemon_.port,
            &(struct m2m_request){.method = "POST",
                .path = "/cse-in",
                .from = "Cmeter",
                .request_id = "f",
                .content_type = "application/json;ty=30001",
                .body = content},
            &answer);
        foreign_write(&foreign, run_member(&answer, "eckm"));
        refusal_expect(cases[i].stack, &answer, &expected, "f", "3", false);
        ck_assert_int_eq(foreign_end(&foreign, error, sizeof(error)), 1);
        ck_assert_msg(strstr(error, "(alert 40 received)"), "%s", error);
        free(content);
        fixture_stop();
    }
}
END_TEST

CHECK_MAIN("integration/refused_message1", bad_message1s_are_refused_and_take_no_room,
    a_server_name_that_is_not_ours_is_refused, without_end_points_nobody_is_served,
    foreign_stacks_learn_why)
