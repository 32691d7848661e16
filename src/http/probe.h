/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds out whether the threads of a pool make progress. Each thread is given a connection that its
 * client has closed already. A thread that makes progress closes its own end soon. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/* The connection that one thread has to close. */
struct probe {
    int fd;          /* our end; -1: the thread has none at the moment */
    int64_t sent_ms; /* of clock_steady_ms */
};

/* Checks the COUNT probes of DAEMON, one for each of its threads, and gives a new connection to
 * each thread that has closed its last one. False when a thread has left one open for longer than
 * PATIENCE_MS. Does not block. */
bool probe_threads(
    struct MHD_Daemon *daemon, struct probe *probes, unsigned count, int64_t patience_ms);

/* Gives each thread a new connection now, whether or not it has closed its last one. */
void probe_wake(struct MHD_Daemon *daemon, struct probe *probes, unsigned count);
