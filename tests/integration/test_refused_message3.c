/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message 3 that is not whole, not due, or not good. */
#include "support/check_main.h"
#include "support/fixture.h"

#include <stdio.h>
#include <string.h>

#include "support/run.h"
#include "support/spoil.h"
#include "tls/message.h"

/* --- Message 3 --- */

static void delete_exchange(struct run *run)
{
    struct http_answer answer;

    m2m_call(client, daemon_.port,
        &(struct m2m_request){
            .method = "DELETE", .path = run->path, .from = "Cmeter", .request_id = "d"},
        &answer);
    http_answer_release(&answer);
    run_end(run);
}

static void drop_finished(struct buffer *message)
{
    message->size = spoil_tail(message, 1);
}

static void drop_change_cipher_spec(struct buffer *message)
{
    size_t at = spoil_tail(message, 2), next = spoil_tail(message, 1);

    memmove(message->data + at, message->data + next, message->size - next);
    message->size -= next - at;
}

static void odd_change_cipher_spec(struct buffer *message)
{
    message->data[spoil_tail(message, 1) - 1] = 2;
}

static void add_handshake_record(struct buffer *message)
{
    spoil_append(message, "\x16\x03\x03\0\4\0\0\0", 9);
}

static void drop_certificate(struct buffer *message)
{
    message->data[5] = 20; /* no Certificate, whatever it is */
}

static const struct spoiled malformed3[] = {
    {"cut short", spoil_drop_last, {400, 4102, 0, "Message 3"}},
    {"trailing octet", spoil_add_octet, {400, 4102, 0, "Message 3"}},
    {"trailing record", add_handshake_record, {400, 4102, 0, "Message 3 does not end"}},
    {"an alert", spoil_only_alert, {400, 4102, 0, "alert decode_error"}},
    {"no Finished", drop_finished, {400, 4102, 0, "Message 3 does not end"}},
    {"no ChangeCipherSpec", drop_change_cipher_spec, {400, 4102, 0, "Message 3 does not end"}},
    {"odd ChangeCipherSpec", odd_change_cipher_spec, {400, 4102, 0, "Message 3 does not end"}},
    {"no Certificate", drop_certificate, {400, 4102, 0, "Message 3 does not begin"}},
    {"no record", spoil_strip_record_header, {400, 4102, 0, "Message 3"}},
    {"application data", spoil_as_application_data, {400, 4102, 0, "Message 3"}},
};

static void refuse_malformed3(
    const struct run *run, const struct run_place *place, const struct spoiled *case_)
{
    struct http_answer answer;
    struct buffer message;

    spoil_copy(&run->message3, &message);
    case_->spoil(&message);
    run_send_message3(run, client, &daemon_, place, &message, &answer);
    refusal_expect(case_->name, &answer, &case_->expected, "m3", "3", place->carrier == RUN_NOTIFY);
    buffer_release(&message);
}

START_TEST(what_is_not_message3_leaves_the_exchange_usable)
{
    fixture_start(NULL);
    for (size_t i = 0; i < RUN_PLACES; i++) {
        struct run run;

        run_open(&run, client, &daemon_, meter, "Cmeter");
        for (size_t j = 0; j < ARRAY_SIZE(malformed3); j++)
            refuse_malformed3(&run, &run_places[i], &malformed3[j]);
        run_expect_status(&run, client, &daemon_, 200);
        run_finish(&run, client, &daemon_, run_places[i].carrier, run_places[i].path);
    }
    fixture_stop();
}
END_TEST

/* Message 3 where Message 1 is due, and the other way round. */
START_TEST(a_message_that_is_not_due_is_refused)
{
    const struct refusal not1 = {400, 4102, 0, "Message 1"}, not3 = {400, 4102, 0, "Message 3"};
    struct http_answer answer;
    struct run run;

    fixture_start(NULL);
    run_open(&run, client, &daemon_, meter, "Cmeter");
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "a", &run.message3, &answer);
    refusal_expect("Message 3 for 1", &answer, &not1, "a", "3", false);
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "b", &run.message2, &answer);
    refusal_expect("Message 2 for 1", &answer, &not1, "b", "3", false);
    for (size_t i = 0; i < 2; i++) {
        run_send_message3(&run, client, &daemon_, &run_places[i], &run.message1, &answer);
        refusal_expect("Message 1 for 3", &answer, &not3, "m3", "3", false);
        run_send_message3(&run, client, &daemon_, &run_places[i], &run.message2, &answer);
        refusal_expect("Message 2 for 3", &answer, &not3, "m3", "3", false);
    }
    run_finish(&run, client, &daemon_, RUN_UPDATE, NULL);
    fixture_stop();
}
END_TEST

/* --- a Message 3 that is whole, but not good --- */

static void bad_finished(struct buffer *message)
{
    message->data[message->size - 1] ^= 1;
}

/* An octet of the signature's s, before ChangeCipherSpec. */
static void bad_signature(struct buffer *message)
{
    message->data[spoil_tail(message, 2) - 3] ^= 1;
}

static void no_certificate(struct buffer *message)
{
    spoil_certificate(message, bytes_of("\x0b\0\0\3\0\0\0", 7));
}

static void certificate_of_junk(struct buffer *message)
{
    spoil_certificate(message, bytes_of("\x0b\0\0\x0a\0\0\7\0\0\4junk", 14));
}

static void ragged_certificate(struct buffer *message)
{
    spoil_certificate(message, bytes_of("\x0b\0\0\6\0\0\3\0\0\4", 10));
}

/* Not ecdsa with sha256, though the rest is as it was. */
static void strange_algorithm(struct buffer *message)
{
    struct message3 *parsed = malloc(sizeof(*parsed));

    ck_assert_ptr_nonnull(parsed);
    ck_assert_int_eq(message3_read(buffer_bytes(message), parsed, NULL), RESULT_OK);
    uint8_t *verify =
        memmem(message->data, message->size, parsed->verify.data, parsed->verify.size);
    ck_assert_ptr_nonnull(verify);
    verify[4] = 5;
    free(parsed);
}

struct bad_message3 {
    struct spoiled case_;
    bool signs; /* the exchange that it belongs to is known: whichever way it came, it ends */
};

static const struct bad_message3 bad3[] = {
    {{"bad Finished", bad_finished, {403, 4106, 20, "TLS handshake refused"}}, true},
    {{"bad CertificateVerify", bad_signature,
         {403, 4106, TLS_ALERT_DECRYPT_ERROR, "CertificateVerify"}},
        false},
    {{"another signature algorithm", strange_algorithm,
         {403, 4106, TLS_ALERT_ILLEGAL_PARAMETER, "ECDSA and SHA-256"}},
        false},
    {{"no certificate", no_certificate,
         {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "presents no certificate"}},
        false},
    {{"certificate of junk", certificate_of_junk,
         {403, 4106, TLS_ALERT_BAD_CERTIFICATE, "not a certificate"}},
        false},
    {{"ragged certificate list", ragged_certificate,
         {403, 4106, TLS_ALERT_DECODE_ERROR, "Certificate message"}},
        false},
};

/* Addressed by its name, the exchange ends; by From, which can be forged, only if it is signed. */
static void refuse_bad3(const struct bad_message3 *bad, const struct run_place *place)
{
    bool ends = bad->signs || !place->path;
    struct run run;

    run_open(&run, client, &daemon_, meter, "Cmeter");
    refuse_malformed3(&run, place, &bad->case_);
    run_expect_status(&run, client, &daemon_, ends ? 404 : 200);
    run_expect_no_key(&daemon_, "Cmeter");
    if (ends) {
        const struct refusal gone = {404, 4004, 0, "no "};
        struct http_answer answer;

        run_send_message3(&run, client, &daemon_, place, &run.message3, &answer);
        refusal_expect(bad->case_.name, &answer,
            place->path ? &(struct refusal){403, 4106, TLS_ALERT_DECRYPT_ERROR, "none"} : &gone,
            "m3", "3", place->carrier == RUN_NOTIFY);
        run_expect_no_key(&daemon_, "Cmeter");
    }
    delete_exchange(&run);
}

START_TEST(a_bad_message3_ends_its_exchange_and_no_other)
{
    struct run bystander;

    fixture_start(NULL);
    run_open(&bystander, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(bad3); i++)
        for (size_t j = 0; j < RUN_PLACES; j++)
            refuse_bad3(&bad3[i], &run_places[j]);
    run_expect_status(&bystander, client, &daemon_, 200);
    run_finish(&bystander, client, &daemon_, RUN_UPDATE, NULL);
    fixture_stop();
}
END_TEST

/* A Message 3 that was made for another exchange of the same originator. */
START_TEST(message3_of_another_exchange_is_refused)
{
    const struct refusal expected = {403, 4106, TLS_ALERT_DECRYPT_ERROR, "does not sign this"};
    struct run first, second;
    struct http_answer answer;

    fixture_start(NULL);
    run_open(&first, client, &daemon_, meter, "Cmeter");
    run_open(&second, client, &daemon_, meter, "Cmeter");
    run_send_message3(&first, client, &daemon_, &run_places[0], &second.message3, &answer);
    refusal_expect("crossed", &answer, &expected, "m3", "3", false);
    run_expect_status(&first, client, &daemon_, 404);
    run_end(&first);
    run_finish(&second, client, &daemon_, RUN_UPDATE, NULL);
    fixture_stop();
}
END_TEST

CHECK_MAIN("integration/refused_message3", what_is_not_message3_leaves_the_exchange_usable,
    a_message_that_is_not_due_is_refused, a_bad_message3_ends_its_exchange_and_no_other,
    message3_of_another_exchange_is_refused)
