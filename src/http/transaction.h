/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request and its response: libmicrohttpd reads the request piece by piece; it is answered
 * when it is complete. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "exchange/procedure.h"
#include "http/connections.h"

/* What the transactions of one server share, on all of its threads. */
struct transactions {
    struct snapshot_slot *slot;
    struct procedure *procedure;
    bool needs_client_certificate; /* set before the threads start */
    /* Made before the threads start, and sent where memory does not last for a response. */
    struct MHD_Response *out_of_memory;

    atomic_bool is_stopping; /* each response closes its connection */

    pthread_mutex_t lock;    /* protects everything below */
    pthread_cond_t counted;  /* signalled when one of the counts has changed */
    unsigned under_way;      /* transactions that have begun and not ended */
    unsigned unasked;        /* connections on which no request has arrived yet */
    unsigned held;           /* threads that wait for RELEASED */
    bool holds;              /* a thread that begins a connection has to wait for RELEASED */
    pthread_cond_t released; /* broadcast when HOLDS has become false */
};

/* Of struct transactions; NULL when out of memory. */
struct MHD_Response *transaction_out_of_memory(void);

/* One listener. */
struct entrance {
    struct transactions *shared;
    struct connections connections;
};

/* Whether libmicrohttpd is older than 1.0, and lets pass much that RFC 9112 forbids. */
bool transaction_library_is_lax(void);

/* libmicrohttpd's callbacks, each with a struct entrance as its first argument. */
enum MHD_Result transaction_handle(void *context, struct MHD_Connection *connection,
    const char *path, const char *method, const char *version, const char *upload,
    size_t *upload_size, void **own_context);
void transaction_completed(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_RequestTerminationCode code);
void transaction_connection(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_ConnectionNotificationCode code);
void *transaction_target(void *context, const char *target, struct MHD_Connection *connection);
size_t transaction_keep_encoded(void *context, struct MHD_Connection *connection, char *text);
