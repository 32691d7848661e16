/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/histogram.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

#define SECOND_NS 1000000000

static int bucket_of(const struct histogram_reading *reading)
{
    int bucket = 0;
    while (reading->bucket[bucket] == 0)
        bucket++;
    return bucket;
}

START_TEST(bounds_rise_and_end_in_infinity)
{
    for (int i = 1; i < HISTOGRAM_BUCKETS - 1; i++)
        ck_assert_double_gt(strtod(histogram_bound(i), NULL), strtod(histogram_bound(i - 1), NULL));
    ck_assert_str_eq(histogram_bound(HISTOGRAM_BUCKETS - 1), "+Inf");
}
END_TEST

START_TEST(a_duration_is_in_the_bucket_above_it)
{
    struct histogram_reading reading;
    histogram_add(HISTOGRAM_MESSAGE1, histogram_now_ns() - 300000000);
    histogram_read(HISTOGRAM_MESSAGE1, &reading);
    ck_assert_uint_eq(reading.count, 1);
    ck_assert_uint_ge(reading.sum_ns, 300000000);
    ck_assert_double_ge(strtod(histogram_bound(bucket_of(&reading)), NULL), 0.5);
    histogram_read(HISTOGRAM_MESSAGE3, &reading);
    ck_assert_uint_eq(reading.count, 0);
}
END_TEST

START_TEST(the_longest_are_in_the_last_bucket)
{
    struct histogram_reading reading;
    histogram_add(HISTOGRAM_LOOKUP, histogram_now_ns() - (int64_t)100 * SECOND_NS);
    histogram_read(HISTOGRAM_LOOKUP, &reading);
    ck_assert_uint_eq(reading.bucket[HISTOGRAM_BUCKETS - 1], 1);
}
END_TEST

#define THREADS 4
#define TURNS   50000

static void *add_many(void *unused)
{
    for (int i = 0; i < TURNS; i++)
        histogram_add(HISTOGRAM_LOOKUP, histogram_now_ns());
    return unused;
}

START_TEST(threads_lose_no_duration)
{
    struct histogram_reading reading;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    histogram_read(HISTOGRAM_LOOKUP, &reading);
    ck_assert_uint_eq(reading.count, THREADS * TURNS);
}
END_TEST

CHECK_MAIN("observe/histogram", bounds_rise_and_end_in_infinity,
    a_duration_is_in_the_bucket_above_it, the_longest_are_in_the_last_bucket,
    threads_lose_no_duration)
