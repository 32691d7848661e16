/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages 1 and 3 that are refused: what is not whole, not due, or not good. */
#include "support/check_main.h"

#include <string.h>

#include "support/foreign.h"
#include "support/refusal.h"
#include "support/run.h"
#include "tls/context.h"
#include "tls/record.h"

#define HELLO_VERSION 9 /* where client_version stands: after the headers of record and message */
#define HELLO_SESSION (HELLO_VERSION + 2 + 32)

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meter;

static void set_up(const char *policy)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    client = http_open();
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}

static void append(struct buffer *message, const void *data, size_t size)
{
    ck_assert_int_eq(buffer_append(message, data, size), RESULT_OK);
}

static void copy(const struct buffer *from, struct buffer *to)
{
    *to = (struct buffer){.limit = 65536};
    append(to, from->data, from->size);
}

/* --- Message 1 -------------------------------------------------------------------------------- */

typedef void spoil(struct buffer *message);

static void drop_last(struct buffer *message)
{
    message->size--;
}

static void add_octet(struct buffer *message)
{
    append(message, "", 1);
}

static void add_alert(struct buffer *message)
{
    uint8_t alert[TLS_ALERT_RECORD_OCTETS];

    record_write_alert(TLS_ALERT_DECODE_ERROR, alert);
    append(message, alert, sizeof(alert));
}

static void only_alert(struct buffer *message)
{
    message->size = 0;
    add_alert(message);
}

static void twice(struct buffer *message)
{
    struct buffer again;

    copy(message, &again);
    append(message, again.data, again.size);
    buffer_release(&again);
}

static void strip_record_header(struct buffer *message)
{
    buffer_consume(message, 5);
}

static void as_application_data(struct buffer *message)
{
    message->data[0] = 23;
}

static void as_other_protocol(struct buffer *message)
{
    message->data[1] = 2;
}

static void empty_record(struct buffer *message)
{
    append(message, "\x16\x03\x03\0", 5);
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

struct spoiled {
    const char *name;
    spoil *spoil;
    struct refusal expected;
};

static const struct spoiled spoiled1[] = {
    {"cut short", drop_last, {400, 4102, 0, "not whole TLS records"}},
    {"trailing octet", add_octet, {400, 4102, 0, "not whole TLS records"}},
    {"trailing alert", add_alert, {400, 4102, 0, "holds an alert"}},
    {"an alert", only_alert, {400, 4102, 0, "alert"}},
    {"two ClientHellos", twice, {400, 4102, 0, "goes on after its ClientHello"}},
    {"no record", strip_record_header, {400, 4102, 0, "not whole TLS records"}},
    {"application data", as_application_data, {400, 4102, 0, "record of another type"}},
    {"another protocol", as_other_protocol, {400, 4102, 0, "not whole TLS records"}},
    {"an empty record", empty_record, {400, 4102, 0, "not whole TLS records"}},
    {"half a ClientHello", hello_goes_on, {400, 4102, 0, "whole ClientHello"}},
    {"TLS 1.1", as_tls_1_1, {403, 4106, TLS_ALERT_PROTOCOL_VERSION, "TLS 1.2"}},
    {"no common suite", strange_suites, {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "refused"}},
    {"no common curve", no_common_curve, {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "refused"}},
    {"compressed", no_null_compression, {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "compression"}},
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

/* With room for one exchange: one that was refused and stayed would be in the way. */
START_TEST(bad_message1s_are_refused_and_take_no_room)
{
    struct http_answer answer;
    struct exported_key exported;

    set_up("{\"limits\":{\"pendingExchanges\":1,\"pendingPerOriginator\":1}}");
    for (size_t i = 0; i < ARRAY_SIZE(spoiled1); i++)
        refuse1(&spoiled1[i]);
    bool good = exchange_run(client, &daemon_, meter, "Cmeter", &exported, &answer);
    ck_assert_msg(good, "%ld: %s", answer.status, answer.body);
    tear_down();
}
END_TEST

START_TEST(a_server_name_that_is_not_ours_is_refused)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_UNRECOGNIZED_NAME, "SNI \"other.m2m.example\""};
    struct http_answer answer;
    struct run run;

    set_up(NULL);
    run_begin(&run, meter, "other.m2m.example");
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "s", &run.message1, &answer);
    refusal_expect("Create", &answer, &expected, "s", "3", false);
    run_send(client, &daemon_, RUN_NOTIFY, "/notify/in-cse", "Cmeter", "s", &run.message1, &answer);
    refusal_expect("Notify to an end-point", &answer, &expected, "s", "3", true);
    run_end(&run);
    tear_down();
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

        set_up(cases[i].policy);
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
        tear_down();
    }
}
END_TEST

/* --- Message 3 -------------------------------------------------------------------------------- */

struct place {
    enum run_carrier carrier;
    const char *path; /* NULL: the exchange's own */
};
static const struct place places[] = {
    {RUN_UPDATE, NULL}, {RUN_UPDATE, RUN_ENTRY}, {RUN_NOTIFY, "/notify"}};

static void send_message3(const struct run *run, const struct place *place, const char *from,
    const struct buffer *message, struct http_answer *answer)
{
    run_send(client, &daemon_, place->carrier, place->path ? place->path : run->path, from, "m3",
        message, answer);
}

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

/* Where the last COUNT records begin. */
static size_t tail(const struct buffer *message, size_t count)
{
    size_t starts[16], records = 0;
    struct bytes rest = buffer_bytes(message);
    struct record record;

    while (records < ARRAY_SIZE(starts) && rest.size > 0) {
        starts[records++] = message->size - rest.size;
        ck_assert(record_take(&rest, &record));
    }
    ck_assert_uint_ge(records, count);
    return starts[records - count];
}

static void drop_finished(struct buffer *message)
{
    message->size = tail(message, 1);
}

static void drop_change_cipher_spec(struct buffer *message)
{
    size_t at = tail(message, 2), next = tail(message, 1);

    memmove(message->data + at, message->data + next, message->size - next);
    message->size -= next - at;
}

static void odd_change_cipher_spec(struct buffer *message)
{
    message->data[tail(message, 1) - 1] = 2;
}

static void add_handshake_record(struct buffer *message)
{
    append(message, "\x16\x03\x03\0\4\0\0\0", 9);
}

static void drop_certificate(struct buffer *message)
{
    message->data[5] = 20; /* no Certificate, whatever it is */
}

static const struct spoiled malformed3[] = {
    {"cut short", drop_last, {400, 4102, 0, "Message 3"}},
    {"trailing octet", add_octet, {400, 4102, 0, "Message 3"}},
    {"trailing record", add_handshake_record, {400, 4102, 0, "Message 3 does not end"}},
    {"an alert", only_alert, {400, 4102, 0, "alert decode_error"}},
    {"no Finished", drop_finished, {400, 4102, 0, "Message 3 does not end"}},
    {"no ChangeCipherSpec", drop_change_cipher_spec, {400, 4102, 0, "Message 3 does not end"}},
    {"odd ChangeCipherSpec", odd_change_cipher_spec, {400, 4102, 0, "Message 3 does not end"}},
    {"no Certificate", drop_certificate, {400, 4102, 0, "Message 3 does not begin"}},
    {"no record", strip_record_header, {400, 4102, 0, "Message 3"}},
    {"application data", as_application_data, {400, 4102, 0, "Message 3"}},
};

static void refuse_malformed3(
    const struct run *run, const struct place *place, const struct spoiled *case_)
{
    struct http_answer answer;
    struct buffer message;

    copy(&run->message3, &message);
    case_->spoil(&message);
    send_message3(run, place, "Cmeter", &message, &answer);
    refusal_expect(case_->name, &answer, &case_->expected, "m3", "3", place->carrier == RUN_NOTIFY);
    buffer_release(&message);
}

START_TEST(what_is_not_message3_leaves_the_exchange_usable)
{
    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct run run;

        run_open(&run, client, &daemon_, meter, "Cmeter");
        for (size_t j = 0; j < ARRAY_SIZE(malformed3); j++)
            refuse_malformed3(&run, &places[i], &malformed3[j]);
        run_expect_status(&run, client, &daemon_, 200);
        run_finish(&run, client, &daemon_, places[i].carrier, places[i].path);
    }
    tear_down();
}
END_TEST

/* Message 3 where Message 1 is due, and the other way round. */
START_TEST(a_message_that_is_not_due_is_refused)
{
    const struct refusal not1 = {400, 4102, 0, "Message 1"}, not3 = {400, 4102, 0, "Message 3"};
    struct http_answer answer;
    struct run run;

    set_up(NULL);
    run_open(&run, client, &daemon_, meter, "Cmeter");
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "a", &run.message3, &answer);
    refusal_expect("Message 3 for 1", &answer, &not1, "a", "3", false);
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "b", &run.message2, &answer);
    refusal_expect("Message 2 for 1", &answer, &not1, "b", "3", false);
    for (size_t i = 0; i < 2; i++) {
        send_message3(&run, &places[i], "Cmeter", &run.message1, &answer);
        refusal_expect("Message 1 for 3", &answer, &not3, "m3", "3", false);
        send_message3(&run, &places[i], "Cmeter", &run.message2, &answer);
        refusal_expect("Message 2 for 3", &answer, &not3, "m3", "3", false);
    }
    run_finish(&run, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* --- a Message 3 that is whole, but not good ---------------------------------------------------
 */

static void bad_finished(struct buffer *message)
{
    message->data[message->size - 1] ^= 1;
}

/* An octet of the signature's s, before ChangeCipherSpec. */
static void bad_signature(struct buffer *message)
{
    message->data[tail(message, 2) - 3] ^= 1;
}

/* A record of CERTIFICATE and the messages that followed it, then what follows. */
static void replace_certificate(struct buffer *message, struct bytes certificate)
{
    struct message3 *parsed = malloc(sizeof(*parsed));
    struct buffer out = {.limit = 65536};
    size_t end = tail(message, 2);

    ck_assert_ptr_nonnull(parsed);
    ck_assert_int_eq(record_parse_message3(buffer_bytes(message), parsed, NULL), RESULT_OK);
    size_t size = certificate.size + parsed->key_exchange.size + parsed->verify.size;
    append(&out, (uint8_t[]){22, 3, 3, (uint8_t)(size >> 8), (uint8_t)size}, 5);
    append(&out, certificate.data, certificate.size);
    append(&out, parsed->key_exchange.data, parsed->key_exchange.size);
    append(&out, parsed->verify.data, parsed->verify.size);
    append(&out, message->data + end, message->size - end);
    buffer_release(message);
    *message = out;
    free(parsed);
}

static void no_certificate(struct buffer *message)
{
    replace_certificate(message, bytes_of("\x0b\0\0\3\0\0\0", 7));
}

static void certificate_of_junk(struct buffer *message)
{
    replace_certificate(message, bytes_of("\x0b\0\0\x0a\0\0\7\0\0\4junk", 14));
}

static void ragged_certificate(struct buffer *message)
{
    replace_certificate(message, bytes_of("\x0b\0\0\6\0\0\3\0\0\4", 10));
}

/* Not ecdsa with sha256, though the rest is as it was. */
static void strange_algorithm(struct buffer *message)
{
    struct message3 *parsed = malloc(sizeof(*parsed));

    ck_assert_ptr_nonnull(parsed);
    ck_assert_int_eq(record_parse_message3(buffer_bytes(message), parsed, NULL), RESULT_OK);
    uint8_t *verify =
        memmem(message->data, message->size, parsed->verify.data, parsed->verify.size);
    ck_assert_ptr_nonnull(verify);
    verify[4] = 5;
    free(parsed);
}

struct bad {
    struct spoiled case_;
    bool signs; /* the exchange that it belongs to is known: whichever way it came, it ends */
};

static const struct bad bad3[] = {
    {{"bad Finished", bad_finished, {403, 4106, 20, "TLS handshake refused"}}, true},
    {{"bad CertificateVerify", bad_signature,
         {403, 4106, TLS_ALERT_DECRYPT_ERROR, "CertificateVerify"}},
        false},
    {{"another signature algorithm", strange_algorithm,
         {403, 4106, TLS_ALERT_HANDSHAKE_FAILURE, "ECDSA and SHA-256"}},
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
static void refuse_bad3(const struct bad *bad, const struct place *place)
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

        send_message3(&run, place, "Cmeter", &run.message3, &answer);
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

    set_up(NULL);
    run_open(&bystander, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(bad3); i++)
        for (size_t j = 0; j < ARRAY_SIZE(places); j++)
            refuse_bad3(&bad3[i], &places[j]);
    run_expect_status(&bystander, client, &daemon_, 200);
    run_finish(&bystander, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* A Message 3 that was made for another exchange of the same originator. */
START_TEST(message3_of_another_exchange_is_refused)
{
    const struct refusal expected = {403, 4106, TLS_ALERT_DECRYPT_ERROR, "does not sign this"};
    struct run first, second;
    struct http_answer answer;

    set_up(NULL);
    run_open(&first, client, &daemon_, meter, "Cmeter");
    run_open(&second, client, &daemon_, meter, "Cmeter");
    send_message3(&first, &places[0], "Cmeter", &second.message3, &answer);
    refusal_expect("crossed", &answer, &expected, "m3", "3", false);
    run_expect_status(&first, client, &daemon_, 404);
    run_end(&first);
    run_finish(&second, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/refused_messages", bad_message1s_are_refused_and_take_no_room,
    a_server_name_that_is_not_ours_is_refused, foreign_stacks_learn_why,
    what_is_not_message3_leaves_the_exchange_usable, a_message_that_is_not_due_is_refused,
    a_bad_message3_ends_its_exchange_and_no_other, message3_of_another_exchange_is_refused)
