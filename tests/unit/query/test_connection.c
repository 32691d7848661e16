/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection on a real socket: what time it gives its client. */
#include "query/connection.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "unit/query/fixture.h"

#define INFO "{\"method\":\"org.varlink.service.GetInfo\"}"
#define DESCRIPTION                                                                                \
    "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"                  \
    "{\"interface\":\"org.e2ekeyd.Keys\"}}"

static struct service service;
static struct sessions sessions;
static struct connection *connection;
static int poller, client;
static atomic_uint subscribers;

static void on_ended(struct connection *ended, void *context)
{
    (void)context;
    connection_free(ended);
    connection = NULL;
}

static void set_up(void)
{
    int pair[2];
    struct caller caller;
    service_start(&service, "[{\"allow\":[\"subscribe\"]}]");
    sessions = (struct sessions){
        .slot = service.slot, .cache = service.cache, .subscribers = &subscribers};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    client = pair[0];
    ck_assert_int_eq(caller_of(pair[1], &caller), RESULT_OK);
    poller = epoll_create1(0);
    ck_assert_int_eq(
        connection_new(poller, pair[1], &caller, &sessions, on_ended, NULL, &connection),
        RESULT_OK);
}

static void tear_down(void)
{
    if (connection)
        connection_free(connection);
    close(poller);
    close(client);
    service_stop(&service);
}

/* The client sends SIZE octets, and the connection does all that it can. */
static void send_and_serve(const char *octets, size_t size)
{
    struct epoll_event event;
    ck_assert_int_eq(send(client, octets, size, MSG_NOSIGNAL), (ssize_t)size);
    while (connection && epoll_wait(poller, &event, 1, 0) == 1)
        connection_ready(connection, event.events);
}

static void read_all(void)
{
    static char octets[65536];
    struct epoll_event event;
    do {
        while (recv(client, octets, sizeof(octets), 0) > 0)
            ;
        if (epoll_wait(poller, &event, 1, 0) == 1)
            connection_ready(connection, event.events);
    } while (connection->frame.out.size > 0);
}

static void await_next_ms(void)
{
    for (int64_t now_ms = clock_steady_ms(); clock_steady_ms() == now_ms;)
        ;
}

static bool is_late_in(int64_t ms)
{
    ck_assert_ptr_nonnull(connection);
    return connection_is_late(connection, clock_steady_ms() + ms);
}

START_TEST(an_idle_connection_is_never_late)
{
    ck_assert(!is_late_in(1000 * CONNECTION_READ_MS));
    send_and_serve(INFO, sizeof(INFO));
    ck_assert(!is_late_in(1000 * CONNECTION_READ_MS)); /* the kernel has room for this reply */
}
END_TEST

START_TEST(a_call_has_its_time_as_a_whole)
{
    send_and_serve("{", 1);
    int64_t due_ms = connection->call_due_ms;
    ck_assert_int_gt(due_ms, clock_steady_ms());
    ck_assert_int_le(due_ms, clock_steady_ms() + CONNECTION_CALL_MS);
    for (size_t i = 1; i < sizeof(INFO) - 1; i++) {
        await_next_ms();
        send_and_serve(&INFO[i], 1);
        ck_assert_int_eq(connection->call_due_ms, due_ms); /* no octet gains time */
    }
    ck_assert(!connection_is_late(connection, due_ms - 1));
    ck_assert(connection_is_late(connection, due_ms));
    send_and_serve("", 1);
    ck_assert(!is_late_in(CONNECTION_CALL_MS));
    send_and_serve(INFO "\0{", sizeof(INFO) + 1); /* the next one has time of its own */
    ck_assert(!is_late_in(0));
    ck_assert(is_late_in(CONNECTION_CALL_MS));
}
END_TEST

START_TEST(replies_have_to_be_read)
{
    while (connection->read_due_ms == 0)
        send_and_serve(DESCRIPTION, sizeof(DESCRIPTION));
    int64_t due_ms = connection->read_due_ms;
    char octet;
    await_next_ms();
    ck_assert_int_eq(recv(client, &octet, 1, 0), 1);
    send_and_serve("{", 1);
    ck_assert_int_eq(connection->read_due_ms, due_ms); /* nor does it gain time here */
    ck_assert(connection_is_late(connection, due_ms));
    read_all();
    ck_assert_int_eq(connection->read_due_ms, 0);
    ck_assert(is_late_in(CONNECTION_CALL_MS)); /* for the octet above */
}
END_TEST

CHECK_MAIN_FIXTURE("query/connection", set_up, tear_down, an_idle_connection_is_never_late,
    a_call_has_its_time_as_a_whole, replies_have_to_be_read)
