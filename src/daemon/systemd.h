/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager hands in and wants to hear. */
#pragma once

#include <stddef.h>

#include "base/result.h"

#define INHERITED_MAX 16

/* Sockets by their kind: stream sockets of the internet are HTTP listeners, a stream socket of the
 * Unix domain is the key socket. */
struct inherited {
    int http[INHERITED_MAX];
    size_t http_count;
    int query; /* -1: none */
};

enum result systemd_inherit(struct inherited *out, struct fault *fault) WARN_UNUSED;
void systemd_notify_ready(const char *status);
void systemd_notify_reloading(void);
void systemd_notify_stopping(void);
