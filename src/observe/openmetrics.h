/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the text format of OpenMetrics 1.0, which monitoring systems scrape. */
#pragma once

#include "base/bytes.h"
#include "observe/histogram.h"

#define OPENMETRICS_TYPE   "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OPENMETRICS_PREFIX "e2ekeyd_" /* before each name */

/* A text that is being written, and its current family of metrics. Zero-initialise with .out set.
 * RESULT is the first error, such as a full OUT; nothing is written after it, and openmetrics_end
 * returns it. */
struct openmetrics {
    struct buffer *out;
    const char *name, *unit, *suffix;
    enum result result;
};

enum openmetrics_type { OPENMETRICS_COUNTER, OPENMETRICS_GAUGE, OPENMETRICS_INFO };

/* Begins a family. NAME is without prefix, unit and suffix; UNIT may be NULL. */
void openmetrics_family(struct openmetrics *writer, enum openmetrics_type type, const char *name,
    const char *unit, const char *help);
/* Writes a sample of the current family. LABEL is the name of its label, and VALUE that label's
 * value; LABEL may be NULL. */
void openmetrics_sample(
    struct openmetrics *writer, const char *label, const char *value, int64_t number);
/* Writes a family that consists of one histogram, in seconds. */
void openmetrics_histogram(struct openmetrics *writer, const char *name, const char *help,
    const struct histogram_reading *reading);
/* Writes the closing "# EOF" and returns the first error. */
enum result openmetrics_end(struct openmetrics *writer) WARN_UNUSED;
