/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that is wrong with a configuration, at once: "file: /json/pointer: what is wrong". */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Where a value stands, for messages: "FILE: /json/pointer". */
struct source_position {
    const char *file;
    const char *pointer;
};

#define REPORT_ENTRIES_MAX 100 /* then one closing line says that there are more */

struct report_entry {
    bool warning; /* else a fault */
    char *text;   /* one line, without a newline */
};

struct report {
    struct report_entry *entries;
    size_t count;
    size_t faults; /* how many of all that were reported are faults, dropped ones included */
};

/* PLACE NULL: the text says where itself. Control and non-ASCII octets are escaped. */
void report_fault(struct report *report, const struct source_position *place, const char *format,
    ...) PRINTF(3, 4);
void report_warning(struct report *report, const struct source_position *place, const char *format,
    ...) PRINTF(3, 4);
/* What both are made of. */
void report_add(struct report *report, bool warning, const struct source_position *place,
    const char *format, va_list arguments);
void report_release(struct report *report);
