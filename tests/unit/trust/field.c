/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/trust/field.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust/crl_notice.h"
#include "trust/store_load.h"

static const struct recipe authorities[] = {
    {.name = "root", .extensions = MAKER_CA, .not_before = FIELD_LONG_AGO, .not_after = FIELD_LATE},
    {.name = "other",
        .extensions = MAKER_CA,
        .not_before = FIELD_LONG_AGO,
        .not_after = FIELD_LATE},
    {.name = "silent",
        .not_before = FIELD_LONG_AGO,
        .not_after = FIELD_LATE,
        .extensions =
            "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\nsubjectKeyIdentifier=hash\n"},
    {.name = "sub", .issuer = "root", .extensions = MAKER_CA},
    {.name = "sub-new", .subject = "sub", .issuer = "root", .extensions = MAKER_CA},
    {.name = "sub-fake", .subject = "sub", .issuer = "other", .extensions = MAKER_CA},
    {.name = "root-new",
        .subject = "root",
        .extensions = MAKER_CA,
        .not_before = FIELD_LONG_AGO,
        .not_after = FIELD_LATE},
    {.name = "silent-sub",
        .issuer = "root",
        .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n" MAKER_IDS},
    {0},
};

struct field field;

void field_start(void)
{
    snprintf(field.folder, sizeof(field.folder), "/tmp/e2ekeyd-crl-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(field.folder));
    snprintf(field.anchors_path, sizeof(field.anchors_path), "%s/anchors", field.folder);
    for (size_t i = 0; i < ARRAY_SIZE(field.crl_paths); i++)
        snprintf(field.crl_paths[i], sizeof(field.crl_paths[i]), "%s/crl%zu", field.folder, i);
    maker_start(authorities);
    maker_write(field.anchors_path, "root");
    field.leaf = maker_make(&(struct recipe){0});
    field.below_sub = maker_make(&(struct recipe){.issuer = "sub"});
    field.sub = maker_authority("sub");
}

void field_stop(void)
{
    buffer_release(&field.leaf);
    buffer_release(&field.below_sub);
    buffer_release(&field.sub);
    maker_stop();
    unlink(field.anchors_path);
    unlink(field.crl_paths[0]);
    unlink(field.crl_paths[1]);
    ck_assert_int_eq(rmdir(field.folder), 0);
}

void field_write_crl(const char *path, const struct crl_recipe *recipe)
{
    struct buffer der AUTO_BUFFER = maker_crl(recipe);
    maker_write_file(path, buffer_bytes(&der));
}

struct report field_notices(struct trust_store *store)
{
    struct report report = {0};
    crl_notices_report(store, &report);
    return report;
}

void field_expect_notice(struct trust_store *store, bool is_fault, const char *text)
{
    struct report report CLEANUP(report_release) = field_notices(store);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_msg(strstr(report.entries[0].text, text), "%s", report.entries[0].text);
    ck_assert_msg(report.faults == is_fault, "%s", report.entries[0].text);
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "policy.json: /trust/0/crls/"));
}

/* The store keeps the policy. */
enum result field_load(
    size_t count, bool require, struct trust_store **store, struct report *report)
{
    static struct policy_file crls[2] = {
        {field.crl_paths[0], {"policy.json", "/trust/0/crls/0"}},
        {field.crl_paths[1], {"policy.json", "/trust/0/crls/1"}},
    };
    static struct policy_trust trust;
    static struct policy policy = {.trust = &trust, .trust_count = 1};
    trust = (struct policy_trust){.place = {"policy.json", "/trust/0"},
        .name = "field",
        .anchors = {field.anchors_path, {"policy.json", "/trust/0/anchors"}},
        .crls = crls,
        .crl_count = count,
        .require_crl = require};
    return trust_store_new(&policy, store, report);
}

struct trust_store *field_store(size_t count, bool require)
{
    struct report report = {0};
    struct trust_store *store = NULL;
    enum result result = field_load(count, require, &store, &report);
    ck_assert_msg(result == RESULT_OK, "%s", report.count > 0 ? report.entries[0].text : "");
    ck_assert_uint_eq(report.count, 0);
    report_release(&report);
    return store;
}
