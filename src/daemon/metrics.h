/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that is measured, as OpenMetrics text. */
#pragma once

#include "base/bytes.h"
#include "daemon/status.h"

/* Any thread; CONTEXT is a struct daemon_status. Appends to OUT. */
enum result daemon_metrics_text(void *context, struct buffer *out) WARN_UNUSED;
/* The same as a JSON string, for GetMetrics; NULL when out of memory. */
json_t *daemon_metrics_json(void *context);
