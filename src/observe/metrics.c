/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/metrics.h"

#include <stdatomic.h>

#include "base/result.h"

/* No counter depends on another, so that relaxed memory order is enough. */
static _Atomic uint64_t counters[METRIC_COUNT];
static _Atomic uint64_t refusals[RESULT_COUNT];

static const char *const names[] = {
#define METRIC_ROW(metric, name) name,
    METRIC_LIST(METRIC_ROW)
#undef METRIC_ROW
};

void metrics_add(enum metric metric, uint64_t count)
{
    atomic_fetch_add_explicit(&counters[metric], count, memory_order_relaxed);
}

uint64_t metrics_read(enum metric metric)
{
    return atomic_load_explicit(&counters[metric], memory_order_relaxed);
}

const char *metrics_name(enum metric metric)
{
    return names[metric];
}

void metrics_refused(int result)
{
    atomic_fetch_add_explicit(
        &refusals[result_known((enum result)result)], 1, memory_order_relaxed);
}

uint64_t metrics_refused_read(int result)
{
    return atomic_load_explicit(&refusals[result_known((enum result)result)], memory_order_relaxed);
}

/* A row belongs to the first error number that found it free. */
static struct {
    atomic_int error; /* 0: free; the last row, for all other numbers, stays 0 */
    _Atomic uint64_t count;
} tls_failures[METRICS_TLS_ERRORS + 1];

static int index_of(int error)
{
    int index = error == 0 ? METRICS_TLS_ERRORS : 0;
    for (; index < METRICS_TLS_ERRORS; index++) {
        int owner = 0;
        if (atomic_compare_exchange_strong_explicit(&tls_failures[index].error, &owner, error,
                memory_order_relaxed, memory_order_relaxed) ||
            owner == error)
            break;
    }
    return index;
}

void metrics_tls_failed(int error)
{
    atomic_fetch_add_explicit(&tls_failures[index_of(error)].count, 1, memory_order_relaxed);
}

bool metrics_tls_failed_read(int index, int *error, uint64_t *count)
{
    *error = atomic_load_explicit(&tls_failures[index].error, memory_order_relaxed);
    *count = atomic_load_explicit(&tls_failures[index].count, memory_order_relaxed);
    return *count > 0;
}
