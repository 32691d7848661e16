/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/metrics.h"

#include <stdatomic.h>

#include "base/result.h"

/* Each counter stands alone, so no order between them is kept. */
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

/* A result that is none of ours counts as what it is, an internal error. */
static int known(int result)
{
    return result >= 0 && result < RESULT_COUNT ? result : RESULT_INTERNAL;
}

void metrics_refused(int result)
{
    atomic_fetch_add_explicit(&refusals[known(result)], 1, memory_order_relaxed);
}

uint64_t metrics_refused_read(int result)
{
    return atomic_load_explicit(&refusals[known(result)], memory_order_relaxed);
}

/* A place is taken by the first error that finds it free, and is that error's from then on. */
static struct {
    _Atomic int error; /* 0: free; of the last place: all others */
    _Atomic uint64_t count;
} tls_failures[METRICS_TLS_ERRORS + 1];

static int place_of(int error)
{
    int place = error == 0 ? METRICS_TLS_ERRORS : 0;
    for (; place < METRICS_TLS_ERRORS; place++) {
        int there = 0;
        if (atomic_compare_exchange_strong(&tls_failures[place].error, &there, error) ||
            there == error)
            break;
    }
    return place;
}

void metrics_tls_failed(int error)
{
    atomic_fetch_add_explicit(&tls_failures[place_of(error)].count, 1, memory_order_relaxed);
}

bool metrics_tls_failed_read(int place, int *error, uint64_t *count)
{
    *error = atomic_load(&tls_failures[place].error);
    *count = atomic_load_explicit(&tls_failures[place].count, memory_order_relaxed);
    return *count > 0;
}
