/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon runs out of memory at each allocation of its start, of a reload, and of taking new
 * CRLs in turn: it works, or says why it does not. */
#include "support/check_main.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "faults/inject.h"
#include "support/varlink.h"
#include "tls/context.h"

/* One thread, and no limits: what is tried is the same each time. */
#define POLICY                                                                                     \
    "{\"http\":{\"threads\":1},\"keys\":{\"perPeer\":64,\"capacity\":256},"                        \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;

/* Accounts by name: there is one, and there is none. */
static void set_up(void)
{
    const struct passwd *user = getpwuid(geteuid());
    char patch[320];

    ck_assert_ptr_nonnull(user);
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){.policy = POLICY});
    snprintf(patch, sizeof(patch),
        "{\"clients\":[{\"user\":\"%s\",\"allow\":[\"get\",\"list\",\"status\"],"
        "\"peers\":[\"//m2m.example/in-cse/*\"]},"
        "{\"group\":\"no-such-group\",\"allow\":[\"list\"]}]}",
        user->pw_name);
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

/* It says why it ends, in the words of pthread_create or libmicrohttpd where a thread could not be
 * had. */
static bool says_memory(const char *text)
{
    return strstr(text, "memory") || strstr(text, strerror(EAGAIN)) ||
           strstr(text, "no system resources");
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
static void count_reloads(struct varlink *varlink, int *reloaded, int *failed)
{
    json_t *reply = varlink_call(varlink, "org.e2ekeyd.Keys.GetStatus", NULL);
    ck_assert_int_eq(json_unpack(reply, "{s:{s:{s:{s:i, s:i}}}}", "parameters", "status",
                         "counters", "policyReloads", reloaded, "policyReloadsFailed", failed),
        0);
    json_decref(reply);
}

/* The old policy stays in force, or the new one has come; and what was made of the other is gone.
 */
START_TEST(reloads)
{
    struct initiator_credential *credential = exchange_credential(&daemon_, "meter");
    uint32_t at = inject_first(), seen;
    int before, reloaded, failed;
    struct varlink varlink; /* one for all, so that it counts in .live at both ends */

    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
    varlink_open(&varlink, daemon_.socket);
    for (int i = 0; i < 2; i++) /* what is made once is made */
        daemon_reload(&daemon_);
    count_reloads(&varlink, &reloaded, &failed);
    int64_t live = inject_live();
    do {
        before = reloaded + failed;
        inject(&(struct fault_plan){
            .calls = SHIM_ALLOCATION, .thread = SHIM_MAIN_THREAD, .error = ENOMEM, .first = at});
        ck_assert_int_eq(kill(daemon_.pid, SIGHUP), 0);
        ck_assert_msg(inject_await_start(&daemon_), "%s\nit ended", inject_place());
        seen = inject_end();
        count_reloads(&varlink, &reloaded, &failed);
        ck_assert_msg(reloaded + failed == before + 1, "%s", inject_place());
    } while (seen >= at++);
    ck_assert_uint_ge(seen, 100); /* the shim was there */
    ck_assert_int_gt(failed, 50);
    inject_await_live(live);
    varlink_close(&varlink);
    exchange(credential);
    initiator_credential_free(credential);
}
END_TEST

/* --- CRLs that change --- */

/* Two lists of one issuer and one time, of which either may replace the other: one revokes the
 * meter, the other does not. */
static void make_lists(void)
{
    char command[2048];

    snprintf(command, sizeof(command),
        "cd %s && until began=$(date +%%s) && $OLDPWD/tests/support/revoke . field-ca good &&"
        " $OLDPWD/tests/support/revoke . field-ca bad meter && [ \"$(date +%%s)\" = \"$began\" ];"
        " do :; done && cp good field.crl",
        daemon_.folder);
    ck_assert_msg(system(command) == 0, "%s", command);
    daemon_change_policy(&daemon_,
        "{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":[\"field.crl\"]}]}");
}

/* The list's file is replaced as a CA's tools do it, by a rename. */
static void publish(bool good)
{
    char new[DAEMON_PATH_OCTETS];

    snprintf(new, sizeof(new), "%s", daemon_file(&daemon_, "new"));
    unlink(new);
    ck_assert_int_eq(link(daemon_file(&daemon_, good ? "good" : "bad"), new), 0);
    ck_assert_int_eq(rename(new, daemon_file(&daemon_, "field.crl")), 0);
}

/* Whether the list in force lets the meter in. */
static bool is_let_in(struct initiator_credential *credential)
{
    struct exported_key exported;
    struct http_answer answer;
    CURL *client = http_open();
    bool is_in = exchange_run(client, &daemon_, credential, "Cmeter", &exported, &answer);

    if (!is_in) {
        ck_assert_msg(answer.status == 403, "%s\n%s", inject_place(), answer.body);
        http_answer_release(&answer);
    }
    http_close(client);
    return is_in;
}

static unsigned count_in_log(const char *text)
{
    char *log = daemon_log(&daemon_);
    unsigned count = 0;

    for (const char *next = log; (next = strstr(next, text)) != NULL; next += strlen(text))
        count++;
    free(log);
    return count;
}

#define SOON_MS      5000 /* a second, on a host that has much to do */
#define RELOADED     "CRLs of trust domain field reloaded"
#define REVOKED      "revoked: a CRL revokes a certificate of its path"
#define NOT_RELOADED "CRLs not reloaded, the old ones stay in force until there is memory"

/* Until DONE, or the daemon has ended. */
#define AWAIT(done)                                                                                \
    for (int64_t until_ms_ = clock_steady_ms() + DAEMON_TIMEOUT_MS; !(done);) {                    \
        struct pollfd ended_ = {.fd = daemon_.pidfd, .events = POLLIN};                            \
        ck_assert_msg(poll(&ended_, 1, 5) == 0, "%s\nit ended", inject_place());                   \
        ck_assert_msg(clock_steady_ms() < until_ms_, "%s\nin vain: " #done, inject_place());       \
    }

/* Out of memory once: the new list comes into force all the same, within a second or so, and
 * revokes the key that there is. */
START_TEST(takes_new_lists)
{
    struct initiator_credential *credential = exchange_credential(&daemon_, "meter");
    uint32_t at = inject_first(), seen;

    make_lists();
    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
    do {
        ck_assert_msg(is_let_in(credential), "%s", inject_place());
        unsigned revoked = count_in_log(REVOKED), reloaded = count_in_log(RELOADED);
        inject(&(struct fault_plan){
            .calls = SHIM_ALLOCATION, .thread = SHIM_MAIN_THREAD, .error = ENOMEM, .first = at});
        int64_t began_ms = clock_steady_ms();
        publish(false);
        AWAIT(count_in_log(REVOKED) > revoked);
        ck_assert_msg(clock_steady_ms() - began_ms < SOON_MS, "%s\nlate", inject_place());
        seen = inject_end();
        ck_assert_msg(!is_let_in(credential), "%s", inject_place());
        publish(true);
        AWAIT(count_in_log(RELOADED) > reloaded + 1);
    } while (seen >= at++);
    ck_assert_uint_ge(seen, 10); /* the shim was there */
    initiator_credential_free(credential);
}
END_TEST

/* Out of memory for long: the old list stays in force, which is said once. */
START_TEST(keeps_old_lists)
{
    struct initiator_credential *credential = exchange_credential(&daemon_, "meter");

    make_lists();
    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
    for (int i = 0; i < 2;
         i++) /* what the event loop makes once is made, or it would stand still */
        daemon_reload(&daemon_);
    inject(&(struct fault_plan){.calls = SHIM_ALLOCATION,
        .thread = SHIM_MAIN_THREAD,
        .error = ENOMEM,
        .count = SHIM_FOREVER});
    publish(false);
    AWAIT(count_in_log(NOT_RELOADED) > 0);
    uint32_t seen = inject_hits();
    AWAIT(inject_hits() > seen + 3); /* it has tried again */
    ck_assert(is_let_in(credential));
    inject_end();
    AWAIT(count_in_log(RELOADED) > 0);
    ck_assert(!is_let_in(credential));
    ck_assert_uint_eq(count_in_log(NOT_RELOADED), 1);
    initiator_credential_free(credential);
}
END_TEST

CHECK_MAIN_FIXTURE(
    "faults/memory_start", set_up, tear_down, starts, reloads, takes_new_lists, keeps_old_lists)
