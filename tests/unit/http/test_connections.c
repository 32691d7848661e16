/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections are shut down: those that had their time, and when there are many, whose turn
 * it is. */
#include "http/connections.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"

#define MOST 8 /* more than six are too many */

static const struct policy_http http = {.header_timeout_s = 10, .body_timeout_s = 20};
static struct connections connections;

struct client {
    struct http_connection *connection;
    int ends[2];
};

static void set_up(void)
{
    ck_assert_int_eq(connections_init(&connections, MOST), RESULT_OK);
}

static void tear_down(void)
{
    connections_destroy(&connections);
}

static struct client begin(const char *from, enum connection_phase phase)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct client client;

    ck_assert_int_eq(inet_pton(AF_INET, from, &address.sin_addr), 1);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, client.ends), 0);
    client.connection =
        connections_add(&connections, client.ends[0], (const struct sockaddr *)&address);
    ck_assert_ptr_nonnull(client.connection);
    if (phase != CONNECTION_HEADERS)
        connections_enter(&connections, client.connection, phase);
    return client;
}

static bool is_shut_down(const struct client *client)
{
    struct pollfd end = {.fd = client->ends[1], .events = POLLRDHUP};

    return poll(&end, 1, 0) == 1;
}

static void end(struct client *client)
{
    connections_remove(&connections, client->connection);
    close(client->ends[0]);
    close(client->ends[1]);
}

START_TEST(each_phase_has_its_time)
{
    static const struct {
        enum connection_phase phase;
        int64_t most_ms; /* 0: without end */
    } cases[] = {
        {CONNECTION_IDLE, 40000},
        {CONNECTION_HEADERS, 10000},
        {CONNECTION_BODY, 20000},
        {CONNECTION_ANSWER, 0},
        {CONNECTION_RESPONSE, 20000},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct client client = begin("192.0.2.1", cases[i].phase);
        client.connection->since_ms -= cases[i].most_ms - 1000;
        connections_sweep(&connections, &http);
        ck_assert(!is_shut_down(&client));
        client.connection->since_ms -= cases[i].most_ms > 0 ? 1000 : 1000000;
        connections_sweep(&connections, &http);
        ck_assert_msg(is_shut_down(&client) == (cases[i].most_ms > 0), "phase %d", cases[i].phase);
        end(&client);
    }
}
END_TEST

START_TEST(a_phase_begins_anew_for_the_living_only)
{
    struct client client = begin("192.0.2.1", CONNECTION_HEADERS);

    client.connection->since_ms -= 9000;
    connections_begin(&connections, client.connection); /* the line comes late: no new time */
    client.connection->since_ms -= 1000;
    connections_sweep(&connections, &http);
    ck_assert(is_shut_down(&client));
    connections_enter(&connections, client.connection, CONNECTION_IDLE);
    ck_assert_int_eq(client.connection->phase, CONNECTION_DOOMED);
    end(&client);
    connections_enter(&connections, NULL, CONNECTION_IDLE);
    connections_remove(&connections, NULL);
}
END_TEST

/* The idle, then the incomplete of the peer with most connections, the oldest first; never those
 * that are being answered. */
START_TEST(under_pressure_the_right_one_goes)
{
    struct client clients[] = {
        begin("192.0.2.1", CONNECTION_ANSWER),
        begin("192.0.2.1", CONNECTION_HEADERS),
        begin("192.0.2.2", CONNECTION_HEADERS),
        begin("192.0.2.2", CONNECTION_BODY),
        begin("192.0.2.2", CONNECTION_HEADERS),
        begin("192.0.2.3", CONNECTION_IDLE),
    };
    static const size_t turns[] = {5, 2, 4, 3}; /* each time one comes, one of these goes */
    struct client more[ARRAY_SIZE(turns)];

    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(clients); j++) {
            bool is_gone = false;
            for (size_t k = 0; k < i; k++)
                is_gone |= turns[k] == j;
            ck_assert_msg(is_shut_down(&clients[j]) == is_gone, "%zu before turn %zu", j, i);
        }
        more[i] = begin("192.0.2.4", CONNECTION_ANSWER);
    }
    ck_assert(is_shut_down(&clients[3]) && !is_shut_down(&clients[1]));
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
        end(&clients[i]);
    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        end(&more[i]);
    ck_assert_uint_eq(connections.count, 0);
    for (size_t i = 0; i < CONNECTION_GROUPS; i++)
        ck_assert_uint_eq(connections.of_group[i], 0);
}
END_TEST

CHECK_MAIN_FIXTURE("http/connections", set_up, tear_down, each_phase_has_its_time,
    a_phase_begins_anew_for_the_living_only, under_pressure_the_right_one_goes)
