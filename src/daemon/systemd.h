/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager passes to the daemon (sd_listen_fds(3)), and how the daemon notifies it
 * (sd_notify(3)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define INHERITED_MAX 16
/* FDNAME= and FileDescriptorName= */
#define SYSTEMD_HTTP    "http"
#define SYSTEMD_METRICS "metrics"
#define SYSTEMD_KEYS    "keys"

/* The file descriptors that the service manager passed, by their kind: a listening IP socket is an
 * HTTP listener, or with the name SYSTEMD_METRICS the listener for metrics; a listening Unix socket
 * is the key socket, or with the name SYSTEMD_HTTP an HTTP listener; what is no socket and has the
 * name SYSTEMD_KEYS is the memory of the keys. */
struct inherited {
    int http[INHERITED_MAX];
    size_t http_count;
    int query;   /* -1: none */
    int metrics; /* -1: none */
    int keys;    /* -1: none */
};

/* Sorts the descriptors that the manager passed into OUT. */
enum result systemd_inherit(struct inherited *out, struct fault *fault) WARN_UNUSED;

/* systemd_store asks the manager to keep a duplicate of FD under NAME; systemd_forget asks it to
 * close all that it keeps under NAME. */
void systemd_store(const char *name, int fd);
void systemd_forget(const char *name);

/* False when the manager was not told, for want of memory say. */
bool systemd_notify_ready(const char *status);
void systemd_notify_reloading(void);
/* Says that PENDING exchanges are being finished. EXTEND_US microseconds more are asked for
 * (EXTEND_TIMEOUT_USEC=); 0 asks for none. */
void systemd_notify_stopping(unsigned pending, uint64_t extend_us);
/* Sends the status line and nothing else. */
void systemd_notify_status(const char *status);
