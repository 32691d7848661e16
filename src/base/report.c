/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/report.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINE_OCTETS 2048 /* longer lines are cut */

/* A copy that is safe on a terminal and in a log; the caller frees. */
static char *printable(const char *line)
{
    size_t size = 4 * strlen(line) + 1;
    char *copy = malloc(size);

    if (copy)
        bytes_escape(bytes_of_string(line), copy, size);
    return copy;
}

static void append(struct report *report, bool warning, const char *line)
{
    if (!report->entries)
        report->entries = calloc(REPORT_ENTRIES_MAX + 1, sizeof(*report->entries));
    char *text = report->entries ? printable(line) : NULL;
    if (text)
        report->entries[report->count++] = (struct report_entry){.warning = warning, .text = text};
}

static int write_place(const struct source_position *place, char *out, size_t size)
{
    if (!place || !place->file)
        return 0;
    const char *pointer = place->pointer ? place->pointer : "";
    return snprintf(out, size, "%s: %s%s", place->file, pointer, *pointer ? ": " : "");
}

void report_add(struct report *report, bool warning, const struct source_position *place,
    const char *format, va_list arguments)
{
    if (!warning)
        report->faults++;
    if (report->count > REPORT_ENTRIES_MAX)
        return;
    if (report->count == REPORT_ENTRIES_MAX) {
        append(report, warning, "there is more; correct these first");
        return;
    }
    char line[LINE_OCTETS];
    const int size = write_place(place, line, sizeof(line));
    if (size >= 0 && (size_t)size < sizeof(line))
        vsnprintf(line + size, sizeof(line) - (size_t)size, format, arguments);
    append(report, warning, line);
}

void report_fault(
    struct report *report, const struct source_position *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_add(report, false, place, format, arguments);
    va_end(arguments);
}

void report_warning(
    struct report *report, const struct source_position *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_add(report, true, place, format, arguments);
    va_end(arguments);
}

void report_release(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->entries[i].text);
    free(report->entries);
    *report = (struct report){0};
}
