/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/server.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/socket.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "query/connection.h"
#include "query/event_queue.h"

#define SOCKET_MODE         0660
#define DESCRIPTORS_PER_USE 8       /* a connection takes two, and all together a quarter of ours */
#define CONNECTIONS_LEAST   16      /* however few descriptors there are */
#define CONNECTIONS_A_TURN  64      /* served before other events of the loop */
#define ACCEPT_AGAIN_US     1000000 /* after a lack of resources */
#define NEVER_US            UINT64_MAX
#define LATE_EVERY_US       1000000 /* looks for late clients, while there are any */

/* Everything but QUEUE and SUBSCRIBERS is used by the main loop alone. */
struct query_server {
    sd_event *loop;
    struct sessions sessions;
    int fd;
    int waiting; /* a connection that is accepted but not served yet; -1: none */
    struct socket_file file;
    sd_event_source *listening, *accept_again, *queued, *ready, *late;
    int poller; /* an epoll instance for all connections: see on_connections */
    struct connection *connections;
    size_t connection_count, connections_max;
    struct event_queue *queue;
    atomic_uint subscribers;
};

/* --- connections --- */

static void remove_connection(struct connection *connection, void *context)
{
    struct query_server *server = context;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->connection_count--;
    connection_free(connection);
}

static void look_for_late(struct query_server *server)
{
    sd_event_source_set_time_relative(server->late, LATE_EVERY_US);
}

static int on_late(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)now_us;
    struct query_server *server = context;
    int64_t now_ms = clock_steady_ms();
    struct connection *next;
    for (struct connection *c = server->connections; c; c = next) {
        next = c->next;
        if (!connection_is_late(c, now_ms))
            continue;
        metrics_add(METRIC_QUERY_CLIENTS_DROPPED, 1);
        remove_connection(c, server);
    }
    if (server->connections)
        look_for_late(server);
    else
        sd_event_source_set_time(source, NEVER_US);
    return 0;
}

static void add_connection(struct query_server *server, struct connection *connection)
{
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    if (server->connection_count++ == 0)
        look_for_late(server);
}

static size_t count_connections_allowed(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur / DESCRIPTORS_PER_USE >= QUERY_CONNECTIONS_MAX)
        return QUERY_CONNECTIONS_MAX;
    size_t share = (size_t)limit.rlim_cur / DESCRIPTORS_PER_USE;
    return share > CONNECTIONS_LEAST ? share : CONNECTIONS_LEAST;
}

/* Users apart, and of each user's connections the first to go in front: one without an answer under
 * way before one with it, then the one whose last complete call is the longest ago. */
static int compare_use(const void *left, const void *right)
{
    const struct connection *a = *(struct connection *const *)left;
    const struct connection *b = *(struct connection *const *)right;
    uid_t a_uid = a->session.caller.uid, b_uid = b->session.caller.uid;
    if (a_uid != b_uid)
        return a_uid < b_uid ? -1 : 1;
    bool a_busy = connection_is_busy(a), b_busy = connection_is_busy(b);
    if (a_busy != b_busy)
        return a_busy ? 1 : -1;
    return a->active_us < b->active_us ? -1 : a->active_us > b->active_us;
}

/* A newcomer always gets in: the user with the most connections gives one up for it. So whoever
 * opens many takes them from itself. */
static void make_room(struct query_server *server)
{
    struct connection *all[QUERY_CONNECTIONS_MAX] = {NULL};
    size_t count = 0, most = 0, chosen = 0;

    for (struct connection *each = server->connections; each; each = each->next)
        all[count++] = each;
    qsort(all, count, sizeof(struct connection *), compare_use);
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        uid_t uid = all[begin]->session.caller.uid;
        while (end < count && all[end]->session.caller.uid == uid)
            end++;
        if (end - begin >= most) {
            most = end - begin;
            chosen = begin;
        }
    }
    uid_t uid = all[chosen]->session.caller.uid;
    log_event(&(struct log_event){.level = LOG_WARNING,
                  .message_id = LOG_EVENT_LIMIT,
                  .caller = &(struct log_caller){.uid = uid}},
        "key socket: %zu connections are too many, closed one of the %zu of user %u", count, most,
        (unsigned)uid);
    metrics_add(METRIC_QUERY_CLIENTS_DROPPED, 1);
    remove_connection(all[chosen], server);
}

/* Begins to serve a connection. Returns false, with errno set, when there is no descriptor or
 * memory to identify the caller with: the connection then becomes server->waiting. */
static bool serve(struct query_server *server, int accepted)
{
    int fd AUTO_CLOSE = accepted;
    struct caller caller;
    if (caller_of(fd, &caller) != RESULT_OK) {
        server->waiting = TAKE_FD(fd);
        return false;
    }
    if (server->connection_count == server->connections_max)
        make_room(server);
    struct connection *connection;
    if (connection_new(server->poller, TAKE_FD(fd), &caller, &server->sessions, remove_connection,
            server, &connection) == RESULT_OK)
        add_connection(server, connection);
    return true;
}

/* Out of descriptors or memory: accepts no connections for a while. */
static void pause_accepting(struct query_server *server)
{
    log_event(&(struct log_event){.level = LOG_ERR, .message_id = LOG_EVENT_LIMIT},
        "key socket: cannot accept a connection: %s", strerror(errno));
    sd_event_source_set_enabled(server->listening, SD_EVENT_OFF);
    sd_event_source_set_time_relative(server->accept_again, ACCEPT_AGAIN_US);
}

static int on_accept_again(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)now_us;
    struct query_server *server = context;
    int fd = TAKE_FD(server->waiting);
    sd_event_source_set_time(source, NEVER_US);
    if (fd >= 0 && !serve(server, fd))
        pause_accepting(server);
    else
        sd_event_source_set_enabled(server->listening, SD_EVENT_ON);
    return 0;
}

static int on_listening(sd_event_source *source, int listening, uint32_t events, void *context)
{
    (void)source;
    (void)events;
    struct query_server *server = context;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    bool is_short =
        fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
    if (is_short || (fd >= 0 && !serve(server, fd)))
        pause_accepting(server);
    return 0;
}

/* All connections are one event source, an epoll instance, and are served in batches: sd-event
 * makes a system call for each source that it dispatches, which would cost more than the clients'
 * calls. */
static int on_connections(sd_event_source *source, int poller, uint32_t events, void *context)
{
    (void)source;
    (void)events;
    (void)context;
    struct epoll_event ready[CONNECTIONS_A_TURN];
    int count = epoll_wait(poller, ready, CONNECTIONS_A_TURN, 0);
    for (int i = 0; i < count; i++)
        connection_ready(ready[i].data.ptr, ready[i].events);
    return 0;
}

/* --- events --- */

static int on_queued(sd_event_source *source, int fd, uint32_t events, void *context)
{
    (void)source;
    (void)fd;
    (void)events;
    struct query_server *server = context;
    struct connection *next;
    event_queue_acknowledge(server->queue);
    for (struct connection *c = server->connections; c; c = next) {
        next = c->next; /* this may end C, but no other connection */
        if (connection_is_subscribed(c))
            connection_notify(c);
    }
    return 0;
}

void query_server_notify(enum key_event event, const struct key_info *info, void *context)
{
    struct query_server *server = context;
    if (atomic_load_explicit(&server->subscribers, memory_order_relaxed) > 0)
        event_queue_put(server->queue, event, info);
}

/* --- the whole --- */

/* Listens on server->fd if it was inherited, otherwise on a socket of our own. */
static enum result open_socket(struct query_server *server, struct fault *fault)
{
    if (server->fd >= 0)
        return socket_adopt(server->fd, fault);
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) =
        snapshot_current(server->sessions.slot);
    return socket_listen(
        snapshot->policy->socket_path, SOCKET_MODE, (gid_t)-1, &server->fd, &server->file, fault);
}

/* A timer that waits to be told a time. It stays enabled, since to enable one can take memory. */
static int add_timer(
    struct query_server *server, sd_event_source **out, sd_event_time_handler_t handler)
{
    int error = sd_event_add_time(server->loop, out, CLOCK_BOOTTIME, NEVER_US, 0, handler, server);

    return error >= 0 ? sd_event_source_set_enabled(*out, SD_EVENT_ON) : error;
}

static enum result join_loop(struct query_server *server, struct fault *fault)
{
    int error = sd_event_add_io(
        server->loop, &server->listening, server->fd, EPOLLIN, on_listening, server);
    if (error >= 0)
        error = sd_event_add_io(server->loop, &server->queued, event_queue_fd(server->queue),
            EPOLLIN, on_queued, server);
    if (error >= 0)
        error = sd_event_add_io(
            server->loop, &server->ready, server->poller, EPOLLIN, on_connections, server);
    if (error >= 0)
        error = add_timer(server, &server->accept_again, on_accept_again);
    if (error >= 0)
        error = add_timer(server, &server->late, on_late);
    return error >= 0 ? RESULT_OK
                      : fault_set(fault, RESULT_SYSTEM_ERROR, "key socket: event loop: %s",
                            strerror(-error));
}

DEFINE_CLEANUP(struct query_server *, query_server_free)

enum result query_server_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    int inherited, const struct query_reports *reports, struct query_server **out,
    struct fault *fault)
{
    struct query_server *server CLEANUP(auto_query_server_free) = calloc(1, sizeof(*server));

    if (!server)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    server->loop = sd_event_ref(loop);
    server->fd = inherited;
    server->waiting = -1;
    server->connections_max = count_connections_allowed();
    server->sessions = (struct sessions){
        .slot = slot, .cache = cache, .reports = reports, .subscribers = &server->subscribers};
    server->poller = epoll_create1(EPOLL_CLOEXEC);
    if (server->poller < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "key socket: epoll: %s", strerror(errno));
    TRY(open_socket(server, fault));
    caller_listen(server->fd);
    TRY(event_queue_new(&server->queue, fault));
    server->sessions.events = server->queue;
    TRY(join_loop(server, fault));
    *out = TAKE_PTR(server);
    return RESULT_OK;
}

void query_server_free(struct query_server *server)
{
    if (!server)
        return;
    while (server->connections)
        remove_connection(server->connections, server);
    sd_event_source_disable_unref(server->listening);
    sd_event_source_disable_unref(server->queued);
    sd_event_source_disable_unref(server->ready);
    sd_event_source_disable_unref(server->accept_again);
    sd_event_source_disable_unref(server->late);
    if (server->queue)
        event_queue_free(server->queue);
    socket_remove(&server->file);
    if (server->poller >= 0)
        close(server->poller);
    if (server->waiting >= 0)
        close(server->waiting);
    if (server->fd >= 0)
        close(server->fd);
    sd_event_unref(server->loop);
    free(server);
}
