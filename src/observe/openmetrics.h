/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format of OpenMetrics 1.0: what monitoring systems scrape. Writes; knows no metric. */
#pragma once

#include "base/bytes.h"
#include "observe/histogram.h"

#define OPENMETRICS_TYPE   "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OPENMETRICS_PREFIX "e2ekeyd_" /* before each name */

/* One family of metrics under way. What does not fit OUT is remembered, and openmetrics_end says
 * it. */
struct openmetrics {
    struct buffer *out;
    const char *name, *unit, *suffix;
    enum result result;
};

enum openmetrics_type { OPENMETRICS_COUNTER, OPENMETRICS_GAUGE, OPENMETRICS_INFO };

/* NAME without prefix, unit and suffix; UNIT NULL: none. */
void openmetrics_family(struct openmetrics *writer, enum openmetrics_type type, const char *name,
    const char *unit, const char *help);
/* A sample of the family. LABEL NULL: without one. */
void openmetrics_sample(
    struct openmetrics *writer, const char *label, const char *value, int64_t number);
/* A family of its own, with its one histogram, in seconds. */
void openmetrics_histogram(struct openmetrics *writer, const char *name, const char *help,
    const struct histogram_reading *reading);
/* "# EOF"; the first thing that went wrong. */
enum result openmetrics_end(struct openmetrics *writer) WARN_UNUSED;
