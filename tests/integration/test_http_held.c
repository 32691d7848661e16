/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that hold what there is little of: room for answers, descriptors, and the connections of
 * the metrics' address. */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/fixture.h"
#include "support/raw.h"

/* --- answers --- */

#define NOT_READING 4
#define STUCK_MS    500

/* Requests one behind the other until nothing is taken any more: the answers fill what the kernel
 * keeps for the connection. */
static int connect_and_not_read(void)
{
    static const char request[] = "GET " ENTRY " HTTP/1.1\r\n" HOST PRIMITIVE "\r\n";
    int fd = raw_connect(daemon_.port);
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    while (poll(&room, 1, STUCK_MS) == 1)
        if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
            (room.revents & (POLLHUP | POLLERR)))
            break;
    return fd;
}

/* Who does not read does not see that it was hung up on: the daemon's descriptor goes. */
START_TEST(who_does_not_read_is_hung_up_on)
{
    int fds[NOT_READING];

    fixture_start("{\"http\":{\"bodyTimeout\":2}}");
    unsigned before = daemon_count_descriptors(&daemon_);
    for (unsigned i = 0; i < NOT_READING; i++)
        fds[i] = connect_and_not_read();
    exchange_prove(&daemon_, meter, "Cmeter");
    daemon_await_descriptors(&daemon_, 0, before);
    for (unsigned i = 0; i < NOT_READING; i++)
        close(fds[i]);
    fixture_stop();
}
END_TEST

/* --- descriptors --- */

#define FILES     64
#define HOLDING   100 /* connections to each address */
#define WATCH_MS  1000
#define BUSY_MOST 4 /* of the time watched, a quarter of one core */

static int holding[3 * HOLDING];

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address)); /* its backlog may be full */
    return fd;
}

static int64_t processor_ms(void)
{
    char path[64];
    unsigned long long user, kernel;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon_.pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                         &user, &kernel),
        2);
    fclose(file);
    return (int64_t)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Key socket and HTTP first, so that the thread of the metrics has no connection at all. */
START_TEST(descriptors_run_out)
{
    struct rlimit before;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit few = {.rlim_cur = FILES, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    fixture_start("{\"metrics\":{\"listen\":\"127.0.0.1:0\"},"
                  "\"http\":{\"headerTimeout\":600,\"threads\":2}}");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (unsigned i = 0; i < HOLDING; i++)
        holding[i] = connect_unix(daemon_.socket);
    for (unsigned i = HOLDING; i < 2 * HOLDING; i++)
        holding[i] = raw_connect(daemon_.port);
    for (unsigned i = 2 * HOLDING; i < 3 * HOLDING; i++)
        holding[i] = raw_connect(daemon_.metrics_port);
    daemon_await_descriptors(&daemon_, FILES, UINT_MAX); /* with what it got from us */

    int64_t busy_ms = processor_ms();
    poll(NULL, 0, WATCH_MS); /* it is watched for so long: there is no event to wait for */
    busy_ms = processor_ms() - busy_ms;
    ck_assert_msg(busy_ms < WATCH_MS / BUSY_MOST, "busy for %lld ms", (long long)busy_ms);

    for (unsigned i = 0; i < ARRAY_SIZE(holding); i++)
        close(holding[i]);
    exchange_prove(&daemon_, meter, "Cmeter");
    fixture_stop();
}
END_TEST

/* --- the address of metrics --- */

#define DRIPPING 200 /* more than it takes */
#define PACE_MS  5
#define SCRAPES  20

static atomic_bool is_over;
static atomic_uint hung_up;
static int dripping[DRIPPING];

static void open_dripping(unsigned number)
{
    dripping[number] = raw_connect(daemon_.metrics_port);
    raw_send_text(dripping[number], number % 2 == 0 ? "G" : "GET /metrics HTTP/1.1\r\nX-A: ");
}

static void *drip(void *nothing)
{
    for (unsigned i = 0; !atomic_load(&is_over); i = (i + 1) % DRIPPING) {
        struct pollfd gone = {.fd = dripping[i], .events = POLLRDHUP};
        if (i == 0)
            poll(NULL, 0, PACE_MS);
        if (poll(&gone, 1, 0) == 0 && send(dripping[i], "a", 1, MSG_NOSIGNAL) == 1)
            continue;
        atomic_fetch_add(&hung_up, 1);
        close(dripping[i]);
        open_dripping(i);
    }
    return nothing;
}

START_TEST(metrics_are_read_beside_many_that_drip)
{
    pthread_t thread;
    static struct raw_answer answer;

    fixture_start("{\"metrics\":{\"listen\":\"127.0.0.1:0\"},\"http\":{\"headerTimeout\":600}}");
    for (unsigned i = 0; i < DRIPPING; i++)
        open_dripping(i);
    ck_assert_int_eq(pthread_create(&thread, NULL, drip, NULL), 0);
    for (unsigned i = 0; i < SCRAPES; i++) {
        int fd = raw_connect(daemon_.metrics_port);
        raw_send_text(fd, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
        raw_receive(fd, &answer);
        ck_assert_int_eq(raw_status(&answer), 200);
        ck_assert_ptr_nonnull(strstr(answer.text, "# EOF\n"));
        close(fd);
    }
    exchange_prove(&daemon_, meter, "Cmeter");
    atomic_store(&is_over, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_gt(atomic_load(&hung_up), 0);
    for (unsigned i = 0; i < DRIPPING; i++)
        close(dripping[i]);
    fixture_stop();
}
END_TEST

CHECK_MAIN("integration/http_held", who_does_not_read_is_hung_up_on, descriptors_run_out,
    metrics_are_read_beside_many_that_drip)
