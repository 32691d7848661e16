/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs: what is read, what is refused, and whom they keep out. */
#include "tls/revocation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maker.h"
#include "support/check_main.h"
#include "tls/record.h"

#define AKI "authorityKeyIdentifier=keyid\n"

static const struct recipe authorities[] = {
    /* Valid by the host's clock too: no warning beside those of the CRLs. */
    {.name = "root",
        .extensions = MAKER_CA,
        .not_before = INT64_C(1000000000),
        .not_after = INT64_C(4000000000)},
    {.name = "other", .extensions = MAKER_CA},
    {.name = "silent",
        .not_before = INT64_C(1000000000),
        .not_after = INT64_C(4000000000),
        .extensions =
            "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\nsubjectKeyIdentifier=hash\n"},
    {.name = "sub", .issuer = "root", .extensions = MAKER_CA},
    {0},
};

static char folder[] = "/tmp/e2ekeyd-crl-XXXXXX";
static char anchors_path[64], crl_paths[2][64];
static struct buffer leaf, below_sub, sub;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(anchors_path, sizeof(anchors_path), "%s/anchors", folder);
    for (size_t i = 0; i < ARRAY_SIZE(crl_paths); i++)
        snprintf(crl_paths[i], sizeof(crl_paths[i]), "%s/crl%zu", folder, i);
    maker_start(authorities);
    maker_write(anchors_path, "root");
    leaf = maker_make(&(struct recipe){0});
    below_sub = maker_make(&(struct recipe){.issuer = "sub"});
    sub = maker_authority("sub");
}

static void tear_down(void)
{
    buffer_release(&leaf);
    buffer_release(&below_sub);
    buffer_release(&sub);
    maker_stop();
    unlink(anchors_path);
    unlink(crl_paths[0]);
    unlink(crl_paths[1]);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void write_crl(const char *path, const struct crl_recipe *recipe)
{
    AUTO_BUFFER struct buffer der = maker_crl(recipe);
    maker_write_file(path, buffer_bytes(&der));
}

/* Loads the root as a domain's anchor, with the first COUNT of the CRL files. */
static enum result load(
    size_t count, bool require, struct trust_store **store, struct report *report)
{
    struct policy_file crls[2] = {
        {crl_paths[0], {"policy.json", "/trust/0/crls/0"}},
        {crl_paths[1], {"policy.json", "/trust/0/crls/1"}},
    };
    struct policy_trust trust = {.place = {"policy.json", "/trust/0"},
        .name = "field",
        .anchors = {anchors_path, {"policy.json", "/trust/0/anchors"}},
        .crls = crls,
        .crl_count = count,
        .require_crl = require};
    struct policy policy = {.trust = &trust, .trust_count = 1};
    return trust_store_new(&policy, store, report);
}

/* The verdict on the leaf (or the one below the intermediate): 0, or the alert. */
static int alert_at(struct trust_store *store, bool is_below_sub, int64_t now_s)
{
    struct bytes chain[] = {buffer_bytes(is_below_sub ? &below_sub : &leaf), buffer_bytes(&sub)};
    struct path_verdict verdict;
    struct fault fault = FAULT_INIT;
    enum result result =
        path_validate(store, chain, is_below_sub ? 2 : 1, PATH_CLIENT, now_s, &verdict, &fault);
    return result == RESULT_OK ? 0 : fault.alert;
}

static int alert_with(size_t count, bool require, bool is_below_sub)
{
    struct trust_store *store;
    struct report report = {0};
    enum result result = load(count, require, &store, &report);
    ck_assert_msg(result == RESULT_OK, "%s", report.count > 0 ? report.entries[0].text : "");
    int alert = alert_at(store, is_below_sub, MAKER_NOW);
    ck_assert_int_eq(alert, alert_at(store, is_below_sub, MAKER_NOW)); /* and from memory */
    trust_store_free(store);
    report_release(&report);
    return alert;
}

START_TEST(keeps_revoked_certificates_out)
{
    set_up();
    const struct bytes leaf_der = buffer_bytes(&leaf), sub_der = buffer_bytes(&sub),
                       below_der = buffer_bytes(&below_sub);

    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(1, true, false), 0);
    ck_assert_int_eq(alert_with(1, false, false), 0);

    write_crl(crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {sub_der, leaf_der, below_der}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    ck_assert_int_eq(alert_with(1, false, true), TLS_ALERT_CERTIFICATE_REVOKED); /* the CA is */

    /* A serial number counts for its own issuer alone. */
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root", .revoked = {below_der}});
    ck_assert_int_eq(alert_with(1, false, true), 0);
    write_crl(crl_paths[1], &(struct crl_recipe){.issuer = "sub", .revoked = {below_der}});
    ck_assert_int_eq(alert_with(2, false, true), TLS_ALERT_CERTIFICATE_REVOKED);

    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root",
                                .revoked = {leaf_der},
                                .entry_extensions = "CRLReason=critical,DER:0A0106\n"});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    tear_down();
}
END_TEST

START_TEST(asks_for_a_current_crl_where_required)
{
    set_up();
    const struct bytes leaf_der = buffer_bytes(&leaf);
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(1, true, true), TLS_ALERT_BAD_CERTIFICATE); /* sub has none */
    write_crl(crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    ck_assert_int_eq(alert_with(2, true, true), 0);

    /* Signed by somebody else: as if it weren't there. */
    write_crl(crl_paths[1], &(struct crl_recipe){.issuer = "sub", .signer = "other"});
    ck_assert_int_eq(alert_with(2, true, true), TLS_ALERT_BAD_CERTIFICATE);
    ck_assert_int_eq(alert_with(2, false, true), 0);

    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 1});
    ck_assert_int_eq(alert_with(1, true, false), TLS_ALERT_BAD_CERTIFICATE);
    ck_assert_int_eq(alert_with(1, false, false), 0);
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root", .this_update = MAKER_NOW + 1});
    ck_assert_int_eq(alert_with(1, true, false), TLS_ALERT_BAD_CERTIFICATE);

    /* Out of date, it still says who is revoked; and a newer one beside it counts. */
    write_crl(
        crl_paths[0], &(struct crl_recipe){
                          .issuer = "root", .next_update = MAKER_NOW - 1, .revoked = {leaf_der}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 1});
    write_crl(crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(2, true, false), 0);
    tear_down();
}
END_TEST

/* Wasted signature checks must not make the validator skip a CRL. */
START_TEST(is_not_worn_out_by_bad_signatures)
{
    set_up();
    write_crl(
        crl_paths[0], &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&leaf)}});
    struct trust_store *store;
    struct report report = {0};
    ck_assert_int_eq(load(1, false, &store, &report), RESULT_OK);
    unsigned none = 0;
    struct certificate certificate, issuer;
    struct fault fault;
    AUTO_BUFFER struct buffer root = maker_authority("root");
    ck_assert_int_eq(certificate_parse(buffer_bytes(&leaf), &certificate, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&root), &issuer, &fault), RESULT_OK);
    ck_assert(!trust_signed_by(store, &certificate, &issuer, &none));
    ck_assert_int_eq(revocation_of(store, &store->domains[0], &certificate, &issuer, MAKER_NOW),
        REVOCATION_REVOKED);
    trust_store_free(store);
    report_release(&report);
    tear_down();
}
END_TEST

/* The report's entry that is a fault has to say TEXT. */
static void expect_fault(const char *text)
{
    struct trust_store *store;
    struct report report = {0};
    ck_assert_int_eq(load(1, false, &store, &report), RESULT_BAD_CONFIGURATION);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_msg(strstr(report.entries[0].text, text), "%s", report.entries[0].text);
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "policy.json: /trust/0/crls/0: "));
    report_release(&report);
}

START_TEST(refuses_what_it_does_not_understand)
{
    static const struct {
        struct crl_recipe recipe;
        const char *fault;
    } cases[] = {
        {{.issuer = "root", .signer = "other"}, "not signed by the anchor"},
        {{.issuer = "root", .extensions = AKI "1.2.3=critical,DER:0500\n"}, "1.2.3"},
        {{.issuer = "root", .extensions = AKI "deltaCRL=critical,DER:020101\n"}, "2.5.29.27"},
        {{.issuer = "root", .extensions = AKI "issuingDistributionPoint=critical,onlyuser:TRUE\n"},
            "2.5.29.28"},
        {{.issuer = "root", .digest = "SHA384"}, "ecdsa-with-SHA256"},
        {{.issuer = "root", .next_update = -1}, "without nextUpdate"},
    };
    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_crl(crl_paths[0], &cases[i].recipe);
        expect_fault(cases[i].fault);
    }
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root",
                                .revoked = {buffer_bytes(&leaf)},
                                .entry_extensions = "2.5.29.29=critical,DER:3000\n"});
    expect_fault("2.5.29.29");
    maker_write_file(crl_paths[0], bytes_of_string("nothing"));
    expect_fault("there is none in this file");
    maker_write_file(crl_paths[0], buffer_bytes(&leaf));
    expect_fault("malformed");
    unlink(crl_paths[0]);
    expect_fault("No such file");
    tear_down();
}
END_TEST

START_TEST(wants_cRLSign_of_an_issuer)
{
    set_up();
    maker_write(anchors_path, "silent");
    write_crl(crl_paths[0],
        &(struct crl_recipe){.issuer = "silent", .extensions = "crlNumber=DER:020101\n"});
    expect_fault("not signed by the anchor");
    tear_down();
}
END_TEST

START_TEST(says_when_crls_run_out)
{
    set_up();
    write_crl(crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 5});
    write_crl(crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    struct trust_store *store;
    struct report report = {0};
    int64_t next_update_s = 0;
    ck_assert_int_eq(load(2, false, &store, &report), RESULT_OK);
    ck_assert_uint_eq(report.count, 2); /* by the host's clock, neither is current */
    ck_assert(report.entries[0].warning);
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "CRL 1: "));
    ck_assert(trust_store_crl_expiry(store, 0, &next_update_s));
    ck_assert_int_eq(next_update_s, MAKER_AFTER);
    ck_assert(!trust_store_crl_expiry(store, 1, &next_update_s));
    trust_store_free(store);
    report_release(&report);
    ck_assert_int_eq(load(0, false, &store, &report), RESULT_OK);
    ck_assert(!trust_store_crl_expiry(store, 0, &next_update_s));
    trust_store_free(store);
    report_release(&report);
    tear_down();
}
END_TEST

/* Nothing cut short is a CRL, and no changed octet makes one that crashes us. */
START_TEST(survives_damage)
{
    set_up();
    AUTO_BUFFER struct buffer der = maker_crl(&(struct crl_recipe){
        .issuer = "root", .revoked = {buffer_bytes(&leaf), buffer_bytes(&sub)}});
    for (size_t i = 0; i < der.size; i++) {
        CLEANUP(crl_release) struct crl cut, changed;
        struct fault fault;
        uint8_t *copy = malloc(der.size);
        memcpy(copy, der.data, der.size);
        ck_assert_int_ne(crl_parse(bytes_of(copy, i), &cut, &fault), RESULT_OK);
        copy[i] ^= 0x81;
        if (crl_parse(bytes_of(copy, der.size), &changed, &fault) == RESULT_OK)
            (void)crl_lists(&changed, bytes_of(copy, 3));
        free(copy);
    }
    tear_down();
}
END_TEST

CHECK_MAIN("tls/revocation", keeps_revoked_certificates_out, asks_for_a_current_crl_where_required,
    is_not_worn_out_by_bad_signatures, refuses_what_it_does_not_understand,
    wants_cRLSign_of_an_issuer, says_when_crls_run_out, survives_damage)
