/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects all that is wrong with a configuration: "file: /json/pointer: what is wrong". */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* The position of a value, for messages: "FILE: /json/pointer". */
struct source_position {
    const char *file;
    const char *pointer;
};

#define REPORT_ENTRIES_MAX 100 /* after that, one line says that there are more */

struct report_entry {
    bool warning; /* else a fault */
    char *text;   /* one line, without a newline */
};

struct report {
    struct report_entry *entries;
    size_t count;
    size_t faults; /* how many of all that were reported are faults, dropped ones included */
};

/* Add a fault or a warning about the value at PLACE, NULL when it is about no single value. Control
 * characters and non-ASCII octets are escaped. */
void report_fault(struct report *report, const struct source_position *place, const char *format,
    ...) PRINTF(3, 4);
void report_warning(struct report *report, const struct source_position *place, const char *format,
    ...) PRINTF(3, 4);
/* The same, with the arguments as a va_list. */
void report_add(struct report *report, bool warning, const struct source_position *place,
    const char *format, va_list arguments);
void report_release(struct report *report); /* frees the entries */
