/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initiators that present a raw public key (RFC 7250): whose it is, and what is none. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "identity/public_key_id.h"
#include "support/run.h"
#include "support/spoil.h"
#include "tls/context.h"
#include "tls/message.h"
#include "x509/key_file.h"

static struct daemon daemon_;
static CURL *client;

static void find_spki(const char *name, uint8_t spki[P256_SPKI_OCTETS])
{
    struct fault fault = FAULT_INIT;

    ck_assert_msg(public_key_of_file(daemon_file(&daemon_, "%s", name), spki, &fault) == RESULT_OK,
        "%s", fault.text);
}

static const char *id_of(const char *name, enum public_key_id_kind kind)
{
    static char ids[2][PUBLIC_KEY_ID_OCTETS], *id = ids[0];
    uint8_t spki[P256_SPKI_OCTETS], digest[SPKI_DIGEST_SIZE];

    id = id == ids[0] ? ids[1] : ids[0];
    find_spki(name, spki);
    ck_assert_int_eq(spki_digest(bytes_of(spki, sizeof(spki)), digest), RESULT_OK);
    public_key_id_format(kind, digest, id);
    return id;
}

/* The meter's raw public key by KIND of identifier; that of the MN-CSE for another end-point; and
 * certificates. */
static void change_policy(enum public_key_id_kind kind)
{
    char *patch = NULL;

    ck_assert_int_gt(
        asprintf(&patch,
            "{\"limits\":{\"pendingPerOriginator\":8},\"keys\":{\"perPeer\":64},"
            "\"endpoints\":[{\"name\":\"in-cse\",\"identity\":\"//m2m.example/in-cse\","
            "\"serverName\":\"in-cse.m2m.example\",\"certificate\":\"in-cse.pem\","
            "\"privateKey\":\"in-cse.key\"},{\"name\":\"other\",\"rawPublicKey\":true,"
            "\"identity\":\"//m2m.example/other\",\"privateKey\":\"mn-cse.key\"}],"
            "\"initiators\":[{\"flavour\":\"rawPublicKey\",\"publicKeyId\":\"%s\","
            "\"identity\":\"//m2m.example/in-cse/Cmeter\"},{\"flavour\":\"rawPublicKey\","
            "\"publicKeyId\":\"%s\",\"identity\":\"//m2m.example/mn-cse\",\"endpoints\":"
            "[\"other\"]},{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\","
            "\"trust\":\"field\"}]}",
            id_of("meter.key", kind), id_of("mn-cse.pem", PUBLIC_KEY_ID_SHA_256)),
        0);
    daemon_change_policy(&daemon_, patch);
    free(patch);
}

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){0});
    change_policy(PUBLIC_KEY_ID_SHA_256);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    client = http_open();
}

static void tear_down(void)
{
    http_close(client);
    daemon_stop(&daemon_);
}

static struct initiator_credential *raw_credential(const char *name)
{
    struct initiator_credential *credential = NULL;
    struct fault fault = FAULT_INIT;

    ck_assert_msg(initiator_credential_new(NULL, daemon_file(&daemon_, "%s.key", name),
                      daemon_file(&daemon_, "field-ca.pem"), &credential, &fault) == RESULT_OK,
        "%s", fault.text);
    return credential;
}

static void open_raw(struct run *run, struct initiator_credential *credential, const char *from)
{
    run_open(run, client, &daemon_, credential, from);
    run->flavour = "rawPublicKey";
}

START_TEST(every_form_of_its_identifier_admits_a_key)
{
    set_up();
    struct initiator_credential *meter = raw_credential("meter");
    for (int kind = 0; kind < PUBLIC_KEY_ID_KINDS; kind++) {
        change_policy((enum public_key_id_kind)kind);
        daemon_reload(&daemon_);
        for (size_t i = 0; i < RUN_PLACES; i++) {
            struct run run;

            open_raw(&run, meter, "Cmeter");
            run_finish(&run, client, &daemon_, run_places[i].carrier, run_places[i].path);
        }
    }
    initiator_credential_free(meter);
    tear_down();
}
END_TEST

static const struct {
    const char *key, *from;
    struct refusal expected;
} strangers[] = {
    {"stranger", "Cmeter",
        {403, 4106, TLS_ALERT_BAD_CERTIFICATE, "no rule matches this public key (ni:///sha-256;"}},
    {"meter", "Cother",
        {403, 4103, TLS_ALERT_ACCESS_DENIED, "the public key is that of //m2m.example/in-cse/Cm"}},
    {"mn-cse", "/mn-cse",
        {403, 4103, TLS_ALERT_ACCESS_DENIED, "may not establish keys with this end-point"}},
};

START_TEST(nobody_elses_key_is_taken)
{
    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
        struct initiator_credential *stranger = raw_credential(strangers[i].key);

        for (size_t j = 0; j < RUN_PLACES; j++) {
            struct http_answer answer;
            struct run run;

            run_open(&run, client, &daemon_, stranger, strangers[i].from);
            run_send_message3(&run, client, &daemon_, &run_places[j], &run.message3, &answer);
            refusal_expect(strangers[i].key, &answer, &strangers[i].expected, "m3", "3",
                run_places[j].carrier == RUN_NOTIFY);
            run_expect_status(&run, client, &daemon_, 404);
            run_expect_no_key(&daemon_, strangers[i].from);
            run_end(&run);
        }
        initiator_credential_free(stranger);
    }
    tear_down();
}
END_TEST

/* --- Message 3 of another type than was negotiated --- */

/* A Certificate message of OCTETS behind LENGTHS (1 or 2) lengths. */
static void wrap(const void *octets, size_t size, int lengths, struct buffer *out)
{
    uint8_t head[] = {11, 0, 0, 0};
    size_t whole = size + (size_t)lengths * 3;

    *out = (struct buffer){.limit = 65536};
    head[2] = (uint8_t)(whole >> 8), head[3] = (uint8_t)whole;
    spoil_append(out, head, sizeof(head));
    for (int i = lengths; i-- > 0;) {
        size_t inner = size + (size_t)i * 3;

        spoil_append(out, (uint8_t[]){0, (uint8_t)(inner >> 8), (uint8_t)inner}, 3);
    }
    spoil_append(out, octets, size);
}

static void delete_exchange(struct run *run)
{
    struct http_answer answer;

    m2m_call(client, daemon_.port,
        &(struct m2m_request){
            .method = "DELETE", .path = run->path, .from = run->from, .request_id = "d"},
        &answer);
    http_answer_release(&answer);
    run_end(run);
}

static void refuse_certificate(struct initiator_credential *credential, struct bytes octets,
    int lengths, const struct run_place *place, const struct refusal *expected)
{
    struct http_answer answer;
    struct buffer message, certificate;
    struct run run;

    run_open(&run, client, &daemon_, credential, "Cmeter");
    wrap(octets.data, octets.size, lengths, &certificate);
    spoil_copy(&run.message3, &message);
    spoil_certificate(&message, buffer_bytes(&certificate));
    run_send_message3(&run, client, &daemon_, place, &message, &answer);
    refusal_expect(expected->text, &answer, expected, "m3", "3", place->carrier == RUN_NOTIFY);
    run_expect_no_key(&daemon_, "Cmeter");
    run_expect_status(&run, client, &daemon_, place->path ? 200 : 404); /* From may be forged */
    delete_exchange(&run);
    buffer_release(&message);
    buffer_release(&certificate);
}

START_TEST(another_type_than_was_negotiated_is_refused)
{
    const struct refusal no_raw = {403, 4106, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "raw public key"},
                         no_certificate = {403, 4106, TLS_ALERT_BAD_CERTIFICATE, "not a certif"},
                         no_list = {403, 4106, TLS_ALERT_DECODE_ERROR, "malformed Certificate"};
    uint8_t spki[P256_SPKI_OCTETS + 1] = {0}, certificate[600] = {0x30, 0x82, 2, 84};

    set_up();
    find_spki("meter.key", spki);
    struct initiator_credential *raw = raw_credential("meter"),
                                *x509 = exchange_credential(&daemon_, "meter");
    struct bytes key = bytes_of(spki, P256_SPKI_OCTETS),
                 longer = bytes_of(spki, P256_SPKI_OCTETS + 1),
                 other = bytes_of(certificate, sizeof(certificate));

    for (size_t i = 0; i < RUN_PLACES; i++) {
        refuse_certificate(raw, other, 2, &run_places[i], &no_raw);
        refuse_certificate(raw, key, 2, &run_places[i], &no_raw);
        refuse_certificate(raw, longer, 1, &run_places[i], &no_raw);
        refuse_certificate(x509, key, 2, &run_places[i], &no_certificate);
        refuse_certificate(x509, key, 1, &run_places[i], &no_list);
    }
    initiator_credential_free(raw);
    initiator_credential_free(x509);
    tear_down();
}
END_TEST

/* --- by From --- */

/* Exchanges of both types are pending: each Message 3 finds its own. */
START_TEST(types_are_told_apart_by_signature)
{
    set_up();
    struct initiator_credential *raw = raw_credential("meter"),
                                *x509 = exchange_credential(&daemon_, "meter");
    for (size_t i = 1; i < RUN_PLACES; i++) {
        struct run runs[4];

        for (size_t j = 0; j < ARRAY_SIZE(runs); j++)
            if (j % 2 == 0)
                open_raw(&runs[j], raw, "Cmeter");
            else
                run_open(&runs[j], client, &daemon_, x509, "Cmeter");
        for (size_t j = 0; j < ARRAY_SIZE(runs); j++)
            run_finish(&runs[j], client, &daemon_, run_places[i].carrier, run_places[i].path);
    }
    initiator_credential_free(raw);
    initiator_credential_free(x509);
    tear_down();
}
END_TEST

START_TEST(a_retransmission_gets_the_same_answer)
{
    set_up();
    struct initiator_credential *meter = raw_credential("meter");
    for (size_t i = 0; i < RUN_PLACES; i++) {
        struct http_answer first, second;
        struct run run;

        open_raw(&run, meter, "Cmeter");
        run_send_message3(&run, client, &daemon_, &run_places[i], &run.message3, &first);
        ck_assert_msg(first.status == 200, "%ld: %s", first.status, first.body);
        run_send_message3(&run, client, &daemon_, &run_places[i], &run.message3, &second);
        ck_assert_int_eq(second.status, 200);
        ck_assert_str_eq(first.body, second.body);
        run_take_message4(&run, first.body);
        run_expect_key(&run, &daemon_, "Cmeter");
        http_answer_release(&first);
        http_answer_release(&second);
        run_end(&run);
    }
    initiator_credential_free(meter);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/raw_public_keys", every_form_of_its_identifier_admits_a_key,
    nobody_elses_key_is_taken, another_type_than_was_negotiated_is_refused,
    types_are_told_apart_by_signature, a_retransmission_gets_the_same_answer)
