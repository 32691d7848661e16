/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the daemon stops: what is under way finishes, what comes is sent on, all within its time. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/raw.h"
#include "support/run.h"

/* Longer than a test has. */
#define LONG_TIMEOUT  "{\"limits\":{\"exchangeTimeout\":600,\"stopTimeout\":600}}"
#define SHORT_TIMEOUT "{\"limits\":{\"stopTimeout\":1}}"

/* A daemon with the credentials of two initiators. */
struct scene {
    struct daemon daemon;
    struct initiator_credential *credential[2];
    CURL *client[2];
};

static void open_scene(struct scene *scene, bool inherit)
{
    daemon_start(&scene->daemon,
        &(struct daemon_options){.policy = LONG_TIMEOUT, .meters = 2, .inherit = inherit});
    scene->credential[0] = exchange_credential(&scene->daemon, "meter-1");
    scene->credential[1] = exchange_credential(&scene->daemon, "meter-2");
    scene->client[0] = http_open();
    scene->client[1] = http_open();
}

static void close_scene(struct scene *scene)
{
    for (int i = 0; i < 2; i++) {
        initiator_credential_free(scene->credential[i]);
        http_close(scene->client[i]);
    }
    daemon_remove(&scene->daemon);
}

static void begin_stop(struct scene *scene, const char *status)
{
    ck_assert_int_eq(kill(scene->daemon.pid, SIGTERM), 0);
    daemon_await_notice(&scene->daemon, status);
}

static void expect_log(const struct daemon *daemon, const char *text)
{
    char *log = daemon_log(daemon);
    ck_assert_msg(strstr(log, text), "no \"%s\" in:\n%s", text, log);
    free(log);
}

START_TEST(nothing_pending_stops_at_once)
{
    struct scene scene;
    open_scene(&scene, false);
    begin_stop(&scene, "STOPPING=1");
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    expect_log(&scene.daemon, "stopping on SIGTERM: 0 exchanges pending, 0 keys live");
    expect_log(&scene.daemon, "stopped: 0 exchanges cut off");
    close_scene(&scene);
}
END_TEST

static void expect_sent_away(struct scene *scene, CURL *client)
{
    struct run run;
    struct http_answer answer;
    run_begin(&run, scene->credential[0], RUN_SERVER_NAME);
    run_send(
        client, &scene->daemon, RUN_CREATE, RUN_ENTRY, "Cmeter-1", "late", &run.message1, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(http_answer_header(&answer, "X-M2M-RSC"), "5000");
    ck_assert_str_eq(http_answer_header(&answer, "Retry-After"), "1");
    ck_assert_str_eq(http_answer_header(&answer, "Connection"), "close");
    ck_assert_str_eq(answer.body, "{\"m2m:dbg\":\"stopping: come again in a moment\"}");
    http_answer_release(&answer);
    run_end(&run);
}

/* The last answer may be the daemon's last word: its key can be read no more. */
static void finish_last(struct scene *scene, struct run *run, CURL *client)
{
    struct http_answer answer;
    run_send(client, &scene->daemon, RUN_UPDATE, run->path, run->from, "finish", &run->message3,
        &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(run_member(&answer, "est"), "2");
    run_take_message4(run, answer.body);
    http_answer_release(&answer);
    run_end(run);
}

static void finishes_what_is_pending(bool inherit)
{
    struct scene scene;
    struct run first, second;
    open_scene(&scene, inherit);
    run_open(&first, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    run_open(&second, scene.client[1], &scene.daemon, scene.credential[1], "Cmeter-2");
    begin_stop(&scene, "STATUS=stopping: 2 exchanges pending");
    expect_sent_away(&scene, scene.client[0]);

    run_finish(&first, scene.client[0], &scene.daemon, RUN_UPDATE, NULL);
    daemon_await_notice(&scene.daemon, "STATUS=stopping: 1 exchange pending");
    CURL *anew = http_open(); /* as an initiator whose connection was closed */
    finish_last(&scene, &second, anew);
    http_close(anew);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    expect_log(&scene.daemon, "stopped: 0 exchanges cut off");
    close_scene(&scene);
}

START_TEST(pending_exchanges_finish)
{
    finishes_what_is_pending(false);
}
END_TEST

START_TEST(pending_exchanges_finish_on_inherited_sockets)
{
    finishes_what_is_pending(true);
}
END_TEST

/* So load balancers send nobody here any more, while what is under way finishes. */
START_TEST(health_checks_fail_while_stopping)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS"};
    struct scene scene;
    struct run run;
    struct raw_answer answer;
    char request[256];
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    for (int stopping = 0; stopping < 2; stopping++) {
        if (stopping)
            begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
            int fd = raw_connect(scene.daemon.port);
            snprintf(request, sizeof(request),
                "%s " ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n", methods[i]);
            raw_send_text(fd, request);
            raw_receive_all(fd, &answer);
            raw_expect_status(&answer, stopping ? 503 : 200, stopping ? "5000" : "2000");
            ck_assert(!stopping == !raw_header(&answer, "Retry-After"));
            close(fd);
        }
    }
    run_expect_status(&run, scene.client[1], &scene.daemon, 200);
    finish_last(&scene, &run, scene.client[0]);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(a_retransmitted_message_1_is_answered_still)
{
    struct scene scene;
    struct run run;
    struct http_answer answer;
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
    run_send(scene.client[0], &scene.daemon, RUN_CREATE, RUN_ENTRY, "Cmeter-1", "open",
        &run.message1, &answer);
    ck_assert_int_eq(answer.status, 201);
    http_answer_release(&answer);
    finish_last(&scene, &run, scene.client[0]);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    close_scene(&scene);
}
END_TEST

START_TEST(the_end_of_the_time_out_ends_it)
{
    struct scene scene;
    struct run run;
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    daemon_change_policy(&scene.daemon, SHORT_TIMEOUT);
    daemon_reload(&scene.daemon);
    begin_stop(&scene, "EXTEND_TIMEOUT_USEC=11000000");
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    expect_log(&scene.daemon, "stopped: 1 exchanges cut off");
    run_end(&run);
    close_scene(&scene);
}
END_TEST

START_TEST(a_second_signal_ends_it)
{
    struct scene scene;
    struct run run;
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
    ck_assert_int_eq(kill(scene.daemon.pid, SIGINT), 0);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    expect_log(&scene.daemon, "stopping at once on one more SIGINT");
    expect_log(&scene.daemon, "stopped: 1 exchanges cut off");
    run_end(&run);
    close_scene(&scene);
}
END_TEST

START_TEST(a_reload_while_stopping_does_nothing)
{
    struct scene scene;
    struct run run;
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
    ck_assert_int_eq(kill(scene.daemon.pid, SIGHUP), 0);
    finish_last(&scene, &run, scene.client[0]);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    char *log = daemon_log(&scene.daemon);
    ck_assert_ptr_null(strstr(log, "policy reloaded"));
    free(log);
    close_scene(&scene);
}
END_TEST

/* On sockets of the service manager: who comes between two daemons waits for the second. */
START_TEST(the_successor_answers_who_waits)
{
    static const char request[] =
        "GET /cse-in/e2EKeyCSE HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        "X-M2M-Origin: Cmeter-1\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\n\r\n";
    struct scene scene;
    struct run run;
    open_scene(&scene, true);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
    ck_assert_int_eq(kill(scene.daemon.pid, SIGTERM), 0);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);

    int fd = raw_connect(scene.daemon.port);
    ck_assert_int_eq(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    daemon_launch(&scene.daemon, true);
    daemon_await_ready(&scene.daemon);
    char answer[16] = "";
    ck_assert_int_eq(recv(fd, answer, 12, MSG_WAITALL), 12);
    ck_assert_str_eq(answer, "HTTP/1.1 200");
    close(fd);

    struct http_answer gone; /* what the first one cut off */
    run_send(scene.client[1], &scene.daemon, RUN_UPDATE, run.path, run.from, "finish",
        &run.message3, &gone);
    ck_assert_int_eq(gone.status, 404);
    ck_assert_str_eq(http_answer_header(&gone, "X-M2M-RSC"), "4004");
    http_answer_release(&gone);
    run_end(&run);
    begin_stop(&scene, "STOPPING=1");
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    close_scene(&scene);
}
END_TEST

/* Connected as the daemon stops, the request just behind: it is answered, not reset. */
START_TEST(a_connection_without_a_request_yet_is_heard)
{
    static const char request[] = "GET /cse-in/e2EKeyCSE HTTP/1.1\r\nHost: a\r\n"
                                  "X-M2M-Origin: Cmeter-1\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\n\r\n";
    struct scene scene;
    struct run run;
    open_scene(&scene, false);
    run_open(&run, scene.client[0], &scene.daemon, scene.credential[0], "Cmeter-1");
    begin_stop(&scene, "STATUS=stopping: 1 exchange pending");
    int fd = raw_connect(scene.daemon.port);
    expect_sent_away(&scene, scene.client[1]); /* by now FD is accepted: it came first */
    ck_assert_int_eq(kill(scene.daemon.pid, SIGTERM), 0);
    ck_assert_int_eq(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    char answer[16] = "";
    ck_assert_int_eq(recv(fd, answer, 12, MSG_WAITALL), 12);
    ck_assert_str_eq(answer, "HTTP/1.1 503");
    close(fd);
    ck_assert_int_eq(daemon_await_exit(&scene.daemon), 0);
    run_end(&run);
    close_scene(&scene);
}
END_TEST

/* --- all at once --- */

#define RESTARTS 5

struct initiators {
    struct scene scene;
    atomic_bool is_over;
    atomic_uint established, sent_away;
};

/* An exchange after the other. Whatever fails on the way to an answer fails the test. */
static void *establish(struct initiators *all, int number, const char *from)
{
    struct exported_key exported;
    struct http_answer answer;
    while (!atomic_load(&all->is_over)) {
        if (exchange_run(all->scene.client[number], &all->scene.daemon,
                all->scene.credential[number], from, &exported, &answer)) {
            atomic_fetch_add(&all->established, 1);
            continue;
        }
        ck_assert_msg(answer.status == 503, "%ld: %s", answer.status, answer.body);
        http_answer_release(&answer);
        atomic_fetch_add(&all->sent_away, 1);
    }
    return NULL;
}

static void *establish_1(void *all)
{
    return establish(all, 0, "Cmeter-1");
}

static void *establish_2(void *all)
{
    return establish(all, 1, "Cmeter-2");
}

static void await_more(struct initiators *all)
{
    unsigned before = atomic_load(&all->established);
    int64_t end_ms = clock_steady_ms() + DAEMON_TIMEOUT_MS;
    while (atomic_load(&all->established) < before + 4) {
        ck_assert_int_lt(clock_steady_ms(), end_ms);
        sched_yield();
    }
}

/* On sockets of the service manager a restart costs nobody more than to come again. */
START_TEST(a_restart_cuts_nobody_off)
{
    static struct initiators all;
    pthread_t threads[2];
    open_scene(&all.scene, true);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, establish_1, &all), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, establish_2, &all), 0);
    for (int i = 0; i < RESTARTS; i++) {
        await_more(&all);
        begin_stop(&all.scene, "STOPPING=1");
        ck_assert_int_eq(daemon_await_exit(&all.scene.daemon), 0);
        daemon_launch(&all.scene.daemon, true);
        daemon_await_ready(&all.scene.daemon);
    }
    await_more(&all);
    atomic_store(&all.is_over, true);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    begin_stop(&all.scene, "STOPPING=1");
    ck_assert_int_eq(daemon_await_exit(&all.scene.daemon), 0);
    close_scene(&all.scene);
}
END_TEST

CHECK_MAIN("integration/stop", nothing_pending_stops_at_once, pending_exchanges_finish,
    pending_exchanges_finish_on_inherited_sockets, health_checks_fail_while_stopping,
    a_retransmitted_message_1_is_answered_still, the_end_of_the_time_out_ends_it,
    a_second_signal_ends_it, a_reload_while_stopping_does_nothing, the_successor_answers_who_waits,
    a_connection_without_a_request_yet_is_heard, a_restart_cuts_nobody_off)
