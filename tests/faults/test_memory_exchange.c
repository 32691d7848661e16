/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon runs out of memory at each allocation of an exchange in turn: it says so, and no
 * exchange suffers from what happened to another. */
#include "support/check_main.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "faults/inject.h"
#include "identity/public_key_id.h"
#include "tls/context.h"
#include "x509/key_file.h"

/* One thread, and no limits: what is tried is the same each time. */
#define POLICY                                                                                     \
    "{\"http\":{\"threads\":1},\"keys\":{\"perPeer\":64,\"capacity\":256},"                        \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){.policy = POLICY});
    inject_open(&daemon_);
}

static void tear_down(void)
{
    daemon_stop(&daemon_);
    inject_close();
}

/* The meter's raw public key, beside its certificate. */
static void admit_raw_public_key(void)
{
    uint8_t spki[P256_SPKI_OCTETS], digest[SPKI_DIGEST_SIZE];
    char id[PUBLIC_KEY_ID_OCTETS], patch[1024];
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(
        public_key_of_file(daemon_file(&daemon_, "meter.key"), spki, &fault), RESULT_OK);
    ck_assert_int_eq(spki_digest(bytes_of(spki, sizeof(spki)), digest), RESULT_OK);
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, digest, id);
    snprintf(patch, sizeof(patch),
        "{\"initiators\":[{\"flavour\":\"rawPublicKey\",\"publicKeyId\":\"%s\",\"identity\":"
        "\"//m2m.example/in-cse/Cmeter\"}]}",
        id);
    daemon_change_policy(&daemon_, patch);
}

static struct initiator_credential *credential_of(bool raw)
{
    struct initiator_credential *credential = NULL;
    struct fault fault = FAULT_INIT;

    ck_assert_msg(initiator_credential_new(raw ? NULL : daemon_file(&daemon_, "meter.pem"),
                      daemon_file(&daemon_, "meter.key"), daemon_file(&daemon_, "field-ca.pem"),
                      &credential, &fault) == RESULT_OK,
        "%s", fault.text);
    return credential;
}

/* Once nothing has been released for a while. */
static int64_t settled_live(void)
{
    int64_t live = inject_live();

    for (int quiet_ms = 0; quiet_ms < 200; quiet_ms++) {
        poll(NULL, 0, 1);
        if (inject_live() != live)
            quiet_ms = 0;
        live = inject_live();
    }
    return live;
}

#define WARM_UP 8 /* more exchanges than are kept for the retransmissions of one originator */

/* After the first ones, each exchange gives back as much memory as it takes. */
static void run_out_of_memory_in_exchanges(bool raw, bool notify)
{
    uint32_t seen, at = inject_first();

    if (raw)
        admit_raw_public_key();
    inject_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    struct initiator_credential *credential = credential_of(raw);
    for (int i = 0; i < WARM_UP; i++)
        ck_assert(attempt_run(&daemon_, credential, notify, "Cmeter"));
    const int64_t live = settled_live();
    do {
        inject(&(struct fault_plan){
            .calls = SHIM_ALLOCATION, .thread = SHIM_OTHER_THREADS, .error = ENOMEM, .first = at});
        (void)attempt_run(&daemon_, credential, notify, "Cmeter");
        seen = inject_end();
        inject_await_live(live);
    } while (seen >= at++);
    ck_assert_uint_ge(seen, 100); /* the shim was there */
    initiator_credential_free(credential);
}

START_TEST(exchanges_with_certificates)
{
    run_out_of_memory_in_exchanges(false, false);
}
END_TEST

START_TEST(exchanges_with_raw_public_keys)
{
    run_out_of_memory_in_exchanges(true, false);
}
END_TEST

START_TEST(exchanges_by_notify)
{
    run_out_of_memory_in_exchanges(false, true);
}
END_TEST

START_TEST(exchanges_by_notify_with_raw_public_keys)
{
    run_out_of_memory_in_exchanges(true, true);
}
END_TEST

/* Whatever fails, it is not forgotten that the certificate is revoked. */
START_TEST(a_revoked_certificate)
{
    char command[600];
    uint32_t at = inject_first(), seen;

    daemon_change_policy(&daemon_,
        "{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":[\"field.crl\"]}]}");
    snprintf(command, sizeof(command), "tests/support/revoke %s field-ca field.crl meter",
        daemon_.folder);
    ck_assert_int_eq(system(command), 0);
    inject_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    struct initiator_credential *credential = credential_of(false);
    do {
        struct attempt attempt;
        struct attempt_answer answer;
        attempt_begin(&attempt, credential, false, "Cmeter");
        attempt_message1(&attempt, &daemon_, &answer);
        ck_assert_int_eq(answer.status, 201);
        attempt_answer_release(&answer);
        inject(&(struct fault_plan){
            .calls = SHIM_ALLOCATION, .thread = SHIM_OTHER_THREADS, .error = ENOMEM, .first = at});
        for (uint32_t tries = 0; tries < 2; tries++) {
            attempt_message3(&attempt, &daemon_, &answer);
            ck_assert_msg(answer.status == 0 || answer.status == 403 || answer.status == 404 ||
                              answer.status == 500,
                "%s\n%s", inject_place(), answer.text);
            ck_assert_msg(answer.status != 403 || !answer.body[0] || strstr(answer.text, "revoked"),
                "%s\n%s", inject_place(), answer.text);
            attempt_answer_release(&answer);
        }
        seen = inject_end();
        attempt_end(&attempt);
    } while (seen >= at++);
    initiator_credential_free(credential);
}
END_TEST

CHECK_MAIN_FIXTURE("faults/memory_exchange", set_up, tear_down, exchanges_with_certificates,
    exchanges_with_raw_public_keys, exchanges_by_notify, exchanges_by_notify_with_raw_public_keys,
    a_revoked_certificate)
