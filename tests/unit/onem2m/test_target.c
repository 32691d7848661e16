/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/target.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NAME "0123456789abcdef0123456789abcdef"

static char *meter_addresses[] = {"cse-in/ae1", "Cae1", "cse-in/gateway/meter"};
static char *gauge_addresses[] = {"Cae2"};
static struct policy_endpoint endpoints[] = {
    {.name = "in-cse"},
    {.name = "meter", .addresses = meter_addresses, .address_count = ARRAY_SIZE(meter_addresses)},
    {.name = "cse-in", /* as the <CSEBase> */
        .addresses = gauge_addresses,
        .address_count = ARRAY_SIZE(gauge_addresses)},
};

static const struct policy policy = {
    .cse =
        {
            .sp_id = "m2m.example",
            .cse_id = "/in-cse",
            .cse_base = "cse-in",
            .resource_name = "e2EKeyCSE",
        },
    .http.notify_path = "/notify",
    .endpoints = endpoints,
    .endpoint_count = ARRAY_SIZE(endpoints),
};

static void expect_by(const struct policy *of, enum operation operation, const char *path,
    enum target_kind kind, const char *name)
{
    struct target target;

    target_parse(of, operation, path, &target);
    const char *got = target.endpoint ? target.endpoint->name : target.name;
    ck_assert_msg(target.kind == kind, "%s: kind %d, not %d", path, (int)target.kind, (int)kind);
    ck_assert_msg(strcmp(got, name) == 0, "%s: name \"%s\"", path, got);
}

static void expect(const char *path, enum target_kind kind, const char *name)
{
    expect_by(&policy, OPERATION_UPDATE, path, kind, name);
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
    struct policy twin = policy;
    static const char *const bases_of_twin[] = {
        "/in-cse", "/in-cse/in-cse", "/in-cse/-", "/-", "/~/in-cse", "/~/in-cse/in-cse"};
    char *addresses[] = {"in-cse/ae1"};
    struct policy_endpoint endpoint = {
        .name = "ae1", .addresses = addresses, .address_count = ARRAY_SIZE(addresses)};

    twin.cse.cse_base = "in-cse";
    twin.endpoints = &endpoint;
    twin.endpoint_count = 1;
    for (size_t i = 0; i < ARRAY_SIZE(bases_of_twin); i++) {
        char path[128];

        expect_by(&twin, OPERATION_UPDATE, bases_of_twin[i], TARGET_CSE_BASE, "");
        snprintf(path, sizeof(path), "%s/e2EKeyCSE", bases_of_twin[i]);
        expect_by(&twin, OPERATION_UPDATE, path, TARGET_ENTRY_POINT, "");
        snprintf(path, sizeof(path), "%s/e2EKeyCSE/%s", bases_of_twin[i], NAME);
        expect_by(&twin, OPERATION_UPDATE, path, TARGET_EXCHANGE, NAME);
    }
    expect_by(&twin, OPERATION_UPDATE, "/in-cse/ae1", TARGET_NOTIFY, "ae1");
    expect_by(&twin, OPERATION_UPDATE, "/-/ae1", TARGET_NOTIFY, "ae1");
    expect_by(&twin, OPERATION_UPDATE, "/in-cse/in-cse/ae1", TARGET_NOTIFY, "ae1");
    expect_by(&twin, OPERATION_UPDATE, "/~/in-cse/in-cse/ae1", TARGET_NOTIFY, "ae1");
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
    struct policy other = policy;

    expect("/notify", TARGET_NOTIFY, "");
    expect("/notify/", TARGET_NOTIFY, "");
    expect("/", TARGET_NOTIFY, "");
    expect("//", TARGET_NOTIFY, "");
    expect("", TARGET_NOTIFY, "");
    expect("/notifyx", TARGET_EXCHANGE, "notifyx");
    expect("/Notify/meter", TARGET_NONE, "");
    other.http.notify_path = "/a/b";
    expect_by(&other, OPERATION_NOTIFY, "/a/b/meter", TARGET_NOTIFY, "meter");
    expect_by(&other, OPERATION_NOTIFY, "//a//b//meter", TARGET_NOTIFY, "meter");
    expect_by(&other, OPERATION_NOTIFY, "/a", TARGET_EXCHANGE, "a");
    expect_by(&other, OPERATION_NOTIFY, "/notify/meter", TARGET_NONE, "");
}
END_TEST

/* What a CSE may have put after the pointOfAccess. */
START_TEST(below_the_notify_path)
{
    static const struct {
        const char *below, *name;
    } rows[] = {
        /* an end-point's name, and whatever */
        {"/meter", "meter"},
        {"//meter//", "meter"},
        {"/meter/x", "meter"},
        {"/meter/cse-in/e2EKeyCSE", "meter"},
        {"/meter/~/in-cse/cse-in/nobody", "meter"},
        {"/in-cse", "in-cse"},
        {"/in-cse/cse-in", "in-cse"},
        {"/cse-in", "cse-in"},
        {"/cse-in/ae9", "cse-in"},
        /* endpoints.resource, although an end-point is called cse-in, and another one in-cse */
        {"/cse-in/ae1", "meter"},
        {"//cse-in/ae1", "meter"},
        {"/-/ae1", "meter"},
        {"/Cae1", "meter"},
        {"/Cae2", "cse-in"},
        {"/in-cse/cse-in/ae1", "meter"},
        {"/~/in-cse/Cae1", "meter"},
        {"//~/in-cse/-/ae1", "meter"},
        {"/_/m2m.example/in-cse/cse-in/gateway/meter", "meter"},
        /* neither */
        {"", ""},
        {"//", ""},
        {"/~/in-cse", ""},
        {"/e2EKeyCSE", ""},
        {"/~/in-cse/cse-in/e2EKeyCSE/" NAME, ""},
        {"/~/in-cse/" NAME, ""},
        {"/nobody", ""},
        {"/nobody/x/y", ""},
        {"/" NAME, ""},
        {"/Cae1/x", ""},
        {"/-/ae9", ""},
        {"/~/in-cse/cse-in/ae9", ""},
        {"/~/other/cse-in/ae1", ""},
        {"/_/other.example/in-cse/Cae1", ""},
        {"/~", ""},
        {"/_", ""},
        {"/\xff\"%s", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char path[128];

        snprintf(path, sizeof(path), "/notify%s", rows[i].below);
        expect_by(&policy, OPERATION_NOTIFY, path, TARGET_NOTIFY, rows[i].name);
    }
    /* other operations */
    expect("/notify", TARGET_NOTIFY, "");
    expect("/notify//", TARGET_NOTIFY, "");
    expect("/notify/cse-in/ae1", TARGET_NOTIFY, "meter");
    expect("/notify/~/in-cse", TARGET_CSE_BASE, "");
    expect("/notify/-/e2EKeyCSE", TARGET_ENTRY_POINT, "");
    expect("/notify/~/in-cse/cse-in/e2EKeyCSE/" NAME, TARGET_EXCHANGE, NAME);
    expect("/notify//_/m2m.example/in-cse/" NAME, TARGET_EXCHANGE, NAME);
}
END_TEST

START_TEST(resources_of_end_points)
{
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        bool is_csebase = strcmp(strrchr(bases[i], '/'), "/cse-in") == 0 ||
                          strcmp(strrchr(bases[i], '/'), "/-") == 0;
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", bases[i], is_csebase ? "ae1" : "Cae1");
        expect(path, TARGET_NOTIFY, "meter");
        snprintf(path, sizeof(path), "%s//%s//", bases[i], is_csebase ? "gateway/meter" : "Cae2");
        expect(path, TARGET_NOTIFY, is_csebase ? "meter" : "cse-in");
        snprintf(path, sizeof(path), "%s/%s/x", bases[i], is_csebase ? "ae1" : "Cae1");
        expect(path, TARGET_NONE, "");
    }
    expect("/Cae1", TARGET_NOTIFY, "meter");
    expect("/cae1", TARGET_EXCHANGE, "cae1");
    expect("/cse-in/Cae1", TARGET_NONE, "");
    expect("/cse-in/gateway", TARGET_NONE, "");
    expect("/-/cse-in/ae1", TARGET_NONE, "");
    expect("/~/cse-in/ae1", TARGET_NONE, "");
    expect("/~/other/Cae1", TARGET_NONE, "");
    expect("/_/other.example/in-cse/Cae1", TARGET_NONE, "");
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
    notify, below_the_notify_path, resources_of_end_points, not_ours)
