/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/integration/metrics has a foreign parser read the whole. */
#include "observe/openmetrics.h"

#include <string.h>

#include "support/check_main.h"

static struct buffer text;

static struct openmetrics begin(size_t limit)
{
    text = (struct buffer){.limit = limit};
    return (struct openmetrics){.out = &text};
}

static void expect(const char *wanted)
{
    ck_assert_int_eq(buffer_append(&text, "", 1), RESULT_OK);
    ck_assert_str_eq((const char *)text.data, wanted);
    buffer_release(&text);
}

START_TEST(families_have_their_heads_and_samples)
{
    struct openmetrics writer = begin(4096);
    openmetrics_family(&writer, OPENMETRICS_COUNTER, "exchanges", NULL, "Exchanges");
    openmetrics_sample(&writer, "outcome", "refused", 2);
    openmetrics_family(&writer, OPENMETRICS_GAUGE, "start", "seconds", "When");
    openmetrics_sample(&writer, NULL, NULL, 7);
    openmetrics_family(&writer, OPENMETRICS_INFO, "build", NULL, "What");
    openmetrics_sample(&writer, "version", "1.0", 1);
    ck_assert_int_eq(openmetrics_end(&writer), RESULT_OK);
    expect("# TYPE e2ekeyd_exchanges counter\n"
           "# HELP e2ekeyd_exchanges Exchanges.\n"
           "e2ekeyd_exchanges_total{outcome=\"refused\"} 2\n"
           "# TYPE e2ekeyd_start_seconds gauge\n"
           "# UNIT e2ekeyd_start_seconds seconds\n"
           "# HELP e2ekeyd_start_seconds When.\n"
           "e2ekeyd_start_seconds 7\n"
           "# TYPE e2ekeyd_build info\n"
           "# HELP e2ekeyd_build What.\n"
           "e2ekeyd_build_info{version=\"1.0\"} 1\n"
           "# EOF\n");
}
END_TEST

START_TEST(a_label_s_value_is_escaped_and_cut)
{
    char value[1000];
    struct openmetrics writer = begin(4096);
    openmetrics_family(&writer, OPENMETRICS_GAUGE, "a", NULL, "A");
    size_t head = text.size;
    openmetrics_sample(&writer, "b", "\\ \" \n", 1);
    ck_assert_int_eq(strncmp((const char *)text.data + head, "e2ekeyd_a{b=\"\\\\ \\\" \\n\"} 1\n",
                         text.size - head),
        0);
    memset(value, '"', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    head = text.size;
    openmetrics_sample(&writer, "b", value, 1);
    ck_assert_uint_lt(text.size - head, 300);
    ck_assert_int_eq(strncmp((const char *)text.data + text.size - 7, "\\\"\"} 1\n", 7), 0);
    buffer_release(&text);
}
END_TEST

START_TEST(buckets_add_up)
{
    struct histogram_reading reading = {.sum_ns = 12345678901, .count = 5};
    struct openmetrics writer = begin(8192);
    reading.bucket[0] = 2;
    reading.bucket[HISTOGRAM_BUCKETS - 1] = 3;
    openmetrics_histogram(&writer, "wait", "Waiting", &reading);
    ck_assert_int_eq(openmetrics_end(&writer), RESULT_OK);
    ck_assert_int_eq(buffer_append(&text, "", 1), RESULT_OK);
    const char *all = (const char *)text.data;
    ck_assert_ptr_nonnull(strstr(all, "wait_seconds_bucket{le=\"1e-06\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(all, "wait_seconds_bucket{le=\"1.0\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(all, "wait_seconds_bucket{le=\"+Inf\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(all, "wait_seconds_count 5\n"));
    ck_assert_ptr_nonnull(strstr(all, "wait_seconds_sum 12.345678901\n"));
    buffer_release(&text);
}
END_TEST

START_TEST(what_does_not_fit_is_said_at_the_end)
{
    struct openmetrics writer = begin(100);
    openmetrics_family(&writer, OPENMETRICS_GAUGE, "a", NULL, "A");
    for (int i = 0; i < 10; i++)
        openmetrics_sample(&writer, NULL, NULL, i);
    ck_assert_int_eq(openmetrics_end(&writer), RESULT_BUSY);
    buffer_release(&text);
}
END_TEST

CHECK_MAIN("observe/openmetrics", families_have_their_heads_and_samples,
    a_label_s_value_is_escaped_and_cut, buckets_add_up, what_does_not_fit_is_said_at_the_end)
