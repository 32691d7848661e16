/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request on its way through: read by libmicrohttpd piece by piece, answered whole. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "exchange/procedure.h"

/* What the calls of one server share; any thread. */
struct call_shared {
    struct snapshot_slot *slot;
    struct procedure *procedure;
    bool needs_client_certificate;

    atomic_bool is_stopping; /* answers close their connections */

    pthread_mutex_t lock;   /* of what follows */
    pthread_cond_t counted; /* signalled when one of these has changed */
    unsigned under_way;     /* calls */
    unsigned unasked;       /* connections on which no request has come yet */
    unsigned held;          /* threads */
    bool holds;             /* threads that have begun a connection wait for RELEASED */
    pthread_cond_t released;
};

/* libmicrohttpd's callbacks, each with a struct call_shared as its first argument. */
enum MHD_Result call_handle(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **own_context);
void call_completed(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_RequestTerminationCode code);
void call_connection(void *context, struct MHD_Connection *connection, void **own_context,
    enum MHD_ConnectionNotificationCode code);
size_t call_keep_encoded(void *context, struct MHD_Connection *connection, char *text);
