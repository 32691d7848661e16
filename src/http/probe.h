/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the threads of a pool make progress: each is given a connection that ends at once, and
 * has to close it. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/* A connection that one thread has to close. */
struct probe {
    int fd; /* our end; -1: none is out */
    int64_t sent_ms;
};

/* Looks after the COUNT probes of DAEMON, one for each of its threads, and sends those that came
 * back out again. False when one has been out for longer than PATIENCE_MS. Does not block. */
bool probe_threads(
    struct MHD_Daemon *daemon, struct probe *probes, unsigned count, int64_t patience_ms);

/* Has each thread begin a connection now. */
void probe_wake(struct MHD_Daemon *daemon, struct probe *probes, unsigned count);
