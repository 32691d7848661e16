/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups over a Unix stream socket: one client process, many connections, one request each. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

#define REPLY_OCTETS 4096

struct asker {
    int fd;
    double sent_us;
    size_t size;
    char reply[REPLY_OCTETS];
};

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void ask(struct asker *connection, const void *request, size_t size)
{
    connection->size = 0;
    connection->sent_us = now_us();
    ck_assert_int_eq(send(connection->fd, request, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Takes what has come; whether the reply is whole. */
static bool take(struct asker *connection, const char *terminator, size_t terminator_size)
{
    ssize_t got = recv(connection->fd, connection->reply + connection->size,
        sizeof(connection->reply) - connection->size, 0);

    ck_assert_int_gt(got, 0);
    connection->size += (size_t)got;
    return connection->size >= terminator_size &&
           memcmp(connection->reply + connection->size - terminator_size, terminator,
               terminator_size) == 0;
}

struct bench_cost bench_lookup(pid_t server, const char *socket_path, const void *request,
    size_t request_size, const char *terminator, size_t terminator_size, unsigned connections,
    unsigned count)
{
    struct asker *all = calloc(connections, sizeof(*all));
    double *times = calloc(count, sizeof(*times));
    int poller = epoll_create1(EPOLL_CLOEXEC);
    unsigned asked = 0;
    unsigned done = 0;

    ck_assert(all && times && poller >= 0);
    for (unsigned i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

        all[i].fd = connect_to(socket_path);
        ck_assert_int_eq(epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event), 0);
    }
    double before = bench_cpu_us(server);
    for (; asked < connections; asked++)
        ask(&all[asked], request, request_size);
    while (done < count) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, 10000);

        ck_assert_int_gt(ready, 0);
        for (int i = 0; i < ready && done < count; i++) {
            struct asker *connection = events[i].data.ptr;

            if (!take(connection, terminator, terminator_size))
                continue;
            times[done++] = now_us() - connection->sent_us;
            if (asked < count) {
                ask(connection, request, request_size);
                asked++;
            }
        }
    }
    double used = bench_cpu_us(server) - before;

    qsort(times, count, sizeof(*times), bench_compare);
    struct bench_cost cost = {
        .cpu_us = used / count, .p50_us = times[count / 2], .p99_us = times[count * 99 / 100]};
    for (unsigned i = 0; i < connections; i++)
        close(all[i].fd);
    close(poller);
    free(times);
    free(all);
    return cost;
}
