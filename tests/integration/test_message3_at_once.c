/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One Message 1 or 3 that comes on several connections at the same time: each is answered alike. */
#include "support/check_main.h"

#include <pthread.h>
#include <stdio.h>

#include "support/run.h"
#include "tls/context.h"

#define THREADS 8
#define ROUNDS  25
#define POLICY  "{\"http\":{\"threads\":8},\"limits\":{\"pendingPerOriginator\":64}}"

static struct daemon daemon_;
static pthread_barrier_t start;
static struct run runs[ROUNDS];
static enum run_carrier carrier;
static const char *path; /* NULL: the exchange's */
static bool is_first;    /* Message 1, else Message 3 */
static struct http_answer answers[ROUNDS][THREADS];

static void *send_all(void *number)
{
    CURL *client = http_open();

    for (size_t i = 0; i < ROUNDS; i++) {
        char request_id[16];
        pthread_barrier_wait(&start);
        snprintf(request_id, sizeof(request_id), "r%zu", i);
        run_send(client, &daemon_, carrier, path ? path : runs[i].path, "Cmeter", request_id,
            is_first ? &runs[i].message1 : &runs[i].message3, &answers[i][(uintptr_t)number]);
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
        if (is_first)
            run_begin(&runs[i], meter, RUN_SERVER_NAME);
        else
            run_open(&runs[i], client, &daemon_, meter, "Cmeter");
        runs[i].from = "Cmeter";
        pthread_barrier_wait(&start);
        pthread_barrier_wait(&start);
    }
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&start);
    http_close(client);
}

/* To the octet: so it is the answer of one exchange, which has random numbers of its own. */
static void expect_alike(long status)
{
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t j = 0; j < THREADS; j++) {
            const struct http_answer *answer = &answers[i][j];
            ck_assert_msg(answer->status == status, "%ld: %s", answer->status, answer->body);
            ck_assert_uint_eq(answer->body_size, answers[i][0].body_size);
            ck_assert_mem_eq(answer->body, answers[i][0].body, answer->body_size);
        }
}

static void release_answers(void)
{
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t j = 0; j < THREADS; j++)
            http_answer_release(&answers[i][j]);
}

static void play_message1(enum run_carrier by, const char *to)
{
    CURL *client = http_open();

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = POLICY});
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    carrier = by;
    path = to;
    is_first = true;
    send_at_once(meter);
    expect_alike(by == RUN_NOTIFY ? 200 : 201);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++) {
        run_take_message2(&runs[i], answers[i][0].body);
        snprintf(runs[i].path, sizeof(runs[i].path), RUN_ENTRY "/%s",
            run_member(&answers[i][0], "rn")); /* which an answer to a Notify does not give */
        run_finish(&runs[i], client, &daemon_, by == RUN_NOTIFY ? RUN_NOTIFY : RUN_UPDATE,
            by == RUN_NOTIFY ? to : NULL);
    }
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), 0);
    release_answers();
    http_close(client);
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

static void play_message3(enum run_carrier by, const char *to)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = POLICY});
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    carrier = by;
    path = to;
    send_at_once(meter);
    expect_alike(200);
    for (size_t i = 0; i < ROUNDS; i++) {
        run_take_message4(&runs[i], answers[i][0].body);
        run_end(&runs[i]);
    }
    release_answers();
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

START_TEST(message1_to_the_entry_point)
{
    play_message1(RUN_CREATE, RUN_ENTRY);
}
END_TEST

START_TEST(message1_by_notify)
{
    play_message1(RUN_NOTIFY, "/notify");
}
END_TEST

START_TEST(message3_to_the_exchange)
{
    play_message3(RUN_UPDATE, NULL);
}
END_TEST

START_TEST(message3_to_the_entry_point)
{
    play_message3(RUN_UPDATE, RUN_ENTRY);
}
END_TEST

START_TEST(message3_by_notify)
{
    play_message3(RUN_NOTIFY, "/notify");
}
END_TEST

CHECK_MAIN("integration/message3_at_once", message1_to_the_entry_point, message1_by_notify,
    message3_to_the_exchange, message3_to_the_entry_point, message3_by_notify)
