/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine itself makes of raw public keys, when nothing that stands before it refuses. */
#include "support/check_main.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "tls/credential.h"
#include "tls/handshake.h"

static char folder[64], key_path[96];
static WOLFSSL_CTX *context;
static struct credential credential;
static struct tls_context *server;
static struct policy_endpoint endpoint = {.name = "raw", .raw_public_key = true};
static struct policy_rule rule = {.flavour = FLAVOUR_RAW_PUBLIC_KEY, .endpoints = 1, .trust = -1};
static struct policy policy = {.endpoints = &endpoint, .endpoint_count = 1, .rules = &rule};
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

/* An end-point with a raw public key, which takes raw public keys if RULES say so, and X.509 else.
 * The initiator has the same key. */
static void set_up(bool rules)
{
    static const struct policy_suite *suites[1];
    struct report report = {0};

    make_key();
    suites[0] = &policy_suites[0];
    policy.tls = (struct policy_tls){.suites = suites, .suite_count = 1};
    policy.rule_count = rules;
    endpoint.private_key.path = key_path;
    fault = FAULT_INIT;
    ck_assert_int_eq(tls_start(&fault), RESULT_OK);
    ck_assert_int_eq(tls_context_new(&policy, &server, &report), RESULT_OK);
    report_release(&report);
    context = engine_new_client();
    ck_assert_ptr_nonnull(context);
    ck_assert(engine_want_raw_public_key(context));
    ck_assert_int_eq(credential_load_public_key(&credential, context, key_path, &fault), RESULT_OK);
    ck_assert_int_eq(
        credential_load_private_key(&credential, context, key_path, &fault), RESULT_OK);
}

static void tear_down(void)
{
    wolfSSL_CTX_free(context);
    credential_release(&credential);
    tls_context_free(server);
    ck_assert_int_eq(unlink(key_path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* One handshake under way. */
struct run {
    WOLFSSL *initiator;
    struct engine_io io;
    struct handshake *handshake;
    struct buffer message1, message2, message3, message4;
};

static void run_to_message3(struct run *run)
{
    static struct hello hello;

    *run = (struct run){0};
    run->message1.limit = run->message2.limit = run->message3.limit = run->message4.limit = 65536;
    run->initiator = wolfSSL_new(context);
    wolfSSL_SetIOReadCtx(run->initiator, &run->io);
    wolfSSL_SetIOWriteCtx(run->initiator, &run->io);
    wolfSSL_KeepArrays(run->initiator);
    ck_assert_int_eq(engine_run(run->initiator, wolfSSL_connect, &run->io, (struct bytes){0},
                         &run->message1, &fault),
        ENGINE_WANTS_MORE);
    struct bytes message1 = buffer_bytes(&run->message1);
    ck_assert_int_eq(record_parse_message1(message1, &hello, &fault), RESULT_OK);
    ck_assert_msg(handshake_start(tls_context_by_number(server, 0), message1, &hello,
                      &run->handshake, &run->message2, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_int_eq(engine_run(run->initiator, wolfSSL_connect, &run->io,
                         buffer_bytes(&run->message2), &run->message3, &fault),
        ENGINE_WANTS_MORE);
}

static void run_end(struct run *run)
{
    wolfSSL_free(run->initiator);
    handshake_free(run->handshake);
    buffer_release(&run->message1);
    buffer_release(&run->message2);
    buffer_release(&run->message3);
    buffer_release(&run->message4);
}

START_TEST(a_raw_public_key_is_taken_where_it_was_negotiated)
{
    static struct message3 parsed;
    struct exported_key ours, theirs;
    struct presented presented;
    struct run run;

    set_up(true);
    ck_assert(engine_offer_raw_public_key(context));
    run_to_message3(&run);
    ck_assert_int_eq(handshake_certificate_type(run.handshake), CERTIFICATE_TYPE_RAW_PUBLIC_KEY);
    struct bytes message3 = buffer_bytes(&run.message3);
    ck_assert_int_eq(record_parse_message3(message3, &parsed, &fault), RESULT_OK);
    ck_assert_int_eq(
        presented_read(&parsed, CERTIFICATE_TYPE_RAW_PUBLIC_KEY, &presented, &fault), RESULT_OK);
    ck_assert_int_ne(presented_read(&parsed, CERTIFICATE_TYPE_X509, &presented, &fault), RESULT_OK);
    ck_assert(handshake_is_signed_by(run.handshake, &parsed, &presented.key));
    ck_assert_msg(
        handshake_finish(run.handshake, message3, &run.message4, &ours, &fault) == RESULT_OK, "%s",
        fault.text);
    AUTO_BUFFER struct buffer nothing = {.limit = 256};
    ck_assert_int_eq(engine_run(run.initiator, wolfSSL_connect, &run.io,
                         buffer_bytes(&run.message4), &nothing, &fault),
        ENGINE_DONE);
    ck_assert_int_eq(engine_export(run.initiator, &theirs, &fault), RESULT_OK);
    ck_assert_mem_eq(&ours, &theirs, sizeof(ours));
    run_end(&run);
    tear_down();
}
END_TEST

/* CVE-2026-55960: whoever signs with a key of its own, and has it stand in a list of certificates,
 * is refused even if all but the engine takes it. */
START_TEST(a_raw_public_key_that_was_not_negotiated_is_refused)
{
    static struct message3 parsed;
    struct bytes chain[PATH_CERTIFICATES_MAX];
    struct exported_key exported;
    struct public_key key;
    struct presented presented;
    struct run run;
    size_t count;

    set_up(false);
    run_to_message3(&run);
    ck_assert_int_eq(handshake_certificate_type(run.handshake), CERTIFICATE_TYPE_X509);
    struct bytes message3 = buffer_bytes(&run.message3);
    ck_assert_int_eq(record_parse_message3(message3, &parsed, &fault), RESULT_OK);
    ck_assert_int_eq(presented_read(&parsed, CERTIFICATE_TYPE_X509, &presented, &fault),
        RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(record_read_chain(parsed.presented, chain, &count, &fault), RESULT_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(public_key_parse(chain[0], &key));
    ck_assert(handshake_is_signed_by(run.handshake, &parsed, &key));
    ck_assert_int_eq(handshake_finish(run.handshake, message3, &run.message4, &exported, &fault),
        RESULT_TLS_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_UNSUPPORTED_CERTIFICATE);
    run_end(&run);
    tear_down();
}
END_TEST

CHECK_MAIN("tls/handshake", a_raw_public_key_is_taken_where_it_was_negotiated,
    a_raw_public_key_that_was_not_negotiated_is_refused)
