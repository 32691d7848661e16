/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /metrics for monitoring systems: a listener of its own, with one thread and few connections,
 * so that no scraper holds up an exchange. */
#pragma once

#include "base/bytes.h"
#include "base/report.h"

struct metrics_server;

/* Appends all that there is to tell to OUT; any thread. */
typedef enum result metrics_text(void *context, struct buffer *out);

/* Listens on INHERITED when >= 0 (taken over), else on ADDRESS. Keeps CONTEXT. */
enum result metrics_server_new(const char *address, int inherited, metrics_text *text,
    void *context, struct metrics_server **out, struct report *report) WARN_UNUSED;
void metrics_server_free(struct metrics_server *server);
const char *metrics_server_address(const struct metrics_server *server);
