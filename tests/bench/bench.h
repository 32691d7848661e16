/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one operation costs the server: its own CPU time, whoever else shares the machine. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "support/daemon.h"

#define BENCH_ROUNDS     5
#define BENCH_INITIATORS 64

struct bench_cost {
    double cpu_us;         /* of the server, per operation */
    double p50_us, p99_us; /* seen by the client; 0 = not measured */
};

/* CPU time that process PID has used up to now, in microseconds. */
double bench_cpu_us(pid_t pid);
int bench_compare(const void *a, const void *b); /* doubles, for qsort */

/* The server's side of COUNT handshakes in memory, as wolfSSL does them by itself: CA loaded,
 * client certificate required, key exported. */
struct bench_cost bench_bare_handshake(const struct daemon *daemon, unsigned count);

/* COUNT complete exchanges over HTTP, from 8 threads, keep-alive; the daemon's CPU. */
struct bench_cost bench_exchange(const struct daemon *daemon, unsigned count);

/* COUNT requests over CONNECTIONS connections to a Unix socket, one outstanding on each. A reply
 * ends with TERMINATOR, COUNT_OF times. */
struct bench_cost bench_lookup(pid_t server, const char *socket_path, const void *request,
    size_t request_size, const char *terminator, size_t terminator_size, unsigned connections,
    unsigned count);
