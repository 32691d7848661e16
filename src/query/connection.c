/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/connection.h"

#include <sys/epoll.h>

#include "base/clock.h"
#include "observe/metrics.h"

#define CALLS_A_TURN    64    /* answered before other connections have their turn */
#define OUTPUT_HOLD_OFF 65536 /* octets still to be sent, at which the client's next calls wait */

/* --- calls --- */

static enum result answer(struct connection *connection, struct bytes message)
{
    struct call call;

    connection->active_us = clock_steady_us();
    connection->call_due_ms = 0;
    TRY(call_parse(message, &call));
    connection->session.caller.sender = connection->frame.sender;
    enum result result = methods_call(&connection->session, &call);
    call_release(&call);
    return result;
}

static bool is_holding_off(const struct connection *connection)
{
    return connection->frame.out.size >= OUTPUT_HOLD_OFF;
}

/* Answers calls that have been read, for one turn. Sets *MORE when calls or answers are left for
 * another turn. */
static enum result advance(struct connection *connection, bool *more)
{
    *more = true;
    for (int i = 0; i < CALLS_A_TURN && !is_holding_off(connection); i++) {
        struct bytes message;
        switch (connection->session.stream.kind) {
        case STREAM_LIST:
            return methods_list_more(&connection->session);
        case STREAM_SUBSCRIPTION:
            return methods_events_more(&connection->session, more);
        case STREAM_NONE:
            *more = frame_next(&connection->frame, &message);
            if (!*more)
                return RESULT_OK;
        }
        TRY(answer(connection, message));
    }
    return RESULT_OK;
}

/* --- on the loop --- */

static bool is_done(const struct connection *connection, bool more)
{
    return connection->frame.ended && !more && connection->frame.out.size == 0 &&
           connection->session.stream.kind == STREAM_NONE;
}

static bool await(struct connection *connection, bool more)
{
    bool is_idle = !more && connection->session.stream.kind == STREAM_NONE;
    bool reads = is_idle && !connection->frame.ended && !is_holding_off(connection);
    bool writes = more || connection->frame.out.size > 0;
    uint32_t awaited = (reads ? (uint32_t)EPOLLIN : 0) | (writes ? (uint32_t)EPOLLOUT : 0);
    if (awaited == connection->awaited)
        return true;
    connection->awaited = awaited;
    struct epoll_event event = {.events = awaited, .data.ptr = connection};
    return epoll_ctl(connection->poller, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

/* An error ends the connection of the client that caused it, and no other. The functions below that
 * return a bool say whether the connection goes on. */
static bool goes_on(enum result result)
{
    if (result == RESULT_BAD_INPUT || result == RESULT_BUSY)
        metrics_add(METRIC_QUERY_CLIENTS_DROPPED, 1);
    return result == RESULT_OK;
}

/* By the whole call, not by its octets: one that drips in, or that reads octet by octet, gains no
 * time. MORE: see advance; WAITED: octets before the last frame_send. */
static void set_deadlines(struct connection *connection, bool more, size_t waited)
{
    const struct frame *frame = &connection->frame;
    bool in_stream = connection->session.stream.kind != STREAM_NONE;
    if (more || in_stream || is_holding_off(connection) || frame->next == frame->in.size)
        connection->call_due_ms = 0; /* what there is of a call waits for us */
    else if (connection->call_due_ms == 0)
        connection->call_due_ms = clock_steady_ms() + CONNECTION_CALL_MS;

    size_t sent = waited - frame->out.size;
    connection->unread -= sent < connection->unread ? sent : connection->unread;
    if ((!more && frame->out.size == 0) || connection_is_subscribed(connection)) {
        connection->unread = 0;
        connection->read_due_ms = 0;
    } else if (connection->unread == 0) {
        connection->unread = frame->out.size;
        connection->read_due_ms = clock_steady_ms() + CONNECTION_READ_MS;
    }
}

static bool work(struct connection *connection)
{
    bool more;
    bool good = goes_on(advance(connection, &more));
    size_t waited = connection->frame.out.size;
    good = frame_send(&connection->frame) == RESULT_OK && good;
    set_deadlines(connection, more, waited);
    return good && !is_done(connection, more) && await(connection, more);
}

static bool take(struct connection *connection, uint32_t events)
{
    if (connection->awaited & events & EPOLLIN)
        return goes_on(frame_receive(&connection->frame));
    return !(events & (EPOLLHUP | EPOLLERR));
}

void connection_ready(struct connection *connection, uint32_t events)
{
    if (!take(connection, events) || !work(connection))
        connection->ended(connection, connection->context);
}

enum result connection_new(int poller, int fd, struct caller *caller,
    const struct sessions *sessions, connection_ended *ended, void *context,
    struct connection **out)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        caller_release(caller);
        close(fd);
        return RESULT_NO_MEMORY;
    }
    connection->fd = fd;
    connection->poller = poller;
    connection->active_us = clock_steady_us();
    connection->awaited = EPOLLIN;
    connection->ended = ended;
    connection->context = context;
    frame_init(&connection->frame, fd);
    connection->frame.asks_sender = caller->must_send;
    connection->session =
        (struct session){.shared = sessions, .caller = *caller, .out = &connection->frame.out};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) {
        connection_free(connection);
        return RESULT_SYSTEM_ERROR;
    }
    *out = connection;
    return RESULT_OK;
}

void connection_free(struct connection *connection)
{
    session_end_stream(&connection->session);
    frame_release(&connection->frame);
    caller_release(&connection->session.caller);
    close(connection->fd);
    free(connection);
}

bool connection_is_late(const struct connection *connection, int64_t now_ms)
{
    return (connection->call_due_ms != 0 && now_ms >= connection->call_due_ms) ||
           (connection->read_due_ms != 0 && now_ms >= connection->read_due_ms);
}

bool connection_is_busy(const struct connection *connection)
{
    return connection->session.stream.kind != STREAM_NONE || connection->awaited & EPOLLOUT;
}

/* --- events --- */

bool connection_is_subscribed(const struct connection *connection)
{
    return connection->session.stream.kind == STREAM_SUBSCRIPTION;
}

void connection_notify(struct connection *connection)
{
    if (!work(connection))
        connection->ended(connection, connection->context);
}
