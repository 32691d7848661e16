/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All metrics of the daemon as OpenMetrics text. */
#pragma once

#include "base/bytes.h"
#include "daemon/status_report.h"

/* Appends the text to OUT. CONTEXT is a struct daemon_status. May be called on any thread. */
enum result daemon_metrics_text(void *context, struct buffer *out) WARN_UNUSED;
/* Returns the same text as a JSON string for GetMetrics, NULL when out of memory. */
json_t *daemon_metrics_json(void *context);
