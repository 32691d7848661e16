/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A handshake in memory, between the two sides of this room. */
#include "support/check_main.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "identity/public_key_id.h"
#include "tls/context.h"
#include "tls/handshake.h"
#include "tls/initiator.h"
#include "x509/key_file.h"

static char folder[64], key_path[96];
static struct initiator_credential *credential;
static struct tls_context *server;
static struct policy_endpoint endpoint = {.name = "raw", .raw_public_key = true};
static struct policy_rule rule = {.flavour = FLAVOUR_RAW_PUBLIC_KEY, .endpoints = 1, .trust = -1};
static struct policy policy = {
    .endpoints = &endpoint, .endpoint_count = 1, .rules = &rule, .rule_count = 1};
static struct fault fault;

static void make_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    snprintf(folder, sizeof(folder), "/tmp/e2ekeyd.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(key_path, sizeof(key_path), "%s/raw.key", folder);
    umask(077);
    FILE *file = fopen(key_path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    ck_assert_int_eq(fclose(file), 0);
    EVP_PKEY_free(key);
}

static void make_initiator(void)
{
    uint8_t spki[P256_SPKI_OCTETS], digest[SPKI_DIGEST_SIZE];
    char id[PUBLIC_KEY_ID_OCTETS];

    ck_assert_int_eq(public_key_of_file(key_path, spki, &fault), RESULT_OK);
    ck_assert_int_eq(spki_digest(bytes_of(spki, sizeof(spki)), digest), RESULT_OK);
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, digest, id);
    ck_assert_msg(initiator_credential_new(NULL, key_path, NULL, &credential, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_int_eq(initiator_credential_pin(credential, id, &fault), RESULT_OK);
}

/* An end-point and an initiator of one raw public key, which they take of each other. */
static void set_up(void)
{
    static const struct policy_suite *suites[1];
    struct report report = {0};

    make_key();
    suites[0] = &policy_suites[0];
    policy.tls = (struct policy_tls){.suites = suites, .suite_count = 1};
    endpoint.private_key.path = key_path;
    fault = FAULT_INIT;
    ck_assert_int_eq(tls_start(&fault), RESULT_OK);
    ck_assert_int_eq(tls_context_new(&policy, &server, &report), RESULT_OK);
    report_release(&report);
    make_initiator();
}

static void tear_down(void)
{
    initiator_credential_free(credential);
    tls_context_free(server);
    ck_assert_int_eq(unlink(key_path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* One handshake under way. */
struct handshake_run {
    struct initiator *initiator;
    struct handshake *handshake;
    struct buffer message1, message2, message3, message4;
    struct message3 parsed;
    struct presented presented;
};
static struct handshake_run run;

static void run_to_message3(void)
{
    static struct message1 parsed;

    run = (struct handshake_run){0};
    run.message1.limit = run.message2.limit = run.message3.limit = run.message4.limit = 65536;
    ck_assert_int_eq(
        initiator_start(credential, NULL, &run.initiator, &run.message1, &fault), RESULT_OK);
    ck_assert_int_eq(message1_read(buffer_bytes(&run.message1), &parsed, &fault), RESULT_OK);
    ck_assert_msg(handshake_start(tls_context_by_number(server, 0), &policy.tls, &parsed,
                      &run.handshake, &run.message2, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_msg(initiator_answer(run.initiator, buffer_bytes(&run.message2), "//m2m.example/cse",
                      &run.message3, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_int_eq(handshake_certificate_type(run.handshake), CERTIFICATE_TYPE_RAW_PUBLIC_KEY);
    ck_assert_int_eq(message3_read(buffer_bytes(&run.message3), &run.parsed, &fault), RESULT_OK);
    ck_assert_int_eq(
        presented_read(&run.parsed, CERTIFICATE_TYPE_RAW_PUBLIC_KEY, &run.presented, &fault),
        RESULT_OK);
}

static void run_end(void)
{
    initiator_free(run.initiator);
    handshake_free(run.handshake);
    buffer_release(&run.message1);
    buffer_release(&run.message2);
    buffer_release(&run.message3);
    buffer_release(&run.message4);
}

START_TEST(both_sides_export_the_same_key)
{
    struct exported_key ours, theirs;

    run_to_message3();
    ck_assert(handshake_is_signed_by(run.handshake, &run.parsed, &run.presented.key));
    ck_assert_msg(
        handshake_finish(run.handshake, &run.parsed, &run.message4, &ours, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_int_eq(
        initiator_finish(run.initiator, buffer_bytes(&run.message4), &theirs, &fault), RESULT_OK);
    ck_assert_mem_eq(&ours, &theirs, sizeof(ours));
    run_end();
}
END_TEST

/* Whoever does not ask why gets the result alone (base/fault.h). */
START_TEST(refuses_without_a_place_for_the_reason)
{
    struct buffer none AUTO_BUFFER = {0};
    struct exported_key exported;

    run_to_message3();
    ck_assert_int_eq(initiator_finish(run.initiator, bytes_of_string("no record"), &exported, NULL),
        RESULT_TLS_REFUSED);
    run.parsed.end = bytes_of_string("no record");
    ck_assert(handshake_is_signed_by(run.handshake, &run.parsed, &run.presented.key));
    ck_assert_int_eq(
        handshake_finish(run.handshake, &run.parsed, &none, &exported, NULL), RESULT_TLS_REFUSED);
    run_end();
}
END_TEST

/* Each octet of a record's header is more than one in base64. */
START_TEST(message2_is_one_record)
{
    struct record record;

    run_to_message3();
    struct bytes rest = buffer_bytes(&run.message2);
    ck_assert(record_take(&rest, &record));
    ck_assert_uint_eq(rest.size, 0);
    run_end();
}
END_TEST

START_TEST(a_key_is_not_read_as_a_certificate)
{
    run_to_message3();
    ck_assert_int_ne(
        presented_read(&run.parsed, CERTIFICATE_TYPE_X509, &run.presented, &fault), RESULT_OK);
    run_end();
}
END_TEST

/* The engine knows no initiator but the one whose signature was found good. */
START_TEST(nothing_is_finished_without_a_verified_signature)
{
    struct exported_key exported;

    run_to_message3();
    ck_assert_int_eq(handshake_finish(run.handshake, &run.parsed, &run.message4, &exported, &fault),
        RESULT_INTERNAL);
    ck_assert_uint_eq(run.message4.size, 0);
    run_end();
}
END_TEST

/* CertificateVerify is that of the transcript, and of nothing else. */
START_TEST(another_octet_in_message3_is_not_signed)
{
    run_to_message3();
    uint8_t *octets = (uint8_t *)run.parsed.key_exchange.data;
    for (size_t i = 0; i < run.parsed.key_exchange.size; i++) {
        octets[i] ^= 1;
        ck_assert(!handshake_is_signed_by(run.handshake, &run.parsed, &run.presented.key));
        octets[i] ^= 1;
    }
    ck_assert(handshake_is_signed_by(run.handshake, &run.parsed, &run.presented.key));
    run_end();
}
END_TEST

CHECK_MAIN_FIXTURE("tls/handshake", set_up, tear_down, both_sides_export_the_same_key,
    message2_is_one_record, a_key_is_not_read_as_a_certificate,
    nothing_is_finished_without_a_verified_signature, another_octet_in_message3_is_not_signed,
    refuses_without_a_place_for_the_reason)
