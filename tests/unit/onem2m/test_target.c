/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/target.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NAME "0123456789abcdef0123456789abcdef"

static const struct policy_cse cse = {
    .sp_id = "m2m.example",
    .cse_id = "/in-cse",
    .cse_base = "cse-in",
    .resource_name = "e2EKeyCSE",
};

static void expect_at(
    const char *notify_path, const char *path, enum target_kind kind, const char *name)
{
    struct target target;

    target_parse(&cse, notify_path, path, &target);
    ck_assert_msg(target.kind == kind, "%s: kind %d, not %d", path, (int)target.kind, (int)kind);
    ck_assert_msg(strcmp(target.name, name) == 0, "%s: name \"%s\"", path, target.name);
}

static void expect(const char *path, enum target_kind kind, const char *name)
{
    expect_at("/notify", path, kind, name);
}

static const char *const bases[] = {"/cse-in", "/-", "/~/in-cse", "/~/in-cse/cse-in", "/~/in-cse/-",
    "/_/m2m.example/in-cse", "/_/m2m.example/in-cse/cse-in", "/_/m2m.example/in-cse/-",
    "/_/M2M.Example/in-cse", "/some/base/~/in-cse/cse-in", "/base/_/m2m.example/in-cse",
    "//~/in-cse", "/~/other/~/in-cse", "/in-cse", "/in-cse/cse-in", "/in-cse/-", "/~//in-cse",
    "/_//m2m.example///in-cse//-", "///cse-in", "/~/~/in-cse"};

static void expect_below(const char *below, enum target_kind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        for (int slashes = 0; slashes < 3; slashes++) {
            char path[256];
            snprintf(path, sizeof(path), "%s%s%.*s", bases[i], below, slashes, "//");
            expect(path, kind, name);
        }
    }
}

START_TEST(structured)
{
    expect_below("", TARGET_CSE_BASE, "");
    expect_below("/e2EKeyCSE", TARGET_ENTRY_POINT, "");
    expect_below("/e2EKeyCSE/" NAME, TARGET_EXCHANGE, NAME);
    expect_below("/e2EKeyCSE/" NAME "/more", TARGET_NONE, "");
    expect_below("//e2EKeyCSE//" NAME, TARGET_EXCHANGE, NAME);
}
END_TEST

START_TEST(unstructured)
{
    expect("/" NAME, TARGET_EXCHANGE, NAME);
    expect("/~/in-cse/" NAME, TARGET_EXCHANGE, NAME);
    expect("/_/m2m.example/in-cse/" NAME "/", TARGET_EXCHANGE, NAME);
    expect("/poa/~/in-cse/" NAME, TARGET_EXCHANGE, NAME);
    expect("/in-cse/" NAME, TARGET_EXCHANGE, NAME);
    expect("/~//in-cse//" NAME "//", TARGET_EXCHANGE, NAME);
    expect("/e2EKeyCSE", TARGET_ENTRY_POINT, ""); /* its own ri */
    expect("/" NAME "/more", TARGET_NONE, "");
}
END_TEST

/* The CSE-ID and the name of the CSEBase are often the same word. */
START_TEST(one_word_for_cse_and_base)
{
    static const struct policy_cse twin = {
        .sp_id = "m2m.example",
        .cse_id = "/in-cse",
        .cse_base = "in-cse",
        .resource_name = "e2EKeyCSE",
    };
    static const char *const bases_of_twin[] = {
        "/in-cse", "/in-cse/in-cse", "/in-cse/-", "/-", "/~/in-cse", "/~/in-cse/in-cse"};

    for (size_t i = 0; i < ARRAY_SIZE(bases_of_twin); i++) {
        char path[128];
        struct target target;

        target_parse(&twin, "/notify", bases_of_twin[i], &target);
        ck_assert_int_eq(target.kind, TARGET_CSE_BASE);
        snprintf(path, sizeof(path), "%s/e2EKeyCSE", bases_of_twin[i]);
        target_parse(&twin, "/notify", path, &target);
        ck_assert_int_eq(target.kind, TARGET_ENTRY_POINT);
        snprintf(path, sizeof(path), "%s/e2EKeyCSE/%s", bases_of_twin[i], NAME);
        target_parse(&twin, "/notify", path, &target);
        ck_assert_int_eq(target.kind, TARGET_EXCHANGE);
        ck_assert_str_eq(target.name, NAME);
    }
}
END_TEST

START_TEST(names_have_a_bound)
{
    char path[TARGET_NAME_OCTETS + 2] = "/";

    memset(path + 1, 'x', TARGET_NAME_OCTETS - 1);
    expect(path, TARGET_EXCHANGE, path + 1);
    memset(path + 1, 'x', TARGET_NAME_OCTETS);
    expect(path, TARGET_NONE, "");
}
END_TEST

START_TEST(notify)
{
    expect("/notify", TARGET_NOTIFY, "");
    expect("/notify/", TARGET_NOTIFY, "");
    expect("/notify/meter", TARGET_NOTIFY, "meter");
    expect("//notify//meter/", TARGET_NOTIFY, "meter");
    expect("/notify/meter/x", TARGET_NONE, "");
    expect("/", TARGET_NOTIFY, "");
    expect("//", TARGET_NOTIFY, "");
    expect("", TARGET_NOTIFY, "");
    expect("/notifyx", TARGET_EXCHANGE, "notifyx");
    expect("/Notify/meter", TARGET_NONE, "");
    expect_at("/a/b", "/a/b/meter", TARGET_NOTIFY, "meter");
    expect_at("/a/b", "/a", TARGET_EXCHANGE, "a");
    expect_at("/a/b", "/notify/meter", TARGET_NONE, "");
}
END_TEST

START_TEST(not_ours)
{
    static const char *const paths[] = {"/~", "/_", "/~/", "/~/other", "/~/other/cse-in/e2EKeyCSE",
        "/~/in-cse/cse-in/other", "/~/in-cse/cse-in/other/ab", "/~//other", "/~in-cse/ab",
        "/_/m2m.example", "/_/other.example/in-cse", "/_/m2m.example/other/cse-in/e2EKeyCSE",
        "/_/m2m.example/~/in-cse/x/y", "/cse-in/other", "/in-cse/other/x", "/other/e2EKeyCSE",
        "/base/cse-in/e2EKeyCSE", "cse-in", "cse-in/e2EKeyCSE", "/~/in-cse/~/other",
        "/~/in-cse/cse-in/cse-in", "/CSE-IN/e2EKeyCSE", "/~/In-cse/e2EKeyCSE", "\xff"};

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        expect(paths[i], TARGET_NONE, "");
}
END_TEST

CHECK_MAIN("onem2m/target", structured, unstructured, one_word_for_cse_and_base, names_have_a_bound,
    notify, not_ours)
