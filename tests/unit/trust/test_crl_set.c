/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRL files that change, go and come: which of them are in force. */
#include "trust/crl_set_load.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "trust/path.h"
#include "trust/store_load.h"
#include "unit/trust/field.h"

#define NUMBER(hex) "authorityKeyIdentifier=keyid\ncrlNumber=DER:" hex "\n"

/* How many entries the CRLs of the first file that are in force have; -1: there is none. */
static int entries_of(struct trust_store *store, size_t file)
{
    struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, &store->domains[0]);
    int count = -1;
    for (size_t i = 0; i < set->count; i++) {
        if (set->slot_of[i] == file)
            count = (count < 0 ? 0 : count) + (int)set->crls[i]->crl.serial_count;
    }
    return count;
}

static void reload(struct trust_store *store, bool expect_change)
{
    bool changed;
    ck_assert_int_eq(trust_store_reload_crls(store, 0, &changed), RESULT_OK);
    ck_assert_int_eq(changed, expect_change);
}

static void expect_no_notice(struct trust_store *store)
{
    struct report report CLEANUP(report_release) = field_notices(store);
    ck_assert_msg(report.count == 0, "%s", report.count > 0 ? report.entries[0].text : "");
}

/* A list of root in file FILE, with an entry more or less, so that it can be told. */
static void write_list(size_t file, const char *number, int64_t this_update_s, bool has_entry)
{
    struct crl_recipe recipe = {
        .issuer = "root", .extensions = number, .this_update = this_update_s};
    if (has_entry)
        recipe.revoked[0] = buffer_bytes(&field.leaf);
    field_write_crl(field.crl_paths[file], &recipe);
}

START_TEST(a_new_file_takes_the_place_of_the_old)
{
    write_list(0, NULL, 0, false);
    struct trust_store *store = field_store(1, false);
    struct crl_set *old = crl_set_of(store, &store->domains[0]);
    ck_assert_int_eq(entries_of(store, 0), 0);

    write_list(0, NULL, 0, true);
    struct file_print print = file_print_of(field.crl_paths[0]);
    ck_assert_int_eq(entries_of(store, 0), 0);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1);
    struct file_print in_force = trust_store_crl_print(store, 0, 0);
    ck_assert(file_print_equal(&in_force, &print));
    ck_assert_uint_eq(old->crls[0]->crl.serial_count, 0); /* whoever holds it may use it */
    crl_set_unref(old);
    reload(store, false);
    trust_store_free(store);
}
END_TEST

START_TEST(a_bad_file_keeps_no_other_out)
{
    write_list(0, NULL, 0, true);
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    struct trust_store *store = field_store(2, false);

    maker_write_file(field.crl_paths[0], bytes_of_string("<html>busy</html>"));
    field_write_crl(field.crl_paths[1],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.sub)}});
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1); /* as it was */
    ck_assert_int_eq(entries_of(store, 1), 1); /* the new one */
    field_expect_notice(store, true, "what it held before stays in force");
    reload(store, false);
    field_expect_notice(store, true, "neither PEM nor DER");

    write_list(0, NULL, 0, false);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 0);
    expect_no_notice(store);
    trust_store_free(store);
}
END_TEST

/* At a start nothing was in force before; the other file is. */
START_TEST(a_bad_file_at_a_start_counts_for_nothing)
{
    maker_write_file(field.crl_paths[0], bytes_of_string(""));
    write_list(1, NULL, 0, true);
    struct trust_store *store = field_store(2, false);
    ck_assert_int_eq(entries_of(store, 0), -1);
    ck_assert_int_eq(entries_of(store, 1), 1);
    field_expect_notice(store, true, "it counts for nothing");
    trust_store_free(store);
}
END_TEST

START_TEST(a_file_that_goes_stays_in_force_and_one_that_comes_is_taken)
{
    write_list(0, NULL, 0, true);
    unlink(field.crl_paths[1]);
    struct trust_store *store = field_store(2, false);
    ck_assert_int_eq(entries_of(store, 1), -1);
    unlink(field.crl_paths[0]);
    write_list(1, NULL, 0, true);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1);
    ck_assert_int_eq(entries_of(store, 1), 1);
    field_expect_notice(store, false, "No such file");

    /* What is not there is not looked for again and again; what cannot be read is. */
    struct file_print seen = trust_store_crl_print(store, 0, 0);
    struct file_print now = file_print_of(field.crl_paths[0]);
    ck_assert(file_print_equal(&seen, &now));
    ck_assert_int_eq(symlink(field.folder, field.crl_paths[0]), 0);
    reload(store, false);
    seen = trust_store_crl_print(store, 0, 0);
    now = file_print_of(field.crl_paths[0]);
    ck_assert(!file_print_equal(&seen, &now));
    ck_assert_int_eq(entries_of(store, 0), 1);
    trust_store_free(store);
}
END_TEST

/* Does NEXT, of number and thisUpdate, take the place of the list with number 5 of MAKER_BEFORE? */
static bool takes_place(const char *number, int64_t this_update_s)
{
    write_list(0, NUMBER("020105"), MAKER_BEFORE, true);
    struct trust_store *store = field_store(1, false);
    write_list(0, number, this_update_s, false);
    bool changed;
    ck_assert_int_eq(trust_store_reload_crls(store, 0, &changed), RESULT_OK);
    ck_assert_int_eq(entries_of(store, 0), changed ? 0 : 1);
    if (changed)
        expect_no_notice(store);
    else
        field_expect_notice(store, false, "CRL 1: older than the one of its issuer");
    trust_store_free(store);
    return changed;
}

START_TEST(an_older_list_replaces_no_newer)
{
    ck_assert(takes_place(NUMBER("020105"), MAKER_BEFORE));
    ck_assert(takes_place(NUMBER("020106"), MAKER_BEFORE));
    ck_assert(takes_place(NUMBER("02020100"), MAKER_BEFORE));
    ck_assert(takes_place(NUMBER("021440000000000000000000000000000000000000"
                                 "00"),
        MAKER_BEFORE));
    ck_assert(!takes_place(NUMBER("020104"), MAKER_BEFORE + 60)); /* the number decides */
    ck_assert(!takes_place(NUMBER("020105"), MAKER_BEFORE - 1));
    ck_assert(takes_place(NUMBER("020105"), MAKER_BEFORE + 1));
    /* By the time alone: without a number, or by another key, which may count anew. */
    ck_assert(!takes_place("authorityKeyIdentifier=keyid\n", MAKER_BEFORE - 1));
    ck_assert(takes_place("authorityKeyIdentifier=keyid\n", MAKER_BEFORE + 1));
    ck_assert(takes_place("crlNumber=DER:020101\n", MAKER_BEFORE + 1));
    ck_assert(!takes_place("crlNumber=DER:020109\n", MAKER_BEFORE - 1));
    /* Of another scope it is another list. */
    ck_assert(takes_place(
        NUMBER("020101") "issuingDistributionPoint=critical,onlyuser:TRUE\n", MAKER_BEFORE));
}
END_TEST

/* A list with number NUMBER in ISSUER's name, by SIGNER, that lists OF. */
static void write_signed(
    const char *issuer, const char *signer, const char *number, const struct buffer *of)
{
    struct crl_recipe recipe = {.issuer = issuer, .signer = signer, .extensions = number};
    if (of)
        recipe.revoked[0] = buffer_bytes(of);
    field_write_crl(field.crl_paths[0], &recipe);
}

/* Who can put a file there is not the CA: neither does his list displace the CA's, nor does it keep
 * out the later ones. */
START_TEST(a_list_that_its_issuer_did_not_sign_displaces_none)
{
    write_signed("root", NULL, NUMBER("020106"), &field.leaf);
    struct trust_store *store = field_store(1, false);
    for (int i = 0; i < 2; i++) {
        write_signed("root", "other", NUMBER("020109"), NULL);
        reload(store, true);
        ck_assert_int_eq(entries_of(store, 0), 1);
        field_expect_notice(store, false, "not signed by the anchor of that name");
    }
    struct trust_store *next = field_store(1, false);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    trust_store_free(store);
    ck_assert_int_eq(entries_of(next, 0), 1);
    write_signed("root", NULL, NUMBER("020105"), NULL);
    reload(next, false);
    ck_assert_int_eq(entries_of(next, 0), 1);
    write_signed("root", NULL, NUMBER("020107"), NULL);
    reload(next, true);
    ck_assert_int_eq(entries_of(next, 0), 0);
    expect_no_notice(next);
    trust_store_free(next);
}
END_TEST

/* It cannot be known yet which of the intermediate's are its own: all that may be are there. */
START_TEST(lists_of_an_unknown_ca_wait_beside_each_other)
{
    struct path_verdict verdict;
    struct fault fault = FAULT_INIT;
    const struct bytes chain[] = {buffer_bytes(&field.below_sub), buffer_bytes(&field.sub)};
    write_signed("sub", NULL, NUMBER("020105"), &field.leaf);
    struct trust_store *store = field_store(1, false);
    write_signed("sub", "other", NUMBER("020109"), NULL);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1);
    for (int i = 0; i < 3; i++) {
        write_signed("sub", NULL, NUMBER("020106"), NULL);
        reload(store, true);
        ck_assert_int_eq(entries_of(store, 0), 1); /* as much as before */
    }
    ck_assert_int_eq(
        path_validate(store, chain, 2, PATH_CLIENT, MAKER_NOW, &verdict, &fault), RESULT_OK);
    reload(store, true); /* the files have not changed, and the newer one explains itself */
    ck_assert_int_eq(entries_of(store, 0), 0);
    expect_no_notice(store);
    write_signed("sub", "other", NUMBER("020109"), NULL);
    reload(store, true);
    write_signed("sub", NULL, NUMBER("020107"), &field.leaf);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1);

    /* A new policy does not forget the CA, while its anchor is one. */
    struct trust_store *next = field_store(1, false);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    expect_no_notice(next);
    trust_store_free(next);
    maker_write(field.anchors_path, "other");
    next = field_store(1, false);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    field_expect_notice(next, false, "no anchor of trust domain field has this issuer's name");
    trust_store_free(next);
    trust_store_free(store);
}
END_TEST

/* Whatever was in the file meanwhile, or whatever file it is now. */
START_TEST(an_older_list_replaces_no_newer_in_another_file)
{
    write_signed("root", NULL, NUMBER("020109"), &field.leaf);
    struct trust_store *store = field_store(1, false);
    write_signed("other", NULL, NULL, NULL);
    reload(store, true);
    ck_assert_int_eq(entries_of(store, 0), 1);
    write_signed("root", NULL, NUMBER("020107"), NULL);
    reload(store, false);
    ck_assert_int_eq(entries_of(store, 0), 1);

    char *const path = field.crl_paths[0];
    char renamed[sizeof(field.crl_paths[0])];
    snprintf(renamed, sizeof(renamed), "%s", path);
    renamed[strlen(renamed) - 1] = 'x';
    ck_assert_int_eq(rename(path, renamed), 0);
    struct report report CLEANUP(report_release) = {0};
    struct policy_file file = {renamed, {"policy.json", "/trust/0/crls/0"}};
    struct policy_trust trust = *store->domains[0].trust;
    struct policy policy = {.trust = &trust, .trust_count = 1};
    trust.crls = &file;
    struct trust_store *next;
    ck_assert_int_eq(trust_store_new(&policy, &next, &report), RESULT_OK);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    ck_assert_int_eq(entries_of(next, 0), 1);
    field_expect_notice(
        next, false, "CRL 1: older than the one of its issuer that is in force; the newer");
    trust_store_free(store);

    /* So it stays for as long as that file is older, and no longer. */
    bool changed;
    ck_assert_int_eq(rename(renamed, path), 0);
    write_signed("root", NULL, NUMBER("020108"), NULL);
    ck_assert_int_eq(rename(path, renamed), 0);
    ck_assert_int_eq(trust_store_reload_crls(next, 0, &changed), RESULT_OK);
    ck_assert_int_eq(entries_of(next, 0), 1);
    write_signed("root", NULL, NUMBER("020110"), NULL);
    ck_assert_int_eq(rename(path, renamed), 0);
    ck_assert_int_eq(trust_store_reload_crls(next, 0, &changed), RESULT_OK);
    ck_assert_int_eq(entries_of(next, 0), 0);
    expect_no_notice(next);
    trust_store_free(next);
    unlink(renamed);
}
END_TEST

/* The file that goes is named before the one that stays, and holds the newer list. */
START_TEST(a_file_that_the_policy_drops_leaves_its_newer_list)
{
    write_list(0, NUMBER("020109"), 0, true);
    write_list(1, NUMBER("020107"), 0, false);
    struct trust_store *store = field_store(2, false);
    struct policy_trust trust = *store->domains[0].trust;
    struct policy policy = {.trust = &trust, .trust_count = 1};
    struct report report CLEANUP(report_release) = {0};
    struct trust_store *next;
    trust.crls++;
    trust.crl_count = 1;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(trust_store_new(&policy, &next, &report), RESULT_OK);
        ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
        trust_store_free(store);
        store = next;
        ck_assert_int_eq(entries_of(store, 0), 1);
    }
    trust_store_free(store);
}
END_TEST

/* A new policy reads the files anew: what is in force under the old one is not lost by it. */
START_TEST(a_new_policy_does_not_lose_what_is_in_force)
{
    write_list(0, NUMBER("020105"), 0, true);
    write_list(1, NUMBER("020105"), 0, true);
    struct trust_store *old = field_store(2, false);
    unlink(field.crl_paths[0]);
    write_list(1, NUMBER("020104"), 0, false);
    struct trust_store *store = field_store(2, false);
    ck_assert_int_eq(entries_of(store, 0), -1);
    ck_assert_int_eq(entries_of(store, 1), 0);
    ck_assert_int_eq(trust_store_keep_crls(store, old), RESULT_OK);
    trust_store_free(old);
    ck_assert_int_eq(entries_of(store, 0), 1);
    ck_assert_int_eq(entries_of(store, 1), 1);
    struct report report = field_notices(store);
    ck_assert_uint_eq(report.count, 2);
    report_release(&report);

    write_list(1, NUMBER("020106"), 0, false);
    struct trust_store *next = field_store(2, false);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    ck_assert_int_eq(entries_of(next, 0), 1);
    ck_assert_int_eq(entries_of(next, 1), 0);
    trust_store_free(store);
    trust_store_free(next);
}
END_TEST

/* --- files with several --- */

/* A file of three: a list of root and one of sub, with an entry each, and a bad one between. */
static void write_three(const char *bad)
{
    const struct crl_recipe recipes[] = {
        {.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}},
        {.issuer = "sub", .extensions = bad},
        {.issuer = "sub", .revoked = {buffer_bytes(&field.below_sub)}},
    };
    maker_write_crls(field.crl_paths[0], recipes, ARRAY_SIZE(recipes));
}

/* Who loses one of several CRLs does not have to lose the others with it. */
START_TEST(what_can_be_used_of_a_bad_file_is)
{
    struct report report CLEANUP(report_release) = {0};
    write_three("deltaCRL=DER:020101\n");
    struct trust_store *store = field_store(1, false);
    ck_assert_int_eq(entries_of(store, 0), 2);
    report = field_notices(store);
    ck_assert_uint_eq(report.faults, 1);
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "CRL 2: a delta CRL"));
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "; its other CRLs count"));
    trust_store_free(store);
}
END_TEST

/* What it held when it was whole stays beside, and goes when it is whole again. */
START_TEST(a_file_that_is_bad_in_part_takes_nothing_away)
{
    write_signed("sub", NULL, NULL, &field.below_sub);
    struct trust_store *store = field_store(1, false);
    ck_assert_int_eq(entries_of(store, 0), 1);
    for (int i = 0; i < 2; i++) {
        write_three("deltaCRL=DER:020101\n");
        reload(store, true);
        ck_assert_int_eq(entries_of(store, 0), 3);
    }
    struct report report CLEANUP(report_release) = field_notices(store);
    ck_assert_msg(strstr(report.entries[0].text, "what it held before stays in force"), "%s",
        report.entries[0].text);

    struct trust_store *next = field_store(1, false);
    ck_assert_int_eq(entries_of(next, 0), 2);
    ck_assert_int_eq(trust_store_keep_crls(next, store), RESULT_OK);
    ck_assert_int_eq(entries_of(next, 0), 3);
    trust_store_free(store);
    write_list(0, NULL, 0, true);
    reload(next, true);
    ck_assert_int_eq(entries_of(next, 0), 1);
    expect_no_notice(next);
    trust_store_free(next);
}
END_TEST

/* COUNT of them into FILE. */
static void write_many(size_t file, size_t count)
{
    struct crl_recipe recipes[CRL_SET_MAX + 1];
    for (size_t i = 0; i < count; i++)
        recipes[i] = (struct crl_recipe){.issuer = "root"};
    maker_write_crls(field.crl_paths[file], recipes, count);
}

START_TEST(a_domain_takes_so_many)
{
    write_many(0, CRL_SET_MAX - 1);
    write_many(1, 1);
    struct trust_store *store = field_store(2, false);
    expect_no_notice(store);
    write_many(1, 2);
    reload(store, false);
    field_expect_notice(store, true, "more than 128 CRLs in the trust domain");
    trust_store_free(store);

    write_many(0, CRL_SET_MAX + 1);
    store = field_store(1, false);
    field_expect_notice(store, true, "CRL 129: more than 128; its other CRLs count");
    trust_store_free(store);
}
END_TEST

CHECK_MAIN_FIXTURE("trust/crl_set", field_start, field_stop, a_new_file_takes_the_place_of_the_old,
    a_bad_file_keeps_no_other_out, a_bad_file_at_a_start_counts_for_nothing,
    a_file_that_goes_stays_in_force_and_one_that_comes_is_taken, an_older_list_replaces_no_newer,
    an_older_list_replaces_no_newer_in_another_file,
    a_file_that_the_policy_drops_leaves_its_newer_list,
    a_list_that_its_issuer_did_not_sign_displaces_none,
    lists_of_an_unknown_ca_wait_beside_each_other, a_new_policy_does_not_lose_what_is_in_force,
    what_can_be_used_of_a_bad_file_is, a_file_that_is_bad_in_part_takes_nothing_away,
    a_domain_takes_so_many)
