/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/https.h"

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/check_main.h"

static char folder[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_pki(void)
{
    const char *scratch = getenv("TMPDIR");
    int status;
    pid_t child;
    snprintf(folder, sizeof(folder), "%s/https-XXXXXX", scratch ? scratch : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *const arguments[] = {"scripts/mkpki", folder, NULL};
    ck_assert_int_eq(posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static struct policy_file file(const char *name)
{
    static char paths[8][128];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return (struct policy_file){.path = path, .place = {"policy.json", "/http/tls"}};
}

static enum result load(
    const char *certificate, const char *key, const char *anchors, size_t faults)
{
    struct report report CLEANUP(report_release) = {0};
    struct https https CLEANUP(https_release) = {0};
    const struct policy_http http = {
        .tls = true,
        .certificate = file(certificate),
        .private_key = file(key),
        .client_anchors = anchors ? file(anchors) : (struct policy_file){0},
    };

    enum result result = https_load(&http, &https, &report);
    ck_assert_uint_eq(report.faults, faults);
    for (size_t i = 0; i < report.count; i++) {
        ck_assert_ptr_nonnull(strstr(report.entries[i].text, "policy.json: /http/tls: "));
        ck_assert_ptr_nonnull(strstr(report.entries[i].text, folder));
    }
    return result;
}

START_TEST(loads_what_fits)
{
    make_pki();
    ck_assert_int_eq(load("http.pem", "http.key", NULL, 0), RESULT_OK);
    ck_assert_int_eq(load("http.pem", "http.key", "mcc-ca.pem", 0), RESULT_OK);
    remove_folder();
}
END_TEST

START_TEST(says_all_that_is_wrong)
{
    char path[128];

    make_pki();
    ck_assert_int_eq(load("http.pem", "meter.key", NULL, 1), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(load("http.pem", "http.key", "http.key", 1), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(load("http.key", "http.key", NULL, 1), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(load("none", "none", "none", 3), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(load("", "http.key", NULL, 1), RESULT_BAD_CONFIGURATION);
    snprintf(path, sizeof(path), "%s/http.key", folder);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(load("http.pem", "http.key", NULL, 1), RESULT_BAD_CONFIGURATION);
    remove_folder();
}
END_TEST

START_TEST(no_session_is_not_trusted)
{
    ck_assert(!https_is_client_trusted(NULL));
}
END_TEST

CHECK_MAIN("http/https", loads_what_fits, says_all_that_is_wrong, no_session_is_not_trusted)
