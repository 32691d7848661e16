/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager hands in and wants to hear. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define INHERITED_MAX   16
#define SYSTEMD_METRICS "metrics"

/* Sockets by their kind: stream sockets of the internet are HTTP listeners, a stream socket of the
 * Unix domain is the key socket. One of the internet by the name SYSTEMD_METRICS is for metrics.
 * What is no socket and was stored under the name STORE_NAME is the keys' memory. */
struct inherited {
    int http[INHERITED_MAX];
    size_t http_count;
    int query;   /* -1: none */
    int metrics; /* -1: none */
    int keys;    /* -1: none */
};

enum result systemd_inherit(struct inherited *out, struct fault *fault) WARN_UNUSED;

/* Has the manager keep FD, or the name's descriptors no longer. */
void systemd_store(const char *name, int fd);
void systemd_forget(const char *name);

void systemd_notify_ready(const char *status);
void systemd_notify_reloading(void);
/* EXTEND_US: how much longer than usual the stop may take; 0: as said before. */
void systemd_notify_stopping(unsigned pending, uint64_t extend_us);
/* The status line alone. */
void systemd_notify_status(const char *status);
