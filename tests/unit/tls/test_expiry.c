/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How CRLs stand as time passes. Own certificates: tests/integration/test_revocation.c. */
#include "tls/expiry.h"

#include <string.h>

#include "support/check_main.h"
#include "unit/trust/field.h"

#define DAY INT64_C(86400)

static struct expiry_list list_at(struct trust_store *store, int64_t now_s)
{
    struct expiry_list list = {0};
    ck_assert_int_eq(expiry_list_crls(store, now_s, &list), RESULT_OK);
    return list;
}

/* The only entry's state at NOW_S. */
static enum expiry_state state_at(struct trust_store *store, int64_t now_s, int64_t next_s)
{
    struct expiry_list list = list_at(store, now_s);
    ck_assert_uint_eq(list.count, 1);
    enum expiry_state state = list.items[0].state;
    ck_assert_int_eq(list.items[0].kind, EXPIRY_CRL);
    ck_assert_str_eq(list.items[0].name, "field");
    ck_assert_int_eq(list.items[0].next_s, next_s);
    expiry_list_release(&list);
    return state;
}

START_TEST(a_long_crl_is_expiring_three_days_before)
{
    const int64_t from_s = MAKER_NOW, at_s = MAKER_NOW + 100 * DAY;
    field_start();
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .this_update = from_s, .next_update = at_s});
    struct trust_store *store = field_store(1, true);
    ck_assert_int_eq(state_at(store, from_s - 1, from_s), EXPIRY_EARLY);
    ck_assert_int_eq(state_at(store, from_s, at_s - 3 * DAY), EXPIRY_CURRENT);
    ck_assert_int_eq(state_at(store, at_s - 3 * DAY - 1, at_s - 3 * DAY), EXPIRY_CURRENT);
    ck_assert_int_eq(state_at(store, at_s - 3 * DAY, at_s + 1), EXPIRY_EXPIRING);
    ck_assert_int_eq(state_at(store, at_s, at_s + 1), EXPIRY_EXPIRING);
    ck_assert_int_eq(state_at(store, at_s + 1, INT64_MAX), EXPIRY_EXPIRED);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(a_short_crl_is_expiring_in_its_last_tenth)
{
    field_start();
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "root", .this_update = MAKER_NOW, .next_update = MAKER_NOW + DAY});
    struct trust_store *store = field_store(1, false);
    const int64_t soon_s = MAKER_NOW + DAY - DAY / 10;
    ck_assert_int_eq(state_at(store, soon_s - 1, soon_s), EXPIRY_CURRENT);
    ck_assert_int_eq(state_at(store, soon_s, MAKER_NOW + DAY + 1), EXPIRY_EXPIRING);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(an_old_crl_beside_a_newer_does_not_count)
{
    field_start();
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 5});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    struct trust_store *store = field_store(2, true);
    struct expiry_list list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].at_s, MAKER_AFTER);
    ck_assert_str_eq(list.items[0].file->path, field.crl_paths[1]);
    expiry_list_release(&list);
    trust_store_free(store);
    field_stop();
}
END_TEST

/* Nobody needs to renew what counts for nothing, or what has a successor by the CA's new key. */
START_TEST(a_crl_that_says_nothing_does_not_run_out)
{
    const struct crl_recipe old = {.issuer = "root", .next_update = MAKER_NOW - 5};
    struct crl_recipe forged = old;
    forged.signer = "other";
    field_start();
    field_write_crl(field.crl_paths[0], &forged);
    field_write_crl(field.crl_paths[1], &old);
    struct trust_store *store = field_store(2, false);
    struct expiry_list list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.items[0].file->path, field.crl_paths[1]);
    expiry_list_release(&list);
    trust_store_free(store);

    /* A forged one does not hide that the good one has run out. */
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .signer = "other"});
    store = field_store(2, false);
    ck_assert_int_eq(state_at(store, MAKER_NOW, INT64_MAX), EXPIRY_EXPIRED);
    trust_store_free(store);

    maker_write(field.anchors_path, "root root-new");
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root-new"});
    store = field_store(2, true);
    list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 1); /* and none is missing: both anchors are one CA */
    ck_assert_int_eq(list.items[0].at_s, MAKER_AFTER);
    expiry_list_release(&list);
    trust_store_free(store);
    field_stop();
}
END_TEST

/* One of CAs only is no successor of one that covers leaves. */
START_TEST(a_crl_of_another_scope_is_no_successor)
{
    field_start();
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 5});
    field_write_crl(
        field.crl_paths[1], &(struct crl_recipe){.issuer = "root",
                                .extensions = "issuingDistributionPoint=critical,onlyCA:TRUE\n"});
    struct trust_store *store = field_store(2, false);
    struct expiry_list list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.items[0].state, EXPIRY_EXPIRED);
    expiry_list_release(&list);
    trust_store_free(store);
    field_stop();
}
END_TEST

/* Of the anchor itself: one of an intermediate CA alone lets nobody in. */
START_TEST(a_required_crl_can_be_missing)
{
    char line[EXPIRY_LINE_OCTETS];
    field_start();
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "sub"});
    struct trust_store *store = field_store(1, true);
    struct expiry_list list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.items[1].state, EXPIRY_MISSING);
    expiry_describe(&list.items[1], MAKER_NOW, line, sizeof(line));
    ck_assert_msg(strstr(line, "no CRL of certificate 1"), "%s", line);
    ck_assert_ptr_nonnull(strstr(line, field.anchors_path));
    expiry_list_release(&list);
    trust_store_free(store);

    store = field_store(0, false);
    list = list_at(store, MAKER_NOW);
    ck_assert_uint_eq(list.count, 0);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(says_how_long_is_left)
{
    static const struct {
        int64_t left_s;
        const char *text;
    } cases[] = {{10 * DAY, "in 10 days"}, {DAY, "in 24 hours"}, {7200, "in 2 hours"},
        {7199, "in 119 minutes"}, {90, "in 90 seconds"}, {0, "in 0 seconds"}};
    const struct policy_file file = {.path = "/a.crl"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct expiry expiry = {.kind = EXPIRY_CRL,
            .state = EXPIRY_EXPIRING,
            .file = &file,
            .number = 2,
            .at_s = MAKER_NOW + cases[i].left_s};
        char line[EXPIRY_LINE_OCTETS];
        expiry_describe(&expiry, MAKER_NOW, line, sizeof(line));
        ck_assert_msg(strstr(line, "/a.crl: CRL 2 expires "), "%s", line);
        ck_assert_msg(strstr(line, cases[i].text), "%s", line);
    }
}
END_TEST

CHECK_MAIN("tls/expiry", a_long_crl_is_expiring_three_days_before,
    a_short_crl_is_expiring_in_its_last_tenth, an_old_crl_beside_a_newer_does_not_count,
    a_crl_that_says_nothing_does_not_run_out, a_crl_of_another_scope_is_no_successor,
    a_required_crl_can_be_missing, says_how_long_is_left)
