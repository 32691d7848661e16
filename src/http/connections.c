/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/connections.h"

#include <linux/tcp.h> /* as of libc, struct tcp_info does not count octets */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define LOOKED_AT 64 /* how many of the oldest are compared, when one has to go */

enum result connections_init(struct connections *connections, unsigned most)
{
    *connections = (struct connections){.lock = PTHREAD_MUTEX_INITIALIZER, .most = most};
    return hash_key_new(&connections->key);
}

void connections_destroy(struct connections *connections)
{
    pthread_mutex_destroy(&connections->lock);
}

/* --- the lists: of each phase, by the time when it began --- */

static void take_out(struct connections *connections, struct http_connection *connection)
{
    enum connection_phase phase = connection->phase;

    if (connection->older)
        connection->older->newer = connection->newer;
    else
        connections->list[phase].oldest = connection->newer;
    if (connection->newer)
        connection->newer->older = connection->older;
    else
        connections->list[phase].newest = connection->older;
}

static void put_in(struct connections *connections, struct http_connection *connection,
    enum connection_phase phase)
{
    struct http_connection *newest = connections->list[phase].newest;

    connection->phase = phase;
    connection->since_ms = clock_steady_ms();
    connection->older = newest;
    connection->newer = NULL;
    if (newest)
        newest->newer = connection;
    else
        connections->list[phase].oldest = connection;
    connections->list[phase].newest = connection;
}

static void move(struct connections *connections, struct http_connection *connection,
    enum connection_phase phase)
{
    take_out(connections, connection);
    put_in(connections, connection, phase);
}

static void shut_down(struct connections *connections, struct http_connection *connection)
{
    (void)shutdown(connection->fd, SHUT_RDWR);
    move(connections, connection, CONNECTION_DOOMED);
}

/* --- under pressure --- */

static unsigned *group_of(struct connections *connections, const struct http_connection *connection)
{
    return &connections->of_group[connection->peer_hash % CONNECTION_GROUPS];
}

/* Of the oldest of PHASE, the one whose peer has most connections; NULL: none is in that phase. */
static struct http_connection *find_greedy(
    struct connections *connections, enum connection_phase phase, struct http_connection *best)
{
    struct http_connection *each = connections->list[phase].oldest;

    for (unsigned i = 0; each && i < LOOKED_AT; i++, each = each->newer)
        if (!best || *group_of(connections, each) > *group_of(connections, best))
            best = each;
    return best;
}

static void make_room(struct connections *connections)
{
    struct http_connection *victim = connections->list[CONNECTION_IDLE].oldest;

    if (connections->count <= connections->most / 4 * 3)
        return;
    if (!victim)
        victim = find_greedy(connections, CONNECTION_HEADERS, NULL);
    if (connections->list[CONNECTION_IDLE].oldest == NULL)
        victim = find_greedy(connections, CONNECTION_BODY, victim);
    if (victim)
        shut_down(connections, victim);
}

/* --- what the connections do --- */

struct http_connection *connections_add(
    struct connections *connections, int fd, const struct sockaddr *from)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->fd = fd;
    if (from && peer_address_read(from, &connection->address))
        peer_of_address(&connection->address, &connection->peer);
    connection->peer_hash =
        hash_keyed(&connections->key, bytes_of(connection->peer.octets, connection->peer.size));

    pthread_mutex_lock(&connections->lock);
    connections->count++;
    ++*group_of(connections, connection);
    make_room(connections);
    put_in(connections, connection, CONNECTION_HEADERS);
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

struct http_connection *connections_start(
    struct connections *connections, struct MHD_Connection *connection)
{
    /* The second call may overwrite what the first one gave (libmicrohttpd 1.0). */
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info)
        return NULL;
    int fd = info->connect_fd;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return connections_add(connections, fd, info ? info->client_addr : NULL);
}

struct http_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *context =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return context ? context->socket_context : NULL;
}

void connections_remove(struct connections *connections, struct http_connection *connection)
{
    if (!connection)
        return;
    pthread_mutex_lock(&connections->lock);
    take_out(connections, connection);
    connections->count--;
    --*group_of(connections, connection);
    pthread_mutex_unlock(&connections->lock);
    free(connection);
}

/* How many octets have come; 0 where that is not counted, on Unix sockets. */
static uint64_t count_received(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

void connections_enter(struct connections *connections, struct http_connection *connection,
    enum connection_phase phase)
{
    if (!connection)
        return;
    if (phase == CONNECTION_IDLE)
        connection->received = count_received(connection->fd);
    pthread_mutex_lock(&connections->lock);
    if (connection->phase != CONNECTION_DOOMED)
        move(connections, connection, phase);
    pthread_mutex_unlock(&connections->lock);
}

void connections_begin(struct connections *connections, struct http_connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    if (connection->phase == CONNECTION_IDLE)
        move(connections, connection, CONNECTION_HEADERS);
    pthread_mutex_unlock(&connections->lock);
}

/* --- time --- */

/* What libmicrohttpd has read is hidden until it is a whole request line. So a connection counts as
 * idle until a look at it finds that something came. */
static void find_begun(struct connections *connections)
{
    struct http_connection *next;

    for (struct http_connection *each = connections->list[CONNECTION_IDLE].oldest; each;
         each = next) {
        next = each->newer;
        if (count_received(each->fd) != each->received)
            move(connections, each, CONNECTION_HEADERS);
    }
}

static void end_overdue(
    struct connections *connections, enum connection_phase phase, int64_t most_s)
{
    int64_t begun_ms = clock_steady_ms() - most_s * 1000;
    struct http_connection *oldest;

    while ((oldest = connections->list[phase].oldest) && oldest->since_ms <= begun_ms)
        shut_down(connections, oldest);
}

void connections_sweep(struct connections *connections, const struct policy_http *http)
{
    pthread_mutex_lock(&connections->lock);
    find_begun(connections);
    end_overdue(connections, CONNECTION_IDLE, (int64_t)CONNECTION_IDLE_S + http->header_timeout_s);
    end_overdue(connections, CONNECTION_HEADERS, http->header_timeout_s);
    end_overdue(connections, CONNECTION_BODY, http->body_timeout_s);
    end_overdue(connections, CONNECTION_RESPONSE, http->body_timeout_s);
    pthread_mutex_unlock(&connections->lock);
}
