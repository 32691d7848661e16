/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exchanges that are over, and limits. */
#include "support/check_main.h"
#include "support/fixture.h"

#include <stdio.h>
#include <time.h>

#include "support/refusal.h"
#include "support/run.h"

/* --- an exchange that is over --- */

START_TEST(another_message3_after_the_first_is_a_conflict)
{
    struct run run, other;
    struct http_answer answer;

    fixture_start(NULL);
    run_open(&run, client, &daemon_, meter, "Cmeter");
    run_open(&other, client, &daemon_, meter, "Cmeter");
    run_send(client, &daemon_, RUN_UPDATE, run.path, "Cmeter", "m3", &run.message3, &answer);
    ck_assert_int_eq(answer.status, 200);
    run_take_message4(&run, answer.body);
    http_answer_release(&answer);

    const struct refusal conflict = {409, 4105, .text = "already done"};
    run_send(client, &daemon_, RUN_UPDATE, run.path, "Cmeter", "m3", &other.message3, &answer);
    refusal_expect("other content", &answer, &conflict, "m3", "3", false);
    run_send(client, &daemon_, RUN_UPDATE, run.path, "Cmeter", "m4", &run.message3, &answer);
    refusal_expect("other request", &answer, &conflict, "m4", "3", false);
    run_expect_key(&run, &daemon_, "Cmeter");
    run_end(&run);
    run_finish(&other, client, &daemon_, RUN_UPDATE, RUN_ENTRY);
    fixture_stop();
}
END_TEST

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Asks for the exchange until it is gone. */
static void await_gone(const char *path)
{
    struct http_answer answer;

    for (int64_t deadline = now_ms() + DAEMON_TIMEOUT_MS; now_ms() < deadline;) {
        m2m_call(client, daemon_.port,
            &(struct m2m_request){
                .method = "GET", .path = path, .from = "Cmeter", .request_id = "g"},
            &answer);
        if (answer.status == 404) {
            const struct refusal gone = {404, 4004, .text = "may have run out of time"};
            refusal_expect("gone", &answer, &gone, "g", "3", false);
            return;
        }
        ck_assert_int_eq(answer.status, 200);
        http_answer_release(&answer);
    }
    ck_abort_msg("%s does not run out of time", path);
}

START_TEST(exchanges_run_out_of_time)
{
    const struct refusal gone = {404, 4004, .text = "may have run out of time"};
    struct http_answer answer;
    struct run run;

    fixture_start("{\"limits\":{\"exchangeTimeout\":1}}");
    run_open(&run, client, &daemon_, meter, "Cmeter");
    await_gone(run.path);
    run_send(client, &daemon_, RUN_UPDATE, run.path, "Cmeter", "u", &run.message3, &answer);
    refusal_expect("on the exchange", &answer, &gone, "u", "3", false);
    run_send(client, &daemon_, RUN_UPDATE, RUN_ENTRY, "Cmeter", "e", &run.message3, &answer);
    refusal_expect("on the entry point", &answer, &gone, "e", "3", false);
    run_send(client, &daemon_, RUN_NOTIFY, "/notify", "Cmeter", "n", &run.message3, &answer);
    refusal_expect("by Notify", &answer, &gone, "n", "3", true);
    run_expect_no_key(&daemon_, "Cmeter");
    run_end(&run);
    fixture_stop();
}
END_TEST

/* --- limits --- */

/* A Message 1 of its own from FROM; the status. */
static void try_create(const char *from, struct http_answer *answer)
{
    struct run run;

    run_begin(&run, meter, RUN_SERVER_NAME);
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, from, "c", &run.message1, answer);
    run_end(&run);
}

static void expect_created(const char *from)
{
    struct http_answer answer;

    try_create(from, &answer);
    ck_assert_msg(answer.status == 201, "%ld: %s", answer.status, answer.body);
    http_answer_release(&answer);
}

/* It is never refused for it: what has waited longest goes. */
START_TEST(an_originator_has_its_share_of_pending_exchanges)
{
    struct run oldest, middle, newest;

    fixture_start("{\"limits\":{\"pendingPerOriginator\":2}}");
    run_open(&oldest, client, &daemon_, meter, "Cmeter");
    run_open(&middle, client, &daemon_, meter, "/in-cse/Cmeter");
    expect_created("Cother");
    run_expect_status(&oldest, client, &daemon_, 200);
    run_open(&newest, client, &daemon_, meter, "//m2m.example/in-cse/Cmeter");
    run_expect_status(&oldest, client, &daemon_, 404);
    run_finish(&middle, client, &daemon_, RUN_UPDATE, NULL); /* and makes room */
    expect_created("Cmeter");
    run_finish(&newest, client, &daemon_, RUN_UPDATE, RUN_ENTRY);
    run_end(&oldest);
    fixture_stop();
}
END_TEST

/* Newcomers are let in all the same: others make room, and end as if their time were over. */
START_TEST(pending_exchanges_are_limited_in_all)
{
    struct http_answer answer;
    struct run first, last;
    char from[16];

    fixture_start("{\"limits\":{\"pendingExchanges\":3}}");
    run_open(&first, client, &daemon_, meter, "Cfirst");
    for (unsigned i = 0; i < 20; i++) {
        snprintf(from, sizeof(from), "C%u", i);
        expect_created(from);
        ck_assert_int_le(run_status_number(&daemon_, "exchanges", "pending"), 3);
    }
    run_open(&last, client, &daemon_, meter, "Cmeter");
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", "open", &last.message1, &answer);
    ck_assert_int_eq(answer.status, 201); /* a retransmission displaces nothing */
    http_answer_release(&answer);
    run_expect_status(&first, client, &daemon_, 404);
    run_finish(&last, client, &daemon_, RUN_UPDATE, NULL);
    ck_assert_int_ge(run_status_number(&daemon_, "counters", "exchangesDisplaced"), 17);
    char *log = daemon_log(&daemon_);
    ck_assert_ptr_nonnull(strstr(log, "made room for a newer one: limits.pendingExchanges"));
    free(log);
    run_end(&first);
    fixture_stop();
}
END_TEST

/* One a second, and two at once: however slow this machine, it makes more than that. */
START_TEST(creates_come_at_a_limited_rate)
{
    const struct refusal busy = {503, 5000, .text = "more than 1 creates a second"};
    struct http_answer answer;
    char from[16];
    int64_t deadline;

    fixture_start("{\"limits\":{\"createsPerSecond\":1,\"createBurst\":2}}");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(from, sizeof(from), "C%u", i);
        try_create(from, &answer);
        if (answer.status != 201)
            break;
        http_answer_release(&answer);
    }
    ck_assert_str_eq(http_answer_header(&answer, "Retry-After"), "1");
    refusal_expect("rate", &answer, &busy, "c", "3", false);

    for (deadline = now_ms() + DAEMON_TIMEOUT_MS; now_ms() < deadline;) {
        try_create("Cmeter", &answer);
        bool created = answer.status == 201;
        http_answer_release(&answer);
        if (created)
            break;
    }
    ck_assert_int_lt(now_ms(), deadline);
    fixture_stop();
}
END_TEST

CHECK_MAIN("integration/limits", another_message3_after_the_first_is_a_conflict,
    exchanges_run_out_of_time, an_originator_has_its_share_of_pending_exchanges,
    pending_exchanges_are_limited_in_all, creates_come_at_a_limited_rate)
