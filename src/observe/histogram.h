/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms of durations. Any thread may add to one; there is no lock. */
#pragma once

#include <stdint.h>

/* Upper bounds of the buckets: in nanoseconds, and in seconds as OpenMetrics writes them. */
#define HISTOGRAM_BOUNDS(X)                                                                        \
    X(1000, "1e-06")                                                                               \
    X(2000, "2e-06")                                                                               \
    X(5000, "5e-06")                                                                               \
    X(10000, "1e-05")                                                                              \
    X(20000, "2e-05")                                                                              \
    X(50000, "5e-05")                                                                              \
    X(100000, "0.0001")                                                                            \
    X(200000, "0.0002")                                                                            \
    X(500000, "0.0005")                                                                            \
    X(1000000, "0.001")                                                                            \
    X(2000000, "0.002")                                                                            \
    X(5000000, "0.005")                                                                            \
    X(10000000, "0.01")                                                                            \
    X(20000000, "0.02")                                                                            \
    X(50000000, "0.05")                                                                            \
    X(100000000, "0.1")                                                                            \
    X(200000000, "0.2")                                                                            \
    X(500000000, "0.5")                                                                            \
    X(1000000000, "1.0")

#define HISTOGRAM_COUNT_BOUND(ns, text) +1
enum {
    HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS(HISTOGRAM_COUNT_BOUND) + 1
}; /* the last is for all longer durations */
#undef HISTOGRAM_COUNT_BOUND

/* name, help text */
#define HISTOGRAM_LIST(X)                                                                          \
    X(MESSAGE1, "message1_duration", "From a request with Message 1 to Message 2 or its refusal")  \
    X(MESSAGE3, "message3_duration", "From a request with Message 3 to Message 4 or its refusal")  \
    X(LOOKUP, "lookup_duration", "Look-ups of a key for a local process")

#define HISTOGRAM_ENUM(name, text, help) HISTOGRAM_##name,
enum histogram { HISTOGRAM_LIST(HISTOGRAM_ENUM) HISTOGRAM_COUNT };
#undef HISTOGRAM_ENUM

/* The time by CLOCK_MONOTONIC, for histogram_add. */
int64_t histogram_now_ns(void);
/* Counts a duration that began at BEGAN_NS and ends now. */
void histogram_add(enum histogram histogram, int64_t began_ns);

/* Each bucket as it was at some moment during the call. COUNT is the sum of the buckets. */
struct histogram_reading {
    uint64_t bucket[HISTOGRAM_BUCKETS];
    uint64_t count, sum_ns;
};
void histogram_read(enum histogram histogram, struct histogram_reading *out);
const char *histogram_bound(int bucket); /* "0.001"; "+Inf" */
const char *histogram_name(enum histogram histogram);
const char *histogram_help(enum histogram histogram);
