/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine runs out of memory at each of its allocations in turn: it says so, or something else
 * that it takes it for, and nothing crashes or leaks. */
#include "support/check_main.h"

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/secret.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/handshake.h"
#include "tls/initiator.h"

#define IDENTITY    "//m2m.example/in-cse"
#define SERVER_NAME "in-cse.m2m.example"

/* --- the engine's allocator --- */

static size_t calls, failing; /* which call fails; 0: none */
static long live;

static bool fails_now(void)
{
    return ++calls == failing;
}

static void *failing_malloc(size_t size)
{
    void *memory = fails_now() ? NULL : wiping_malloc(size);
    live += memory != NULL;
    return memory;
}

static void *failing_realloc(void *memory, size_t size)
{
    void *moved = fails_now() ? NULL : wiping_realloc(memory, size);
    live += moved && !memory;
    return moved;
}

static void counting_free(void *memory)
{
    live -= memory != NULL;
    wiping_free(memory);
}

/* --- what is played --- */

static char folder[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static const char *file(const char *name)
{
    static char paths[8][128];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static struct policy_endpoint endpoint = {.name = "in-cse", .raw_public_key = true};
static struct policy_rule rules[] = {{.flavour = FLAVOUR_AE_ID, .endpoints = 1, .trust = -1},
    {.flavour = FLAVOUR_RAW_PUBLIC_KEY, .endpoints = 1, .trust = -1}};
static struct policy policy = {
    .endpoints = &endpoint, .endpoint_count = 1, .rules = rules, .rule_count = ARRAY_SIZE(rules)};
static const struct policy_suite *suites[1];
static struct fault fault;

static void make_folder(void)
{
    const char *scratch = getenv("TMPDIR");
    int status;
    pid_t child;
    snprintf(folder, sizeof(folder), "%s/e2ekeyd.XXXXXX", scratch ? scratch : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *const arguments[] = {"scripts/mkpki", folder, NULL};
    ck_assert_int_eq(posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    endpoint.certificate.path = strdup(file("in-cse.pem"));
    endpoint.private_key.path = strdup(file("in-cse.key"));
    suites[0] = &policy_suites[0];
    policy.tls = (struct policy_tls){.suites = suites, .suite_count = 1};
    ck_assert_int_eq(tls_start(&fault), RESULT_OK);
    ck_assert_int_eq(wolfSSL_SetAllocators(failing_malloc, counting_free, failing_realloc), 0);
}

static void remove_folder(void)
{
    free(endpoint.certificate.path);
    free(endpoint.private_key.path);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum result new_server(struct tls_context **out)
{
    struct report report CLEANUP(report_release) = {0};
    return tls_context_new(&policy, out, &report);
}

/* With a certificate or a raw public key. */
static enum result new_client(bool raw, struct initiator_credential **out)
{
    return initiator_credential_new(
        raw ? NULL : file("meter.pem"), file("meter.key"), file("field-ca.pem"), out, &fault);
}

struct allocation_run {
    struct initiator *initiator;
    struct handshake *handshake;
    struct buffer message1, message2, message3, message4;
    struct exported_key ours, theirs;
};

static enum result terminate(struct tls_context *server, struct allocation_run *run)
{
    static struct message1 message1;
    ck_assert_int_eq(message1_read(buffer_bytes(&run->message1), &message1, &fault), RESULT_OK);
    return handshake_start(tls_context_by_number(server, 0), &policy.tls, &message1,
        &run->handshake, &run->message2, &fault);
}

static enum result finish(struct allocation_run *run)
{
    static struct message3 message3;
    struct presented presented;
    struct bytes octets = buffer_bytes(&run->message3);
    enum result result = message3_read(octets, &message3, &fault);
    if (result == RESULT_OK)
        result = presented_read(
            &message3, handshake_certificate_type(run->handshake), &presented, &fault);
    if (result != RESULT_OK)
        return result;
    if (!handshake_is_signed_by(run->handshake, &message3, &presented.key))
        return RESULT_NO_MEMORY;
    return handshake_finish(run->handshake, &message3, &run->message4, &run->ours, &fault);
}

static enum result shake_hands(
    struct tls_context *server, struct initiator_credential *client, struct allocation_run *run)
{
    enum result result =
        initiator_start(client, SERVER_NAME, &run->initiator, &run->message1, &fault);
    if (result == RESULT_OK)
        result = terminate(server, run);
    if (result == RESULT_OK)
        result = initiator_answer(
            run->initiator, buffer_bytes(&run->message2), IDENTITY, &run->message3, &fault);
    if (result == RESULT_OK)
        result = finish(run);
    if (result == RESULT_OK)
        result =
            initiator_finish(run->initiator, buffer_bytes(&run->message4), &run->theirs, &fault);
    return result;
}

static enum result try_handshake(struct tls_context *server, struct initiator_credential *client)
{
    struct allocation_run run = {0};
    run.message1.limit = run.message2.limit = run.message3.limit = run.message4.limit = 65536;
    fault = FAULT_INIT;
    enum result result = shake_hands(server, client, &run);
    if (result == RESULT_OK)
        ck_assert_mem_eq(&run.ours, &run.theirs, sizeof(run.ours));
    initiator_free(run.initiator);
    handshake_free(run.handshake);
    buffer_release(&run.message1);
    buffer_release(&run.message2);
    buffer_release(&run.message3);
    buffer_release(&run.message4);
    return result;
}

/* --- the tests --- */

static void start_failing(size_t at)
{
    calls = 0;
    failing = at;
}

static void shake_hands_without_memory(bool raw)
{
    struct initiator_credential *client;
    struct tls_context *server;

    make_folder();
    ck_assert_int_eq(new_server(&server), RESULT_OK);
    ck_assert_int_eq(new_client(raw, &client), RESULT_OK);
    ck_assert_int_eq(try_handshake(server, client), RESULT_OK); /* what is made once is made */
    long before = live;
    for (size_t at = 1;; at++) {
        start_failing(at);
        enum result result = try_handshake(server, client);
        if (calls < at) {
            ck_assert_int_eq(result, RESULT_OK);
            break;
        }
        ck_assert_int_ne(result, RESULT_OK);
        ck_assert_msg(live == before, "allocation %zu: %ld leak", at, live - before);
    }
    start_failing(0);
    initiator_credential_free(client);
    tls_context_free(server);
    remove_folder();
}

START_TEST(handshakes_with_certificates)
{
    shake_hands_without_memory(false);
}
END_TEST

START_TEST(handshakes_with_raw_public_keys)
{
    shake_hands_without_memory(true);
}
END_TEST

START_TEST(credentials)
{
    make_folder();
    long before = live;
    for (size_t at = 1;; at++) {
        struct initiator_credential *client CLEANUP(auto_initiator_credential_free) = NULL;
        struct tls_context *server = NULL;
        start_failing(at);
        enum result result = new_server(&server);
        if (result == RESULT_OK)
            result = new_client(false, &client);
        tls_context_free(server);
        initiator_credential_free(TAKE_PTR(client));
        if (calls < at) {
            ck_assert_int_eq(result, RESULT_OK);
            break;
        }
        ck_assert_msg(live == before, "allocation %zu: %ld leak", at, live - before);
    }
    remove_folder();
}
END_TEST

CHECK_MAIN("tls, out of memory", handshakes_with_certificates, handshakes_with_raw_public_keys,
    credentials)
