/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/histogram.h"

#include <stdatomic.h>
#include <time.h>

static struct {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_ns;
} histograms[HISTOGRAM_COUNT];

static const struct {
    int64_t ns;
    const char *text;
} bounds[HISTOGRAM_BUCKETS] = {
#define BOUND_ROW(ns, text) {ns, text},
    HISTOGRAM_BOUNDS(BOUND_ROW)
#undef BOUND_ROW
        {INT64_MAX, "+Inf"},
};

static const struct {
    const char *name, *help;
} descriptions[] = {
#define DESCRIPTION_ROW(name, text, help) {text, help},
    HISTOGRAM_LIST(DESCRIPTION_ROW)
#undef DESCRIPTION_ROW
};

int64_t histogram_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void histogram_add(enum histogram histogram, int64_t began_ns)
{
    int64_t took_ns = histogram_now_ns() - began_ns;
    int bucket = 0;
    while (took_ns > bounds[bucket].ns)
        bucket++;
    atomic_fetch_add_explicit(&histograms[histogram].bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(
        &histograms[histogram].sum_ns, (uint64_t)took_ns, memory_order_relaxed);
}

void histogram_read(enum histogram histogram, struct histogram_reading *out)
{
    out->count = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        out->bucket[i] =
            atomic_load_explicit(&histograms[histogram].bucket[i], memory_order_relaxed);
        out->count += out->bucket[i];
    }
    out->sum_ns = atomic_load_explicit(&histograms[histogram].sum_ns, memory_order_relaxed);
}

const char *histogram_bound(int bucket)
{
    return bounds[bucket].text;
}

const char *histogram_name(enum histogram histogram)
{
    return descriptions[histogram].name;
}

const char *histogram_help(enum histogram histogram)
{
    return descriptions[histogram].help;
}
