/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/configuration.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/server.h"
#include "observe/log.h"
#include "policy/load.h"
#include "tls/expiry.h"

enum result configuration_load(
    const char *path, uint64_t generation, struct snapshot **out, struct report *report)
{
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    struct tls_context *tls = NULL;

    *out = NULL;
    enum result result = policy_load(path, &policy, report);
    if (result == RESULT_OK)
        result = tls_context_new(policy, &tls, report);
    if (result != RESULT_OK)
        return result;
    *out = snapshot_new(policy, tls, tls_context_free, generation);
    if (!*out) {
        tls_context_free(tls);
        return RESULT_NO_MEMORY;
    }
    TAKE_PTR(policy);
    return RESULT_OK;
}

void configuration_log(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].warning)
            log_warning("%s", report->entries[i].text);
        else
            log_error("%s", report->entries[i].text);
    }
}

int configuration_check(const char *path)
{
    struct report report CLEANUP(report_release) = {0};
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = NULL;

    enum result result = configuration_load(path, 1, &snapshot, &report);
    if (result == RESULT_OK) {
        http_server_check(snapshot->policy, &report);
        expiry_report(snapshot->tls, &report);
    }
    for (size_t i = 0; i < report.count; i++)
        fprintf(
            stderr, "%s%s\n", report.entries[i].warning ? "warning: " : "", report.entries[i].text);
    if (result == RESULT_OK && report.faults == 0)
        return EXIT_SUCCESS;
    if (report.faults == 0)
        fprintf(stderr, "e2ekeyd: %s: %s\n", path, result_text(result));
    return EXIT_FAILURE;
}
