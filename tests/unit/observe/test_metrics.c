/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/metrics.h"

#include <pthread.h>
#include <string.h>

#include "base/result.h"
#include "support/check_main.h"

START_TEST(each_counts_for_itself)
{
    metrics_add(METRIC_QUERIES, 2);
    metrics_add(METRIC_QUERIES, 3);
    for (int i = 0; i < METRIC_COUNT; i++)
        ck_assert_uint_eq(metrics_read((enum metric)i), i == METRIC_QUERIES ? 5 : 0);
}
END_TEST

START_TEST(names_are_told_apart)
{
    ck_assert_str_eq(metrics_name(METRIC_KEYS_EVICTED), "keysEvicted");
    for (int i = 0; i < METRIC_COUNT; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(metrics_name((enum metric)i), metrics_name((enum metric)j));
}
END_TEST

START_TEST(refusals_by_result)
{
    metrics_refused(RESULT_TLS_REFUSED);
    metrics_refused(-1);
    metrics_refused(100000);
    ck_assert_uint_eq(metrics_refused_read(RESULT_TLS_REFUSED), 1);
    ck_assert_uint_eq(metrics_refused_read(RESULT_INTERNAL), 2);
    ck_assert_uint_eq(metrics_refused_read(RESULT_BUSY), 0);
}
END_TEST

START_TEST(tls_errors_are_told_apart_up_to_a_bound)
{
    int error;
    uint64_t count;
    metrics_tls_failed(-188);
    metrics_tls_failed(-188);
    metrics_tls_failed(0);
    for (int i = 1; i < 1000; i++)
        metrics_tls_failed(i);
    ck_assert(metrics_tls_failed_read(0, &error, &count));
    ck_assert_int_eq(error, -188);
    ck_assert_uint_eq(count, 2);
    ck_assert(metrics_tls_failed_read(METRICS_TLS_ERRORS, &error, &count));
    ck_assert_int_eq(error, 0);
    ck_assert_uint_eq(count, 1 + 999 - (METRICS_TLS_ERRORS - 1));
}
END_TEST

#define THREADS 4
#define TURNS   100000

static void *raise_both(void *unused)
{
    for (int i = 0; i < TURNS; i++) {
        metrics_add(METRIC_RETRANSMISSIONS, 1);
        metrics_refused(RESULT_BUSY);
    }
    return unused;
}

START_TEST(threads_lose_no_count)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, raise_both, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(metrics_read(METRIC_RETRANSMISSIONS), THREADS * TURNS);
    ck_assert_uint_eq(metrics_refused_read(RESULT_BUSY), THREADS * TURNS);
}
END_TEST

CHECK_MAIN("observe/metrics", each_counts_for_itself, names_are_told_apart, refusals_by_result,
    tls_errors_are_told_apart_up_to_a_bound, threads_lose_no_count)
