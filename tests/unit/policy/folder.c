/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/policy/folder.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[32];

void folder_make(void)
{
    snprintf(folder, sizeof(folder), "/tmp/e2ekeyd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void folder_remove(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void folder_write(const char *name, const char *text)
{
    if (strncmp(name, "policy.d/", 9) == 0)
        mkdir("policy.d", 0700);
    FILE *file = fopen(name, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

struct policy *folder_load_file(const char *name, const char *text)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy = NULL;
    folder_write(name, text);
    const enum result result = policy_load(name, &policy, &report);
    ck_assert_msg(result == RESULT_OK, "%s", report.count > 0 ? report.entries[0].text : "");
    ck_assert_uint_eq(report.faults, 0);
    return policy;
}

struct policy *folder_load(const char *text)
{
    return folder_load_file("policy.json", text);
}

static bool reports(const char *text, bool whole)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    const enum result result = policy_load("policy.json", &policy, &report);
    ck_assert((result == RESULT_OK) == (report.faults == 0));
    ck_assert((result == RESULT_OK) == (policy != NULL));
    for (size_t i = 0; i < report.count; i++)
        if (whole ? strcmp(report.entries[i].text, text) == 0
                  : strncmp(report.entries[i].text, text, strlen(text)) == 0)
            return true;
    return false;
}

bool folder_reports(const char *text)
{
    return reports(text, true);
}

bool folder_reports_start(const char *text)
{
    return reports(text, false);
}
