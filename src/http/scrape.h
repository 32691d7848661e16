/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /metrics, for monitoring systems. It has a listener of its own, with one thread and few
 * connections, so that monitoring does not hold up an exchange. */
#pragma once

#include "base/bytes.h"
#include "base/report.h"
#include "policy/policy.h"

struct scrape_server;

/* Appends all metrics to OUT, as OpenMetrics text; called on the scrape server's thread. */
typedef enum result scrape_text(void *context, struct buffer *out);

/* Listens on INHERITED when it is not negative, and takes it over then; otherwise on ADDRESS.
 * CONTEXT, which TEXT is called with, must outlive the server. */
enum result scrape_server_new(const char *address, int inherited, scrape_text *text, void *context,
    struct scrape_server **out, struct report *report) WARN_UNUSED;
/* Closes connections whose time is over. To be called once a second; NULL is fine. */
void scrape_server_sweep(struct scrape_server *server, const struct policy_http *http);
void scrape_server_free(struct scrape_server *server);
const char *scrape_server_address(const struct scrape_server *server);
