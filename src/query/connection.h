/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client's connection on the loop: reads calls, answers them in order, and waits for whatever
 * the client is slow with, without anyone else waiting. */
#pragma once

#include "query/frame.h"
#include "query/methods.h"

struct connection;

/* Called when the connection is to go: it has been of no use from then on. */
typedef void connection_ended(struct connection *connection, void *context);

struct connection {
    struct connection *next, *previous; /* for whoever keeps a list */
    int fd, poller;
    uint32_t awaited; /* EPOLLIN, EPOLLOUT */
    struct frame frame;
    struct session session;
    connection_ended *ended;
    void *context;
};

/* Takes FD and CALLER over in any case. POLLER is an epoll instance, whose events with this
 * connection as their data go to connection_ready. ENDED is to call connection_free. */
enum result connection_new(int poller, int fd, struct caller *caller, const struct methods *methods,
    connection_ended *ended, void *context, struct connection **out) WARN_UNUSED;
void connection_free(struct connection *connection);

/* What epoll has seen. May end this connection, and no other. */
void connection_ready(struct connection *connection, uint32_t events);

bool connection_is_subscribed(const struct connection *connection);
/* To a subscribed one; INFO NULL: events were lost. May end the connection. */
void connection_tell(
    struct connection *connection, enum key_event event, const struct key_info *info);
