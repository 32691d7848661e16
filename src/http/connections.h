/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections of one listener: how long each has taken, and which one goes when there are many.
 *
 * libmicrohttpd has a time-out between two octets only: a client that sends one octet now and then
 * would hold its connection for ever. Here each part of a request has a deadline as a whole. A
 * connection that misses it is shut down by shutdown(2); libmicrohttpd then sees the end of the
 * connection and closes it. libmicrohttpd calls connections_remove before it closes the descriptor,
 * and shutdown(2) is only called under the lock, on connections that are not removed. So the
 * descriptor cannot belong to another connection by then. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "base/hash.h"
#include "http/peer.h"

#define CONNECTION_IDLE_S 30 /* after which libmicrohttpd is to close an idle one */

enum connection_phase {
    CONNECTION_IDLE,    /* a response has been sent, and nothing of the next request has come */
    CONNECTION_HEADERS, /* also before the first octet of the first request, and TLS' handshake */
    CONNECTION_BODY,
    CONNECTION_ANSWER, /* we are at work: has no time-out */
    CONNECTION_RESPONSE,
    CONNECTION_DOOMED, /* was shut down */
    CONNECTION_PHASES,
};

struct http_connection {
    int fd;
    enum connection_phase phase;
    int64_t since_ms;
    uint64_t received; /* octets, when it became idle; 0: unknown */
    struct http_connection *older, *newer;
    struct peer peer; /* of its address */
    struct peer_address address;
    uint64_t peer_hash;

    /* For http/transaction, on the thread of the connection. */
    bool has_asked;         /* its first request has arrived */
    bool is_trusted;        /* its certificate was verified, and is valid */
    const char *target_end; /* of the request that is being read */
};

#define CONNECTION_GROUPS 4096 /* peers are counted by their hash: two may share a count */

struct connections {
    pthread_mutex_t lock; /* protects all below, and the lists that go through the connections */
    struct {
        struct http_connection *oldest, *newest;
    } list[CONNECTION_PHASES];
    unsigned count;
    unsigned most; /* of libmicrohttpd's limit */
    unsigned of_group[CONNECTION_GROUPS];
    struct hash_key key;
};

/* MOST: how many connections the listener can have. */
enum result connections_init(struct connections *connections, unsigned most) WARN_UNUSED;
void connections_destroy(struct connections *connections);

/* A connection has begun: FD, which stays libmicrohttpd's, from FROM. Where more than three
 * quarters of all that there can be are in use, another one is shut down: the one that is idle for
 * longest; if none is, then of those that have been without a whole request for longest one of the
 * peer that has the most connections. NULL when out of memory. */
struct http_connection *connections_add(
    struct connections *connections, int fd, const struct sockaddr *from) WARN_UNUSED;
/* The same for libmicrohttpd's callback MHD_CONNECTION_NOTIFY_STARTED, whose SOCKET_CONTEXT it
 * gives. A connection for which it returns NULL is not watched over: its first request has to be
 * its last. */
struct http_connection *connections_start(
    struct connections *connections, struct MHD_Connection *connection) WARN_UNUSED;
/* NULL: out of memory when it began. */
struct http_connection *connection_of(struct MHD_Connection *connection);

/* Before its descriptor is closed. NULL is fine. */
void connections_remove(struct connections *connections, struct http_connection *connection);

/* Begins PHASE now. The phase of a connection that was shut down stays. NULL is fine. */
void connections_enter(struct connections *connections, struct http_connection *connection,
    enum connection_phase phase);

/* The request line has arrived: CONNECTION_HEADERS, unless it is in that phase already. */
void connections_begin(struct connections *connections, struct http_connection *connection);

/* Shuts down what has had its time. To be called about once a second. */
void connections_sweep(struct connections *connections, const struct policy_http *http);
