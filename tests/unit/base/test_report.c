/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/report.h"

#include <string.h>

#include "support/check_main.h"

static const struct source_position place = {.file = "a.json", .pointer = "/keys/capacity"};

START_TEST(says_where_and_what)
{
    struct report report CLEANUP(report_release) = {0};
    report_fault(&report, &place, "must be %d", 1);
    report_warning(&report, &(struct source_position){.file = "a.json", .pointer = ""}, "whole");
    report_fault(&report, NULL, "nowhere");
    ck_assert_uint_eq(report.count, 3);
    ck_assert_uint_eq(report.faults, 2);
    ck_assert_str_eq(report.entries[0].text, "a.json: /keys/capacity: must be 1");
    ck_assert_str_eq(report.entries[1].text, "a.json: whole");
    ck_assert_str_eq(report.entries[2].text, "nowhere");
    ck_assert(!report.entries[0].warning && report.entries[1].warning);
}
END_TEST

START_TEST(keeps_to_one_printable_line)
{
    struct report report CLEANUP(report_release) = {0};
    char longer[5000];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    report_fault(&report, &place, "a\nb\x1b[2J\xff\x7f");
    report_fault(&report, &place, "%s", longer);
    ck_assert_str_eq(report.entries[0].text, "a.json: /keys/capacity: a\\x0ab\\x1b[2J\\xff\\x7f");
    ck_assert_uint_lt(strlen(report.entries[1].text), sizeof(longer));
}
END_TEST

START_TEST(counts_what_it_drops)
{
    struct report report CLEANUP(report_release) = {0};
    for (int i = 0; i < REPORT_ENTRIES_MAX; i++)
        report_warning(&report, &place, "warning %d", i);
    ck_assert_uint_eq(report.faults, 0);
    for (int i = 0; i < 5; i++)
        report_fault(&report, &place, "fault %d", i);
    ck_assert_uint_eq(report.count, REPORT_ENTRIES_MAX + 1);
    ck_assert_uint_eq(report.faults, 5);
    ck_assert_str_eq(report.entries[REPORT_ENTRIES_MAX].text, "there is more; correct these first");
}
END_TEST

CHECK_MAIN("base/report", says_where_and_what, keeps_to_one_printable_line, counts_what_it_drops)
