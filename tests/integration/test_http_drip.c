/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that send an octet now and then: each part of a request has its time as a whole, and
 * however many they are, others get through. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/exchange.h"
#include "support/raw.h"
#include "tls/context.h"

#define SHORT        "\"headerTimeout\":1,\"bodyTimeout\":1"
#define SOON_MS      6000 /* a time-out of one second, looked for once a second, and a slow machine */
#define PACE_MS      50
#define DRIPPING     4600 /* more connections than the daemon takes */
#define FILES        12000
#define PASS_MS      2000 /* for an octet on each of them */
#define AT_ONCE      23   /* every 10 ms */
#define ROUNDS       7
#define EXCHANGES    400 /* of a round */
#define MOST_PERCENT 200 /* of their time alone may exchanges take beside them */

static struct daemon daemon_;
static struct initiator_credential *meter;

static void set_up(const char *policy)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

/* Sends OCTET until the other side hangs up, which has to be soon. */
static void drip(int fd, char octet)
{
    int64_t end_ms = clock_steady_ms() + SOON_MS;
    struct pollfd hung_up = {.fd = fd, .events = POLLIN};

    while (poll(&hung_up, 1, PACE_MS) == 0) {
        ck_assert_int_lt(clock_steady_ms(), end_ms);
        if (send(fd, &octet, 1, MSG_NOSIGNAL) < 0)
            break;
    }
    raw_expect_end(fd);
    close(fd);
}

START_TEST(headers_have_their_time)
{
    set_up("{\"http\":{" SHORT "}}");
    int fd = raw_connect(daemon_.port);
    drip(fd, 'G');
    fd = raw_connect(daemon_.port);
    raw_send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST "X-A: ");
    drip(fd, 'a');
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

START_TEST(later_headers_have_their_time)
{
    struct raw_answer answer;

    set_up("{\"http\":{" SHORT "}}");
    int fd = raw_connect(daemon_.port);
    raw_send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 200, "2000");
    drip(fd, 'G');
    tear_down();
}
END_TEST

START_TEST(bodies_have_their_time)
{
    set_up("{\"http\":{" SHORT "}}");
    int fd = raw_connect(daemon_.port);
    raw_send_text(fd, CREATE_LINE "Content-Length: 10000\r\n\r\n{");
    drip(fd, ' ');
    fd = raw_connect(daemon_.port);
    raw_send_text(fd, CREATE_LINE "Transfer-Encoding: chunked\r\n\r\n1000\r\n");
    drip(fd, ' ');
    tear_down();
}
END_TEST

START_TEST(handshakes_of_tls_have_their_time)
{
    set_up("{\"http\":{\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"}," SHORT
           "}}");
    int fd = raw_connect(daemon_.port);
    raw_send(fd, "\x16\x03\x01\x20\x00\x01\x00\x1f\xfc\x03\x03", 11);
    drip(fd, 'a');
    tear_down();
}
END_TEST

/* --- very many --- */

static atomic_bool is_over;
static atomic_uint hung_up;
static int dripping[DRIPPING];

static void open_dripping(int *fd, unsigned number)
{
    static const char *const starts[] = {
        "G", "GET " ENTRY " HTTP/1.1\r\nX-A: ", CREATE_LINE "Content-Length: 10000\r\n\r\n{"};

    *fd = raw_connect(daemon_.port);
    raw_send_text(*fd, starts[number % ARRAY_SIZE(starts)]);
}

/* An octet on each, over and over, and a new one for each that was hung up on; evenly, for there is
 * only so much that this host can do beside what is measured. */
static void *drip_all(void *nothing)
{
    for (unsigned i = 0; !atomic_load(&is_over); i = (i + 1) % DRIPPING) {
        struct pollfd gone = {.fd = dripping[i], .events = POLLRDHUP};
        if (i % AT_ONCE == 0)
            poll(NULL, 0, PASS_MS * AT_ONCE / DRIPPING);
        if (poll(&gone, 1, 0) == 0 && send(dripping[i], "a", 1, MSG_NOSIGNAL) == 1)
            continue;
        atomic_fetch_add(&hung_up, 1);
        close(dripping[i]);
        open_dripping(&dripping[i], i);
    }
    return nothing;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* What 99 of 100 exchanges do not exceed, each over a connection of its own. */
static int64_t measure_p99_us(void)
{
    int64_t took_us[EXCHANGES];
    struct exported_key exported;
    struct http_answer answer;

    for (unsigned i = 0; i < EXCHANGES; i++) {
        CURL *client = http_open();
        int64_t began_us = clock_steady_us();
        ck_assert_msg(exchange_run(client, &daemon_, meter, "Cmeter", &exported, &answer),
            "refused: %ld %s", answer.status, answer.body);
        took_us[i] = clock_steady_us() - began_us;
        http_close(client);
    }
    qsort(took_us, EXCHANGES, sizeof(took_us[0]), compare_times);
    return took_us[EXCHANGES * 99 / 100 - 1];
}

static int64_t measure_beside_us(void)
{
    pthread_t thread;

    for (unsigned i = 0; i < DRIPPING; i++)
        open_dripping(&dripping[i], i);
    atomic_store(&is_over, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, drip_all, NULL), 0);
    int64_t p99_us = measure_p99_us();
    exchange_prove(&daemon_, meter, "Cmeter");
    atomic_store(&is_over, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < DRIPPING; i++)
        close(dripping[i]);
    daemon_await_descriptors(&daemon_, 0, DRIPPING / 4); /* most of them are out of the way */
    return p99_us;
}

/* Each round is measured alone and beside them, and what counts is the median of the ratios: what
 * else the host does at a time makes both slower, or one round useless. */
START_TEST(very_many_stop_no_one)
{
    const struct rlimit files = {.rlim_cur = FILES, .rlim_max = FILES};
    int64_t percent[ROUNDS];

    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return; /* this user may not have so many */
    set_up("{\"http\":{\"headerTimeout\":600,\"bodyTimeout\":600}}");
    (void)measure_p99_us(); /* the first ones are slower */
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t alone_us = measure_p99_us(), beside_us = measure_beside_us();
        percent[i] = 100 * beside_us / alone_us;
        printf("# p99 of an exchange: %lld us alone, %lld us beside %d dripping connections\n",
            (long long)alone_us, (long long)beside_us, DRIPPING);
        fflush(stdout);
    }
    ck_assert_uint_gt(atomic_load(&hung_up), DRIPPING - 4096);
    qsort(percent, ROUNDS, sizeof(percent[0]), compare_times);
    printf("# in the median %lld %%\n", (long long)percent[ROUNDS / 2]);
    ck_assert_int_le(percent[ROUNDS / 2], MOST_PERCENT);
    tear_down();
}
END_TEST

/* --- by a Unix socket --- */

START_TEST(a_unix_socket_is_served)
{
    char policy[DAEMON_PATH_OCTETS + 64], path[DAEMON_PATH_OCTETS];
    struct stat status;
    struct raw_answer answer;

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){0});
    snprintf(path, sizeof(path), "%s", daemon_file(&daemon_, "http.sock"));
    snprintf(policy, sizeof(policy),
        "{\"http\":{\"listen\":[\"127.0.0.1:0\",\"unix:%s\"],\"socketMode\":\"0600\"}}", path);
    daemon_change_policy(&daemon_, policy);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    raw_send_text(fd, "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n");
    raw_receive(fd, &answer);
    raw_expect_status(&answer, 200, "2000");
    close(fd);

    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 0);
    ck_assert_int_eq(stat(path, &status), -1);
    daemon_remove(&daemon_);
}
END_TEST

CHECK_MAIN("integration/http_drip", headers_have_their_time, later_headers_have_their_time,
    bodies_have_their_time, handshakes_of_tls_have_their_time, very_many_stop_no_one,
    a_unix_socket_is_served)
