/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One Message 3 that comes on several connections at the same time: each is answered alike. */
#include "support/check_main.h"

#include <pthread.h>

#include "support/run.h"
#include "tls/context.h"

#define THREADS 6
#define ROUNDS  25

static struct daemon daemon_;
static pthread_barrier_t start;
static struct run runs[ROUNDS];
static enum run_carrier carrier;
static const char *path;
static struct http_answer answers[ROUNDS][THREADS];

static void *send_all(void *number)
{
    CURL *client = http_open();

    for (size_t i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&start);
        run_send(client, &daemon_, carrier, path ? path : runs[i].path, "Cmeter", "m3",
            &runs[i].message3, &answers[i][(uintptr_t)number]);
        pthread_barrier_wait(&start); /* the next opens once all have this one's answer */
    }
    http_close(client);
    return NULL;
}

static void send_at_once(struct initiator_credential *meter)
{
    pthread_t threads[THREADS];
    CURL *client = http_open();

    pthread_barrier_init(&start, NULL, THREADS + 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_all, (void *)i), 0);
    for (size_t i = 0; i < ROUNDS; i++) {
        run_open(&runs[i], client, &daemon_, meter, "Cmeter");
        pthread_barrier_wait(&start);
        pthread_barrier_wait(&start);
    }
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&start);
    http_close(client);
}

static void expect_alike(void)
{
    for (size_t i = 0; i < ROUNDS; i++) {
        for (size_t j = 0; j < THREADS; j++) {
            const struct http_answer *answer = &answers[i][j];
            ck_assert_msg(answer->status == 200, "%ld: %s", answer->status, answer->body);
            ck_assert_str_eq(answer->body, answers[i][0].body);
        }
        run_take_message4(&runs[i], answers[i][0].body);
        run_end(&runs[i]);
        for (size_t j = 0; j < THREADS; j++)
            http_answer_release(&answers[i][j]);
    }
}

static void play(enum run_carrier by, const char *to)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = "{\"http\":{\"threads\":6}}"});
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    carrier = by;
    path = to;
    send_at_once(meter);
    expect_alike();
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

START_TEST(to_the_exchange)
{
    play(RUN_UPDATE, NULL);
}
END_TEST

START_TEST(to_the_entry_point)
{
    play(RUN_UPDATE, RUN_ENTRY);
}
END_TEST

START_TEST(by_notify)
{
    play(RUN_NOTIFY, "/notify");
}
END_TEST

CHECK_MAIN("integration/message3_at_once", to_the_exchange, to_the_entry_point, by_notify)
