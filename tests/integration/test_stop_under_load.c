/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stop ends within limits.stopTimeout and a second more, whatever clients are at. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/fixture.h"
#include "support/raw.h"
#include "support/run.h"

#define STOP_MS 1000 /* limits.stopTimeout */
#define LATE_MS 1000 /* how much longer a stop may take */
#define POLICY                                                                                     \
    "{\"limits\":{\"stopTimeout\":1,\"exchangeTimeout\":600,\"pendingPerOriginator\":64},"         \
    "\"http\":{\"headerTimeout\":600,\"bodyTimeout\":600}}"
#define METERS       8 /* each with as many pending exchanges as one can have */
#define PENDING      512
#define DRIPPING     300
#define PACE_MS      20
#define NOT_READING  4
#define STUCK_MS     500
#define HONEST       4
#define HONEST_BEGUN 20 /* requests of each, by when the load is steady */

static void set_up(void)
{
    daemon_start(&daemon_, &(struct daemon_options){.policy = POLICY, .meters = METERS});
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    daemon_remove(&daemon_);
}

/* --- what clients are at --- */

static atomic_bool is_over;
static int dripping[DRIPPING], not_reading[NOT_READING];
static pthread_t drip_thread, honest_threads[HONEST];
static atomic_uint answered;

static void *drip(void *nothing)
{
    while (!atomic_load(&is_over)) {
        for (unsigned i = 0; i < DRIPPING; i++)
            (void)send(dripping[i], "a", 1, MSG_NOSIGNAL);
        poll(NULL, 0, PACE_MS);
    }
    return nothing;
}

static void start_dripping(void)
{
    static const char *const starts[] = {
        "", "G", "GET " ENTRY " HTTP/1.1\r\nX-A: ", CREATE_LINE "Content-Length: 10000\r\n\r\n{"};

    for (unsigned i = 0; i < DRIPPING; i++) {
        dripping[i] = raw_connect(daemon_.port);
        raw_send_text(dripping[i], starts[i % ARRAY_SIZE(starts)]);
    }
    ck_assert_int_eq(pthread_create(&drip_thread, NULL, drip, NULL), 0);
}

static void end_dripping(void)
{
    ck_assert_int_eq(pthread_join(drip_thread, NULL), 0);
    for (unsigned i = 0; i < DRIPPING; i++)
        close(dripping[i]);
}

/* Requests one behind the other until nothing is taken any more: the answers fill what the kernel
 * keeps for the connection, and the daemon waits until it can send the next. */
static void start_not_reading(void)
{
    static const char request[] = "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n";

    for (unsigned i = 0; i < NOT_READING; i++) {
        not_reading[i] = raw_connect(daemon_.port);
        struct pollfd room = {.fd = not_reading[i], .events = POLLOUT};
        while (poll(&room, 1, STUCK_MS) == 1)
            (void)send(not_reading[i], request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void end_not_reading(void)
{
    for (unsigned i = 0; i < NOT_READING; i++)
        close(not_reading[i]);
}

static void start_pending(void)
{
    char *content = exchange_begin(meter);
    struct raw_answer answer;
    int fd = raw_connect(daemon_.port);

    for (unsigned i = 0; i < PENDING; i++) {
        dprintf(fd,
            "POST " ENTRY " HTTP/1.1\r\n" HOST CREATE "X-M2M-Origin: Cmeter-%u\r\nX-M2M-RI: %u\r\n"
            "X-M2M-RVI: 3\r\nContent-Length: %zu\r\n\r\n%s",
            1 + i % METERS, i, strlen(content), content);
        raw_receive(fd, &answer);
        raw_expect_status(&answer, 201, "2001");
    }
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), PENDING);
    close(fd);
    free(content);
}

/* Requests over connections that are new, as fast as they are answered; those that come too late
 * for the daemon find nobody. */
static void *ask_on(void *nothing)
{
    static const char request[] = "GET " ENTRY " HTTP/1.1\r\n" HOST CLOSE PRIMITIVE "\r\n";
    char answer[1024];

    while (!atomic_load(&is_over)) {
        int fd = raw_try_connect(daemon_.port);
        raw_send(fd, request, sizeof(request) - 1);
        if (recv(fd, answer, sizeof(answer), 0) > 0)
            atomic_fetch_add(&answered, 1);
        close(fd);
    }
    return nothing;
}

static void start_honest(void)
{
    for (unsigned i = 0; i < HONEST; i++)
        ck_assert_int_eq(pthread_create(&honest_threads[i], NULL, ask_on, NULL), 0);
    for (int64_t end_ms = clock_steady_ms() + DAEMON_TIMEOUT_MS;
         atomic_load(&answered) < HONEST * HONEST_BEGUN; poll(NULL, 0, 1))
        ck_assert_int_lt(clock_steady_ms(), end_ms);
}

static void end_honest(void)
{
    for (unsigned i = 0; i < HONEST; i++)
        ck_assert_int_eq(pthread_join(honest_threads[i], NULL), 0);
}

/* --- the stop --- */

/* MOST_MS: what is waited for, beside the second. */
static void stop_in_time(int64_t most_ms)
{
    int64_t began_ms = clock_steady_ms();

    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    if (most_ms == 0) {
        daemon_await_notice(&daemon_, "STOPPING=1");
        ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    }
    ck_assert_int_eq(daemon_await_exit(&daemon_), 0);
    int64_t took_ms = clock_steady_ms() - began_ms;
    printf("# stopped in %lld ms\n", (long long)took_ms);
    ck_assert_int_le(took_ms, most_ms + LATE_MS);
    atomic_store(&is_over, true);
}

START_TEST(beside_clients_that_drip)
{
    start_dripping();
    stop_in_time(STOP_MS);
    end_dripping();
}
END_TEST

START_TEST(beside_clients_that_do_not_read)
{
    start_not_reading();
    stop_in_time(STOP_MS);
    end_not_reading();
}
END_TEST

START_TEST(beside_exchanges_that_nobody_goes_on_with)
{
    start_pending();
    stop_in_time(STOP_MS);
}
END_TEST

START_TEST(beside_honest_load)
{
    start_honest();
    stop_in_time(STOP_MS);
    end_honest();
}
END_TEST

static void start_all(void)
{
    start_pending();
    start_dripping();
    start_not_reading();
    start_honest();
}

static void end_all(void)
{
    end_honest();
    end_not_reading();
    end_dripping();
}

START_TEST(beside_all_of_them)
{
    start_all();
    stop_in_time(STOP_MS);
    end_all();
}
END_TEST

START_TEST(a_second_signal_waits_for_none_of_them)
{
    start_all();
    stop_in_time(0);
    end_all();
}
END_TEST

CHECK_MAIN_FIXTURE("integration/stop_under_load", set_up, tear_down, beside_clients_that_drip,
    beside_clients_that_do_not_read, beside_exchanges_that_nobody_goes_on_with, beside_honest_load,
    beside_all_of_them, a_second_signal_waits_for_none_of_them)
