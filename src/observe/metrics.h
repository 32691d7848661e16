/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters that any thread may raise, and a reader of all of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* name in GetStatus and metrics, help text */
#define METRIC_LIST(X)                                                                             \
    X(EXCHANGES_STARTED, "exchangesStarted", "exchanges that reached Message 2")                   \
    X(EXCHANGES_ESTABLISHED, "exchangesEstablished", "exchanges that established a key")           \
    X(EXCHANGES_REFUSED, "exchangesRefused", "exchanges that ended in a refusal")                  \
    X(EXCHANGES_EXPIRED, "exchangesExpired", "exchanges that ran out of time")                     \
    X(EXCHANGES_DELETED, "exchangesDeleted", "pending exchanges deleted by their originator")      \
    X(RETRANSMISSIONS, "retransmissions", "requests answered from a stored answer")                \
    X(KEYS_EXPIRED, "keysExpired", "keys that reached the end of their lifetime")                  \
    X(KEYS_REVOKED, "keysRevoked", "keys revoked by request")                                      \
    X(KEYS_EVICTED, "keysEvicted", "keys that made room for newer ones")                           \
    X(QUERIES, "queries", "method calls on the Unix socket")                                       \
    X(QUERIES_DENIED, "queriesDenied", "method calls refused for want of a right")                 \
    X(QUERY_CLIENTS_DROPPED, "queryClientsDropped", "socket clients dropped as malformed or slow") \
    X(RELOADS, "policyReloads", "policies put in force by a reload")                               \
    X(RELOADS_FAILED, "policyReloadsFailed", "reloads that kept the old policy")

#define METRIC_ENUM(name, key, help) METRIC_##name,
enum metric { METRIC_LIST(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

void metrics_add(enum metric metric, uint64_t count);
uint64_t metrics_read(enum metric metric);
const char *metrics_name(enum metric metric);
const char *metrics_help(enum metric metric);

/* Refusals by result (base/result.h), each with its own counter. */
void metrics_refused(int result);
uint64_t metrics_refused_read(int result);

/* Failures inside the TLS engine by its own error number; 0: by none. The numbers of the first
 * METRICS_TLS_ERRORS kinds are told apart, all others count as 0. */
#define METRICS_TLS_ERRORS 48
void metrics_tls_failed(int error);
/* In PLACE, 0 to METRICS_TLS_ERRORS; false when nothing has been counted there. */
bool metrics_tls_failed_read(int place, int *error, uint64_t *count);
