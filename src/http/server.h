/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP listeners (libmicrohttpd: epoll, a pool of threads each). */
#pragma once

#include "base/report.h"
#include "exchange/procedure.h"
#include "policy/policy.h"

struct http_server;

/* Listens on INHERITED (file descriptors from the service manager, which it takes over) where there
 * are any, else on http.listen of POLICY. http.tls makes it HTTPS. Addresses, threads and TLS do
 * not change when SLOT gets a new policy; the bound on a request's body does. SLOT and PROCEDURE
 * must outlive the server. Adds faults, with the address, to REPORT. */
enum result http_server_new(const struct policy *policy, struct snapshot_slot *slot,
    struct procedure *procedure, const int *inherited, size_t inherited_count,
    struct http_server **out, struct report *report) WARN_UNUSED;

/* False when a thread has made no progress for longer than PATIENCE_MS. Call it several times
 * within that time, always from the same thread. Does not block. */
bool http_server_answers(struct http_server *server, int64_t patience_ms);

/* Closes connections whose time is over by the policy in force. To be called once a second. */
void http_server_sweep(struct http_server *server);

/* From here on each response closes its connection, and http_server_free waits for requests until
 * UNTIL_MS of clock_steady_ms. May be called again, with another end. */
void http_server_wind_down(struct http_server *server, int64_t until_ms);

/* Stops accepting, lets requests under way finish, then stops the threads. It waits until the end
 * that http_server_wind_down was given, but 0.4 seconds at least, and 5 seconds at most. NULL is
 * fine. */
void http_server_free(struct http_server *server);

/* "127.0.0.1:8383", "unix:/run/x.sock" as bound, for the log and GetStatus; NULL past the last. */
const char *http_server_address(const struct http_server *server, size_t number);

/* Reads the files of http.tls, for --check, without listening. */
void http_server_check(const struct policy *policy, struct report *report);
