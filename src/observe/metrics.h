/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters. Any thread may add to one and read it; there is no lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Counter, and its name in the reply to the varlink method GetStatus. */
#define METRIC_LIST(X)                                                                             \
    X(EXCHANGES_STARTED, "exchangesStarted")                                                       \
    X(EXCHANGES_ESTABLISHED, "exchangesEstablished")                                               \
    X(EXCHANGES_REFUSED, "exchangesRefused")                                                       \
    X(EXCHANGES_EXPIRED, "exchangesExpired")                                                       \
    X(EXCHANGES_DELETED, "exchangesDeleted")                                                       \
    X(EXCHANGES_DISPLACED, "exchangesDisplaced")                                                   \
    X(RETRANSMISSIONS, "retransmissions")                                                          \
    X(SIGNATURES_REFUSED, "signaturesRefused")                                                     \
    X(KEYS_EXPIRED, "keysExpired")                                                                 \
    X(KEYS_REVOKED, "keysRevoked")                                                                 \
    X(KEYS_EVICTED, "keysEvicted")                                                                 \
    X(QUERIES, "queries")                                                                          \
    X(QUERIES_DENIED, "queriesDenied")                                                             \
    X(QUERY_CLIENTS_DROPPED, "queryClientsDropped")                                                \
    X(RELOADS, "policyReloads")                                                                    \
    X(RELOADS_FAILED, "policyReloadsFailed")

#define METRIC_ENUM(metric, name) METRIC_##metric,
enum metric { METRIC_LIST(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

void metrics_add(enum metric metric, uint64_t count);
uint64_t metrics_read(enum metric metric);
const char *metrics_name(enum metric metric);

/* Count a refusal by its result, and read that counter (base/result.h). */
void metrics_refused(int result);
uint64_t metrics_refused_read(int result);

/* Counts failures inside the TLS engine by the engine's error number, which is 0 where it gave
 * none. The first METRICS_TLS_ERRORS different numbers have counters of their own; others count as
 * 0. */
#define METRICS_TLS_ERRORS 48
void metrics_tls_failed(int error);
/* Reads the counter of INDEX, 0 to METRICS_TLS_ERRORS; false when it has counted nothing. */
bool metrics_tls_failed_read(int index, int *error, uint64_t *count);
