/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client's connection on the event loop: reads calls, and answers them in order. While it waits
 * for a slow client, other connections go on. */
#pragma once

#include "query/frame.h"
#include "query/methods.h"

/* How long a client may take for one call, from its first octet to its NUL, and to read all replies
 * that wait at one time, once the kernel has no more room for them. A subscription has its own
 * bound (event_queue.h). */
#define CONNECTION_CALL_MS 10000
#define CONNECTION_READ_MS 60000

struct connection;

/* Called when the connection has to be closed. It has to call connection_free, and the connection
 * must not be used any more. */
typedef void connection_ended(struct connection *connection, void *context);

struct connection {
    struct connection *next, *previous; /* for the owner's list of connections */
    int fd, poller;
    int64_t active_us; /* when it was opened, or its last complete call came; clock_steady_us */
    uint32_t awaited;  /* what epoll watches it for: EPOLLIN, EPOLLOUT */
    int64_t
        call_due_ms; /* the rest of a call that has begun to come; clock_steady_ms, 0: none has */
    int64_t read_due_ms; /* the same for .unread */
    size_t unread;       /* octets of replies that have to leave by .read_due_ms */
    struct frame frame;
    struct session session;
    connection_ended *ended;
    void *context;
};

/* Takes FD and CALLER over in any case. POLLER is an epoll instance; the caller of epoll_wait hands
 * the events that have this connection as their data to connection_ready. */
enum result connection_new(int poller, int fd, struct caller *caller,
    const struct sessions *sessions, connection_ended *ended, void *context,
    struct connection **out) WARN_UNUSED;
void connection_free(struct connection *connection);

/* Handles EVENTS, as epoll reported them. May end this connection, but no other. */
void connection_ready(struct connection *connection, uint32_t events);

/* Whether the client has let its time run out, at NOW of clock_steady_ms. */
bool connection_is_late(const struct connection *connection, int64_t now_ms);

/* A call of it is not answered, or the answer not read, to its end; so is a subscription. */
bool connection_is_busy(const struct connection *connection);

bool connection_is_subscribed(const struct connection *connection);
/* Sends to a subscribed one what it does not have yet. May end this connection, and no other. */
void connection_notify(struct connection *connection);
