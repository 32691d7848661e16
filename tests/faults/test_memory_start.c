/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon runs out of memory at each allocation of its start and of a reload in turn: it works,
 * or says why it does not. */
#include "support/check_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "faults/inject.h"
#include "support/varlink.h"
#include "tls/context.h"

/* One thread, and no limits: what is tried is the same each time. */
#define POLICY                                                                                     \
    "{\"http\":{\"threads\":1},\"keys\":{\"perPeer\":64,\"capacity\":256},"                        \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;

/* The user as a number: glibc looks a name up with an abort() when out of memory. */
static void set_up(void)
{
    char patch[160];

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){.policy = POLICY});
    snprintf(patch, sizeof(patch),
        "{\"clients\":[{\"user\":\"%u\",\"allow\":[\"get\",\"list\",\"status\"],"
        "\"peers\":[\"//m2m.example/in-cse/*\"]}]}",
        (unsigned)geteuid());
    daemon_change_policy(&daemon_, patch);
    inject_open(&daemon_);
}

static void tear_down(void)
{
    if (daemon_.pid > 0)
        daemon_stop(&daemon_);
    else
        daemon_remove(&daemon_);
    inject_close();
}

static void exchange(struct initiator_credential *credential)
{
    struct exported_key exported;
    struct http_answer answer;
    CURL *client = http_open();

    ck_assert_msg(exchange_run(client, &daemon_, credential, "Cmeter", &exported, &answer),
        "%s\nrefused: %ld %s", inject_place(), answer.status, answer.body);
    http_close(client);
}

/* --- start --- */

static void stop(void)
{
    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    ck_assert_int_eq(kill(daemon_.pid, SIGINT), 0);
    int status = daemon_await_exit(&daemon_);
    ck_assert_msg(status == 0, "%s\nexit status %d", inject_place(), status);
}

/* It says why it ends, in pthread_create's words where a thread could not be had. */
static bool says_memory(const char *text)
{
    return strstr(text, "memory") || strstr(text, strerror(EAGAIN));
}

/* It starts, and then it works; or it says why it does not. Returns how many calls of PLAN there
 * were until then. */
static uint32_t start_with(const struct fault_plan *plan, struct initiator_credential *credential)
{
    char *before = daemon_log(&daemon_);
    size_t size = strlen(before);

    free(before);
    inject(plan);
    inject_launch(&daemon_, false);
    if (inject_await_start(&daemon_)) {
        uint32_t seen = inject_end();
        exchange(credential);
        stop();
        return seen;
    }
    int status = daemon_await_exit(&daemon_);
    char *said = inject_log(&daemon_, size);
    ck_assert_msg(
        status == 1 && says_memory(said), "%s\nexit status %d: %s", inject_place(), status, said);
    free(said);
    return inject_end();
}

START_TEST(starts)
{
    struct initiator_credential *credential = exchange_credential(&daemon_, "meter");
    uint32_t at = inject_first(), seen;

    do {
        seen = start_with(
            &(struct fault_plan){.calls = SHIM_ALLOCATION | SHIM_MMAP | SHIM_MEMFD_CREATE,
                .error = ENOMEM,
                .first = at},
            credential);
    } while (seen >= at++);
    ck_assert_uint_ge(seen, 200); /* the shim was there */
    initiator_credential_free(credential);
}
END_TEST

/* How often the policy has been reloaded, and how often it has not. */
static void count_reloads(int *reloaded, int *failed)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, "org.e2ekeyd.Keys.GetStatus", NULL);
    ck_assert_int_eq(json_unpack(reply, "{s:{s:{s:{s:i, s:i}}}}", "parameters", "status",
                         "counters", "policyReloads", reloaded, "policyReloadsFailed", failed),
        0);
    json_decref(reply);
    varlink_close(&varlink);
}

/* The old policy stays in force, or the new one has come; and what was made of the other is gone.
 */
START_TEST(reloads)
{
    struct initiator_credential *credential = exchange_credential(&daemon_, "meter");
    uint32_t at = inject_first(), seen;
    int before, reloaded, failed;

    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
    for (int i = 0; i < 2; i++) /* what is made once is made */
        daemon_reload(&daemon_);
    count_reloads(&reloaded, &failed);
    int64_t live = inject_live();
    do {
        before = reloaded + failed;
        inject(&(struct fault_plan){
            .calls = SHIM_ALLOCATION, .thread = SHIM_MAIN_THREAD, .error = ENOMEM, .first = at});
        ck_assert_int_eq(kill(daemon_.pid, SIGHUP), 0);
        ck_assert_msg(inject_await_start(&daemon_), "%s\nit ended", inject_place());
        seen = inject_end();
        count_reloads(&reloaded, &failed);
        ck_assert_msg(reloaded + failed == before + 1, "%s", inject_place());
    } while (seen >= at++);
    ck_assert_uint_ge(seen, 100); /* the shim was there */
    ck_assert_int_gt(failed, 50);
    inject_await_live(live);
    exchange(credential);
    initiator_credential_free(credential);
}
END_TEST

CHECK_MAIN_FIXTURE("faults/memory_start", set_up, tear_down, starts, reloads)
