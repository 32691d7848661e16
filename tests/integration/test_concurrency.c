/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many initiators at once, by both transports: each gets its own key, whatever else goes on. */
#include "support/check_main.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/run.h"
#include "support/varlink.h"
#include "tls/context.h"

#define THREADS   8
#define EACH      25
#define EXCHANGES (THREADS * EACH)
#define RELOADS   20
#define LIMITS    "{\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;
static struct initiator_credential *credentials[EXCHANGES];
static char names[EXCHANGES][24];
static struct run runs[EXCHANGES];

static void set_up(const char *policy, unsigned meters)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy, .meters = meters});
    for (unsigned i = 0; i < meters; i++) {
        snprintf(names[i], sizeof(names[i]), "meter-%u", i + 1);
        credentials[i] = exchange_credential(&daemon_, names[i]);
        snprintf(names[i], sizeof(names[i]), "Cmeter-%u", i + 1);
    }
}

static void tear_down(unsigned meters)
{
    for (unsigned i = 0; i < meters; i++)
        initiator_credential_free(credentials[i]);
    daemon_stop(&daemon_);
}

/* Runs WORK in THREADS threads, each with its number. */
static void in_threads(void *(*work)(void *))
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

/* --- all pending at once --- */

static void send_message(CURL *client, size_t i, enum run_carrier by_resource,
    const struct buffer *message, struct http_answer *answer)
{
    bool notify = i % 2 == 1;

    run_send(client, &daemon_, notify ? RUN_NOTIFY : by_resource, notify ? "/notify" : RUN_ENTRY,
        names[i], by_resource == RUN_CREATE ? "m1" : "m3", message, answer);
    ck_assert_msg(answer->status / 100 == 2, "%s: %ld: %s", names[i], answer->status, answer->body);
}

static void *send_message1s(void *number)
{
    CURL *client = http_open();

    for (size_t i = (uintptr_t)number; i < EXCHANGES; i += THREADS) {
        struct http_answer answer;
        run_begin(&runs[i], credentials[i], RUN_SERVER_NAME);
        send_message(client, i, RUN_CREATE, &runs[i].message1, &answer);
        run_take_message2(&runs[i], answer.body);
        http_answer_release(&answer);
    }
    http_close(client);
    return NULL;
}

/* Not in the order that they were begun in. */
static void *send_message3s(void *number)
{
    CURL *client = http_open();

    for (size_t i = EXCHANGES - 1 - (uintptr_t)number; i < EXCHANGES; i -= THREADS) {
        struct http_answer answer;
        send_message(client, i, RUN_UPDATE, &runs[i].message3, &answer);
        run_take_message4(&runs[i], answer.body);
        http_answer_release(&answer);
    }
    http_close(client);
    return NULL;
}

static void *expect_keys(void *number)
{
    for (size_t i = (uintptr_t)number; i < EXCHANGES; i += THREADS)
        run_expect_key(&runs[i], &daemon_, names[i]);
    return NULL;
}

START_TEST(exchanges_pending_at_once_each_get_their_own_key)
{
    set_up(LIMITS, EXCHANGES);
    in_threads(send_message1s);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), EXCHANGES);
    in_threads(send_message3s);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), 0);
    in_threads(expect_keys);
    for (size_t i = 0; i < EXCHANGES; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_mem_ne(runs[i].exported.key, runs[j].exported.key, 32);
    for (size_t i = 0; i < EXCHANGES; i++)
        run_end(&runs[i]);
    tear_down(EXCHANGES);
}
END_TEST

/* --- reloads, and clients that are slow or mad --- */

static atomic_bool reloading;
static sem_t done; /* exchanges */

/* Exchanges of this thread's own originator, until the reloads are over. */
static void *exchange_on(void *number)
{
    size_t i = (uintptr_t)number;
    CURL *client = http_open();

    while (atomic_load(&reloading)) {
        struct run run;
        run_open(&run, client, &daemon_, credentials[i], names[i]);
        run_finish(&run, client, &daemon_, i % 2 == 0 ? RUN_UPDATE : RUN_NOTIFY,
            i % 2 == 0 ? NULL : "/notify");
        sem_post(&done);
    }
    http_close(client);
    return NULL;
}

/* Each policy stays until exchanges were done under it; every other policy is a bad one. */
static void *reload(void *unused)
{
    for (unsigned i = 0; i < RELOADS; i++) {
        daemon_change_policy(&daemon_, i % 2 ? LIMITS : "{\"limits\":{\"createBurst\":-1}}");
        daemon_reload(&daemon_);
        while (sem_trywait(&done) == 0)
            ;
        for (unsigned j = 0; j < 2 * THREADS; j++)
            ck_assert_int_eq(sem_wait(&done), 0);
    }
    atomic_store(&reloading, false);
    return unused;
}

/* Subscribes, and never reads; begins a call, and never ends it; sends what is none. */
static void open_strange_clients(struct varlink clients[3])
{
    for (size_t i = 0; i < 3; i++)
        varlink_open(&clients[i], daemon_.socket);
    varlink_begin(&clients[0], "org.e2ekeyd.Keys.Subscribe", NULL, "more");
    ck_assert(varlink_send(&clients[1], "{\"method\":\"org.e2e", 17));
    ck_assert(varlink_send(&clients[2], "\xff{[\"not JSON", 13));
}

START_TEST(load_reloads_and_strange_clients_do_not_mind_each_other)
{
    struct varlink strange[3];
    pthread_t reloader;

    set_up(LIMITS, THREADS);
    open_strange_clients(strange);
    ck_assert_int_eq(sem_init(&done, 0, 0), 0);
    atomic_store(&reloading, true);
    ck_assert_int_eq(pthread_create(&reloader, NULL, reload, NULL), 0);
    in_threads(exchange_on);
    ck_assert_int_eq(pthread_join(reloader, NULL), 0);

    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), 0);
    ck_assert_ptr_null(varlink_receive(&strange[2]));
    json_t *event = varlink_receive(&strange[0]);
    ck_assert_str_eq(varlink_error(event), "");
    json_decref(event);
    for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
        varlink_close(&strange[i]);
    tear_down(THREADS);
}
END_TEST

CHECK_MAIN("integration/concurrency", exchanges_pending_at_once_each_get_their_own_key,
    load_reloads_and_strange_clients_do_not_mind_each_other)
