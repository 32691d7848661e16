/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon is killed at each place of an exchange in turn, and the next one is handed the keys by
 * the service manager, which this test is: an initiator that got Message 4 finds its key, and every
 * key is whole. */
#include "support/check_main.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "faults/inject.h"
#include "tls/context.h"

#define POLICY                                                                                     \
    "{\"http\":{\"threads\":1},\"keys\":{\"perPeer\":64,\"capacity\":1024},"                       \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;
static struct initiator_credential *credential;
static atomic_bool is_stopping;
static struct attempt kept; /* established before all others */

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(
        &daemon_, &(struct daemon_options){.policy = POLICY, .meters = 1, .store = true});
    credential = exchange_credential(&daemon_, "meter");
    inject_open(&daemon_);
}

static void tear_down(void)
{
    initiator_credential_free(credential);
    is_stopping = true;
    daemon_stop(&daemon_);
    inject_close();
}

static void launch(void)
{
    inject_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
}

static int carry(void (*message)(struct attempt *attempt, const struct daemon *daemon,
                     struct attempt_answer *answer),
    struct attempt *attempt)
{
    struct attempt_answer answer;

    message(attempt, &daemon_, &answer);
    int status = answer.status;
    attempt_answer_release(&answer);
    return status;
}

static void establish(struct attempt *attempt)
{
    struct initiator_credential *other = exchange_credential(&daemon_, "meter-1");

    attempt_begin(attempt, other, false, "Cmeter-1");
    ck_assert_int_eq(carry(attempt_message1, attempt), 201);
    ck_assert_int_eq(carry(attempt_message3, attempt), 200);
    initiator_credential_free(other);
}

static void expect_none_damaged(void)
{
    char *log = daemon_log(&daemon_);

    for (const char *next = log; (next = strstr(next, " were damaged")) != NULL; next++)
        ck_assert_msg(strncmp(next - 2, " 0", 2) == 0, "%s\n%.80s", inject_place(), next - 60);
    free(log);
}

static sem_t restarted;

/* On a thread of its own, as a request that the dead daemon had not accepted waits for the next. */
static void *restart_the_dead(void *nothing)
{
    for (;;) {
        struct pollfd ended = {.fd = daemon_.pidfd, .events = POLLIN};
        if (poll(&ended, 1, -1) != 1)
            continue;
        while (is_stopping) /* the daemon dies with the thread that launched it */
            pause();
        inject_end();
        ck_assert_int_eq(daemon_await_exit(&daemon_), 128 + SIGKILL);
        launch();
        sem_post(&restarted);
    }
    return nothing;
}

/* An exchange with PLAN, and what has become of it when the next daemon runs. *SENT: Message 4 has
 * come. Returns how many calls of the plan there were. */
static uint32_t die_once(const struct fault_plan *plan, bool *sent)
{
    struct attempt attempt;

    attempt_begin(&attempt, credential, false, "Cmeter");
    inject(plan);
    *sent = carry(attempt_message1, &attempt) == 201 && carry(attempt_message3, &attempt) == 200;
    uint32_t seen = inject_end();
    if (inject_hits() > 0) {
        sem_wait(&restarted);
        expect_none_damaged();
    }
    ck_assert_msg(!*sent || attempt_key_is_there(&attempt, &daemon_), "%s", inject_place());
    ck_assert_msg(attempt_key_is_there(&kept, &daemon_), "%s", inject_place());
    attempt_end(&attempt);
    return seen;
}

START_TEST(at_every_place)
{
    static const struct fault_plan plans[] = {
        {.effect = SHIM_KILL_BEFORE, .calls = SHIM_ALL & ~SHIM_EPOLL_WAIT},
        {.effect = SHIM_KILL_AFTER, .calls = SHIM_ALL & ~(SHIM_EPOLL_WAIT | SHIM_ALLOCATION)},
    };
    unsigned deaths = 0, sent_and_died = 0;

    pthread_t restarter;

    launch();
    establish(&kept);
    ck_assert_int_eq(sem_init(&restarted, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&restarter, NULL, restart_the_dead, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
        uint32_t at = inject_first(), seen;
        do {
            struct fault_plan plan = plans[i];
            plan.thread = SHIM_OTHER_THREADS;
            plan.first = at;
            bool sent;
            seen = die_once(&plan, &sent);
            deaths += inject_hits();
            sent_and_died += sent && inject_hits() > 0;
        } while (seen >= at++);
    }
    ck_assert_uint_gt(deaths, 100);
    ck_assert_uint_gt(sent_and_died, 0);
    attempt_end(&kept);
}
END_TEST

CHECK_MAIN_FIXTURE("faults/killed", set_up, tear_down, at_every_place)
