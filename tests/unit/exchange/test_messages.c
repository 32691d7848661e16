/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four messages: their ways, their order, their retransmissions, and what ends an exchange. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/alert.h"
#include "base/clock.h"
#include "unit/exchange/stage.h"

/* --- the ways that the messages travel --- */

struct way {
    const char *name;
    struct stage_request first, second; /* with Message 1 and Message 3; second.to NULL: the
                                           exchange's own address */
    int first_rsc, second_rsc;
};

static const struct way ways[] = {
    {"by the exchange", {OPERATION_CREATE, .to = STAGE_CSE_BASE, .ty = "30001"},
        {.operation = OPERATION_UPDATE}, 2001, 2004},
    {"with the address", {OPERATION_CREATE, .to = STAGE_ENTRY_POINT, .ty = "30001", .rcn = "3"},
        {.operation = OPERATION_UPDATE}, 2001, 2004},
    {"as a flexBlocking request",
        {OPERATION_CREATE, .to = STAGE_CSE_BASE, .ty = "30001", .rt = "4"},
        {.operation = OPERATION_UPDATE, .rt = "4"}, 2001, 2004},
    {"by From", {OPERATION_CREATE, .to = STAGE_ENTRY_POINT, .ty = "30001"},
        {OPERATION_UPDATE, .to = STAGE_ENTRY_POINT}, 2001, 2004},
    {"by Notify", {OPERATION_NOTIFY, .to = STAGE_NOTIFY}, {OPERATION_NOTIFY, .to = STAGE_NOTIFY},
        2000, 2000},
    {"by Notify to the end-point", {OPERATION_NOTIFY, .to = STAGE_NOTIFY "/in-cse"},
        {OPERATION_NOTIFY, .to = STAGE_ENTRY_POINT}, 2000, 2000},
    {"by Notify, then Update", {OPERATION_NOTIFY, .to = STAGE_NOTIFY},
        {OPERATION_UPDATE, .to = STAGE_ENTRY_POINT}, 2000, 2004},
};

static struct response send_first(const struct way *way, const struct stage_run *run)
{
    struct stage_request request = way->first;

    request.from = "Cmeter";
    request.id = "first";
    request.message = buffer_bytes(&run->message1);
    return stage_ask(&request);
}

static struct response send_second(const struct way *way, const struct stage_run *run)
{
    struct stage_request request = way->second;

    if (!request.to)
        request.to = run->path;
    request.from = "/in-cse/Cmeter"; /* as a transit CSE lengthens it */
    request.id = "second";
    request.message = buffer_bytes(&run->message3);
    return stage_ask(&request);
}

static void expect_equal(const struct response *one, const struct response *other)
{
    ck_assert_int_eq(one->rsc, other->rsc);
    ck_assert_str_eq(one->location, other->location);
    ck_assert_uint_eq(one->content.size, other->content.size);
    ck_assert_mem_eq(one->content.data, other->content.data, one->content.size);
}

/* Every request is sent twice, and the second answer is the first one octet for octet: no exchange
 * more, and no key more. */
START_TEST(establishes_a_key_each_way_and_answers_retransmissions_alike)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        const struct way *way = &ways[i];
        struct stage_run run;

        stage_begin(&run, STAGE_METER, NULL);
        struct response message2 = send_first(way, &run), again2 = send_first(way, &run);
        ck_assert_msg(message2.rsc == way->first_rsc, "%s: %d", way->name, message2.rsc);
        expect_equal(&message2, &again2);
        ck_assert_uint_eq(procedure_count(stage.procedure).pending, 1);
        stage_take_message2(&run, &message2);

        struct response message4 = send_second(way, &run), again4 = send_second(way, &run);
        ck_assert_msg(message4.rsc == way->second_rsc, "%s: %d", way->name, message4.rsc);
        expect_equal(&message4, &again4);
        stage_take_message4(&run, &message4);
        ck_assert_uint_eq(procedure_count(stage.procedure).pending, 0);
        ck_assert_uint_eq(procedure_count(stage.procedure).retained, i < 4 ? i + 1 : 4);

        struct response late2 = send_first(way, &run);
        expect_equal(&message2, &late2);
        response_release(&message2);
        response_release(&again2);
        response_release(&late2);
        response_release(&message4);
        response_release(&again4);
        stage_end(&run);
    }
    ck_assert_uint_eq(
        key_cache_count(stage.cache), 4); /* as many as the cache holds for one peer */
}
END_TEST

/* The same octets under another request identifier are another request. */
/* --- attributes --- */

/* The time that the member NAME of RESPONSE has, in seconds. */
static int64_t find_time(const struct response *response, const char *name)
{
    char member[16], text[TIMESTAMP_OCTETS] = "";
    int64_t us = 0;

    snprintf(member, sizeof(member), "\"%s\":\"", name);
    const char *found =
        memmem(response->content.data, response->content.size, member, strlen(member));
    ck_assert_msg(found, "no %s", name);
    memcpy(text, found + strlen(member), TIMESTAMP_OCTETS - 1);
    ck_assert(timestamp_read(text, &us));
    return us / 1000000;
}

static void expect_content(const struct response *response, const char *text)
{
    ck_assert_msg(memmem(response->content.data, response->content.size, text, strlen(text)),
        "%.*s", (int)response->content.size, (const char *)response->content.data);
}

/* A Create gives lbl and et; whatever shows the exchange shows them again. */
START_TEST(a_create_gives_labels_and_an_expiration_time)
{
    char text[TIMESTAMP_OCTETS], more[64];
    struct stage_run run;
    int64_t et_s = clock_wall_s() + 20; /* sooner than limits.exchangeTimeout */

    timestamp_format(et_s, text);
    snprintf(more, sizeof(more), ",\"et\":\"%s\",\"lbl\":[\"hall\",\"3\"]", text);
    stage_begin(&run, STAGE_METER, NULL);
    struct stage_request request = {.operation = OPERATION_CREATE,
        .to = STAGE_CSE_BASE,
        .from = "Cmeter",
        .id = "1",
        .ty = "30001",
        .message = buffer_bytes(&run.message1),
        .more = more};
    struct response created CLEANUP(response_release) = stage_ask(&request);
    stage_take_message2(&run, &created);
    request = (struct stage_request){
        .operation = OPERATION_RETRIEVE, .to = run.path, .from = "Cmeter", .id = "2"};
    struct response pending CLEANUP(response_release) = stage_ask(&request);
    request.operation = OPERATION_UPDATE;
    request.message = buffer_bytes(&run.message3);
    struct response updated CLEANUP(response_release) = stage_ask(&request);
    stage_take_message4(&run, &updated);

    const struct response *const all[] = {&created, &pending, &updated};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        ck_assert_int_eq(find_time(all[i], "et"), et_s);
        expect_content(all[i], "\"lbl\":[\"hall\",\"3\"]");
    }
    stage_end(&run);
}
END_TEST

/* An et beyond what we grant becomes what we grant (TS-0001 10.1.2), and the key's own end is told
 * once there is a key. */
START_TEST(times_are_those_that_we_grant)
{
    struct stage_run run;

    stage_begin(&run, STAGE_METER, NULL);
    struct stage_request request = {.operation = OPERATION_CREATE,
        .to = STAGE_CSE_BASE,
        .from = "Cmeter",
        .id = "1",
        .ty = "30001",
        .message = buffer_bytes(&run.message1),
        .more = ",\"et\":\"99991231T235959\""};
    struct response created CLEANUP(response_release) = stage_ask(&request);
    stage_take_message2(&run, &created);
    ck_assert_int_eq(find_time(&created, "et"), find_time(&created, "ct") + 30);
    ck_assert_ptr_null(memmem(created.content.data, created.content.size, "\"kex\"", 5));

    request = (struct stage_request){.operation = OPERATION_UPDATE,
        .to = run.path,
        .from = "Cmeter",
        .id = "2",
        .message = buffer_bytes(&run.message3)};
    struct response updated CLEANUP(response_release) = stage_ask(&request);
    stage_take_message4(&run, &updated);
    int64_t established_s = find_time(&updated, "lt");
    ck_assert_int_eq(find_time(&updated, "et"), established_s + 60);
    ck_assert_int_eq(find_time(&updated, "kex"), established_s + 86400);
    stage_end(&run);
}
END_TEST

/* --- what ends an exchange --- */

START_TEST(a_second_message3_is_a_conflict)
{
    struct stage_run run;

    stage_begin_and_create(&run, STAGE_METER, "Cmeter", "1");
    struct stage_request request = {.operation = OPERATION_UPDATE,
        .to = run.path,
        .from = "Cmeter",
        .id = "3",
        .message = buffer_bytes(&run.message3)};
    struct response message4 CLEANUP(response_release) = stage_ask(&request);
    stage_take_message4(&run, &message4);
    request.id = "4";
    struct response refused CLEANUP(response_release) = stage_ask(&request);
    ck_assert_int_eq(refused.rsc, 4105);
    ck_assert_uint_eq(key_cache_count(stage.cache), 1);
    stage_end(&run);
}
END_TEST

/* --- Message 1 --- */

START_TEST(the_server_name_has_to_be_ours)
{
    static const struct {
        const char *server_name, *to;
        int alert;
    } rows[] = {
        {"in-cse.m2m.example", STAGE_NOTIFY, 0},
        {"IN-CSE.m2m.example", STAGE_NOTIFY "/in-cse", 0},
        {"mn-cse.m2m.example", STAGE_NOTIFY, TLS_ALERT_UNRECOGNIZED_NAME},
        {"mn-cse.m2m.example", STAGE_NOTIFY "/in-cse", TLS_ALERT_UNRECOGNIZED_NAME},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct stage_run run;

        stage_begin(&run, STAGE_METER, rows[i].server_name);
        struct response response CLEANUP(response_release) =
            stage_ask(&(struct stage_request){.operation = OPERATION_NOTIFY,
                .to = rows[i].to,
                .from = "Cmeter",
                .id = rows[i].to,
                .message = buffer_bytes(&run.message1)});
        ck_assert_int_eq(response.rsc, rows[i].alert ? 4106 : 2000);
        if (rows[i].alert)
            ck_assert_int_eq(stage_alert(&response), rows[i].alert);
        stage_end(&run);
    }
}
END_TEST

/* Before the message is looked at, and whichever way it comes. */
START_TEST(an_originator_whom_no_rule_is_for_is_refused_at_once)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct stage_request request = ways[i].first;

        request.from = "/mn-cse/Cmeter";
        request.id = "1";
        request.message = bytes_of("\x16\x03\x01\x00\x01\x01", 6); /* not even whole */
        struct response response CLEANUP(response_release) = stage_ask(&request);
        ck_assert_msg(response.rsc == 4103, "%s: %d", ways[i].name, response.rsc);
        ck_assert_int_eq(stage_alert(&response), TLS_ALERT_ACCESS_DENIED);
    }
    ck_assert_uint_eq(procedure_count(stage.procedure).pending, 0);
}
END_TEST

START_TEST(once_closed_it_finishes_what_is_under_way)
{
    struct stage_run run, late;

    stage_begin_and_create(&run, STAGE_METER, "Cmeter", "1");
    procedure_close(stage.procedure);
    stage_begin(&late, STAGE_METER, NULL);
    struct response refused CLEANUP(response_release) = send_first(&ways[0], &late);
    ck_assert_int_eq(refused.result, RESULT_STOPPING);
    ck_assert_uint_eq(refused.retry_after_s, 1);
    struct response message4 CLEANUP(response_release) = send_second(&ways[0], &run);
    stage_take_message4(&run, &message4);
    stage_end(&run);
    stage_end(&late);
}
END_TEST

/* --- Message 3 that is refused --- */

static void nothing(struct buffer *message3)
{
    (void)message3;
}

/* Finished is the last record. */
static void spoil_finished(struct buffer *message3)
{
    message3->data[message3->size - 1] ^= 1;
}

/* CertificateVerify ends where the records of ChangeCipherSpec (6 octets) and Finished begin. */
static void spoil_signature(struct buffer *message3)
{
    static const uint8_t change_cipher_spec[] = {20, 3, 3, 0, 1, 1};
    uint8_t *end =
        memmem(message3->data, message3->size, change_cipher_spec, sizeof(change_cipher_spec));

    ck_assert_ptr_nonnull(end);
    end[-1] ^= 1;
}

static void cut(struct buffer *message3)
{
    message3->size--;
}

static const struct {
    const char *name, *from;
    void (*spoil)(struct buffer *message3);
    enum stage_credential credential;
    int rsc, alert;    /* alert 0: none */
    bool ends_by_name; /* the exchange, when Message 3 is addressed to it */
    bool ends_by_from; /* when only From and the signature tell which exchange it belongs to */
} refused3[] = {
    {"an authority that nobody trusts", "Cmeter", nothing, STAGE_STRANGER, 4106,
        TLS_ALERT_UNKNOWN_CA, true, true},
    {"no rule", "Cmeter", nothing, STAGE_UNLISTED, 4106, TLS_ALERT_BAD_CERTIFICATE, true, true},
    {"From is not who has signed", "Cother", nothing, STAGE_METER, 4103, TLS_ALERT_ACCESS_DENIED,
        true, true},
    {"another Finished", "Cmeter", spoil_finished, STAGE_METER, 4106, TLS_ALERT_BAD_RECORD_MAC,
        true, true},
    {"another signature", "Cmeter", spoil_signature, STAGE_METER, 4106, TLS_ALERT_DECRYPT_ERROR,
        true, false},
    {"cut off", "Cmeter", cut, STAGE_METER, 4102, 0, false, false},
};

static void refuse_message3(size_t row, bool by_name)
{
    struct stage_run run;

    stage_begin_and_create(&run, refused3[row].credential, refused3[row].from, "1");
    refused3[row].spoil(&run.message3);
    struct response response CLEANUP(response_release) = stage_ask(
        &(struct stage_request){.operation = by_name ? OPERATION_UPDATE : OPERATION_NOTIFY,
            .to = by_name ? run.path : STAGE_NOTIFY,
            .from = refused3[row].from,
            .id = "3",
            .message = buffer_bytes(&run.message3)});
    ck_assert_msg(response.rsc == refused3[row].rsc, "%s: %d: %.*s", refused3[row].name,
        response.rsc, (int)response.content.size, (const char *)response.content.data);
    ck_assert_msg(
        stage_alert(&response) == (refused3[row].alert ? refused3[row].alert : FAULT_NO_ALERT),
        "%s: alert %d", refused3[row].name, stage_alert(&response));

    bool is_over = by_name ? refused3[row].ends_by_name : refused3[row].ends_by_from;
    struct response deleted CLEANUP(response_release) = stage_ask(&(struct stage_request){
        .operation = OPERATION_DELETE, .to = run.path, .from = refused3[row].from, .id = "4"});
    ck_assert_msg(
        deleted.rsc == (is_over ? 4004 : 2002), "%s: %d", refused3[row].name, deleted.rsc);
    ck_assert_uint_eq(procedure_count(stage.procedure).pending, 0);
    ck_assert_uint_eq(key_cache_count(stage.cache), 0);
    stage_end(&run);
}

START_TEST(a_bad_message3_ends_the_exchange_of_whoever_has_signed_it)
{
    for (size_t row = 0; row < ARRAY_SIZE(refused3); row++) {
        refuse_message3(row, true);
        refuse_message3(row, false);
    }
}
END_TEST

/* --- Delete --- */

START_TEST(a_deleted_exchange_is_gone_and_its_key_stays)
{
    for (int established = 0; established <= 1; established++) {
        struct stage_run run;

        stage_begin_and_create(&run, STAGE_METER, "Cmeter", "1");
        if (established) {
            struct response message4 CLEANUP(response_release) = send_second(&ways[0], &run);
            stage_take_message4(&run, &message4);
        }
        struct response deleted CLEANUP(response_release) =
            stage_ask(&(struct stage_request){.operation = OPERATION_DELETE,
                .to = run.path,
                .from = "Cmeter",
                .id = "d",
                .rcn = established ? "1" : NULL});
        ck_assert_int_eq(deleted.rsc, 2002);
        ck_assert_int_eq(deleted.content.size > 0, established);
        struct response gone CLEANUP(response_release) = send_second(&ways[0], &run);
        ck_assert_int_eq(gone.rsc, 4004);
        ck_assert_uint_eq(key_cache_count(stage.cache), (unsigned)established);
        stage_end(&run);
    }
}
END_TEST

CHECK_MAIN_FIXTURE("exchange/messages", stage_open, stage_close,
    establishes_a_key_each_way_and_answers_retransmissions_alike,
    a_create_gives_labels_and_an_expiration_time, times_are_those_that_we_grant,
    a_second_message3_is_a_conflict, the_server_name_has_to_be_ours,
    an_originator_whom_no_rule_is_for_is_refused_at_once, once_closed_it_finishes_what_is_under_way,
    a_bad_message3_ends_the_exchange_of_whoever_has_signed_it,
    a_deleted_exchange_is_gone_and_its_key_stays)
