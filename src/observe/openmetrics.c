/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/openmetrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_OCTETS  512 /* names and help texts are ours, and short */
#define LABEL_OCTETS 160

PRINTF(2, 3) static void put(struct openmetrics *writer, const char *format, ...)
{
    char line[LINE_OCTETS];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (writer->result != RESULT_OK)
        return;
    writer->result = size < 0 || (size_t)size >= sizeof(line)
                         ? RESULT_INTERNAL
                         : buffer_append(writer->out, line, (size_t)size);
}

static void put_head(struct openmetrics *writer, const char *type, const char *name,
    const char *unit, const char *help)
{
    const char *joint = unit ? "_" : "";
    unit = unit ? unit : "";
    put(writer, "# TYPE " OPENMETRICS_PREFIX "%s%s%s %s\n", name, joint, unit, type);
    if (*unit)
        put(writer, "# UNIT " OPENMETRICS_PREFIX "%s_%s %s\n", name, unit, unit);
    put(writer, "# HELP " OPENMETRICS_PREFIX "%s%s%s %s.\n", name, joint, unit, help);
}

void openmetrics_family(struct openmetrics *writer, enum openmetrics_type type, const char *name,
    const char *unit, const char *help)
{
    static const struct {
        const char *name, *suffix;
    } types[] = {
        [OPENMETRICS_COUNTER] = {"counter", "_total"},
        [OPENMETRICS_GAUGE] = {"gauge", ""},
        [OPENMETRICS_INFO] = {"info", "_info"},
    };
    writer->name = name;
    writer->unit = unit;
    writer->suffix = types[type].suffix;
    put_head(writer, types[type].name, name, unit, help);
}

/* Escapes VALUE as the value of a label; cuts what does not fit. */
static void escape(const char *value, char *out, size_t size)
{
    const char *end = out + size - 3;
    for (; *value && out < end; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            *out++ = '\\';
        *out++ = *value;
        if (*value == '\n')
            out[-1] = 'n';
    }
    *out = '\0';
}

void openmetrics_sample(
    struct openmetrics *writer, const char *label, const char *value, int64_t number)
{
    char labels[LABEL_OCTETS + 32] = "", escaped[LABEL_OCTETS];
    if (label) {
        escape(value, escaped, sizeof(escaped));
        snprintf(labels, sizeof(labels), "{%s=\"%s\"}", label, escaped);
    }
    put(writer, OPENMETRICS_PREFIX "%s%s%s%s%s %" PRId64 "\n", writer->name,
        writer->unit ? "_" : "", writer->unit ? writer->unit : "", writer->suffix, labels, number);
}

void openmetrics_histogram(struct openmetrics *writer, const char *name, const char *help,
    const struct histogram_reading *reading)
{
    uint64_t below = 0;
    put_head(writer, "histogram", name, "seconds", help);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += reading->bucket[i];
        put(writer, OPENMETRICS_PREFIX "%s_seconds_bucket{le=\"%s\"} %" PRIu64 "\n", name,
            histogram_bound(i), below);
    }
    put(writer, OPENMETRICS_PREFIX "%s_seconds_count %" PRIu64 "\n", name, reading->count);
    put(writer, OPENMETRICS_PREFIX "%s_seconds_sum %" PRIu64 ".%09" PRIu64 "\n", name,
        reading->sum_ns / 1000000000, reading->sum_ns % 1000000000);
}

enum result openmetrics_end(struct openmetrics *writer)
{
    put(writer, "# EOF\n");
    return writer->result;
}
