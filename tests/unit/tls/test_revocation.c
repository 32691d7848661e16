/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs: what is read, what is refused, and whom they keep out. */
#include "tls/revocation.h"

#include <string.h>
#include <unistd.h>

#include "field.h"
#include "support/check_main.h"
#include "tls/record.h"

#define AKI "authorityKeyIdentifier=keyid\n"

/* The verdict on the leaf (or the one below the intermediate): 0, or the alert. */
static int alert_at(struct trust_store *store, bool is_below_sub, int64_t now_s)
{
    struct bytes chain[] = {
        buffer_bytes(is_below_sub ? &field.below_sub : &field.leaf), buffer_bytes(&field.sub)};
    struct path_verdict verdict;
    struct fault fault = FAULT_INIT;
    enum result result =
        path_validate(store, chain, is_below_sub ? 2 : 1, PATH_CLIENT, now_s, &verdict, &fault);
    return result == RESULT_OK ? 0 : fault.alert;
}

static int alert_with(size_t count, bool require, bool is_below_sub)
{
    struct trust_store *store = field_store(count, require);
    int alert = alert_at(store, is_below_sub, MAKER_NOW);
    ck_assert_int_eq(alert, alert_at(store, is_below_sub, MAKER_NOW)); /* and from memory */
    trust_store_free(store);
    return alert;
}

START_TEST(keeps_revoked_certificates_out)
{
    field_start();
    const struct bytes leaf_der = buffer_bytes(&field.leaf), sub_der = buffer_bytes(&field.sub),
                       below_der = buffer_bytes(&field.below_sub);

    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(1, true, false), 0);
    ck_assert_int_eq(alert_with(1, false, false), 0);

    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {sub_der, leaf_der, below_der}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    ck_assert_int_eq(alert_with(1, false, true), TLS_ALERT_CERTIFICATE_REVOKED); /* the CA is */

    /* A serial number counts for its own issuer alone. */
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .revoked = {below_der}});
    ck_assert_int_eq(alert_with(1, false, true), 0);
    field_write_crl(
        field.crl_paths[1], &(struct crl_recipe){.issuer = "sub", .revoked = {below_der}});
    ck_assert_int_eq(alert_with(2, false, true), TLS_ALERT_CERTIFICATE_REVOKED);

    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root",
                                            .revoked = {leaf_der},
                                            .entry_extensions = "CRLReason=critical,DER:0A0106\n"});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    field_stop();
}
END_TEST

START_TEST(asks_for_a_current_crl_where_required)
{
    field_start();
    const struct bytes leaf_der = buffer_bytes(&field.leaf);
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(1, true, true), TLS_ALERT_BAD_CERTIFICATE); /* sub has none */
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    ck_assert_int_eq(alert_with(2, true, true), 0);

    /* Signed by somebody else: as if it weren't there. */
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub", .signer = "other"});
    ck_assert_int_eq(alert_with(2, true, true), TLS_ALERT_BAD_CERTIFICATE);
    ck_assert_int_eq(alert_with(2, false, true), 0);

    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 1});
    ck_assert_int_eq(alert_with(1, true, false), TLS_ALERT_BAD_CERTIFICATE);
    ck_assert_int_eq(alert_with(1, false, false), 0);
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .this_update = MAKER_NOW + 1});
    ck_assert_int_eq(alert_with(1, true, false), TLS_ALERT_BAD_CERTIFICATE);

    /* Out of date, it still says who is revoked; and a newer one beside it counts. */
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "root", .next_update = MAKER_NOW - 1, .revoked = {leaf_der}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 1});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(2, true, false), 0);
    field_stop();
}
END_TEST

/* Wasted signature checks must not make the validator skip a CRL. */
START_TEST(is_not_worn_out_by_bad_signatures)
{
    field_start();
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *store = field_store(1, false);
    struct trust_effort none = {0};
    struct certificate certificate, issuer;
    struct fault fault;
    AUTO_BUFFER struct buffer root = maker_authority("root");
    ck_assert_int_eq(certificate_parse(buffer_bytes(&field.leaf), &certificate, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&root), &issuer, &fault), RESULT_OK);
    ck_assert(!trust_signed_by(store, &certificate, &issuer, &none));
    struct crl_set *set = crl_set_of(store, &store->domains[0]);
    ck_assert_int_eq(
        revocation_of(store, set, &certificate, &issuer, MAKER_NOW), REVOCATION_REVOKED);
    crl_set_unref(set);
    trust_store_free(store);
    field_stop();
}
END_TEST

/* The report's entry that is a fault has to say TEXT. */
static void expect_fault(const char *text)
{
    struct trust_store *store;
    struct report report = {0};
    ck_assert_int_eq(field_load(1, false, &store, &report), RESULT_BAD_CONFIGURATION);
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
    field_start();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        field_write_crl(field.crl_paths[0], &cases[i].recipe);
        expect_fault(cases[i].fault);
    }
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root",
                                            .revoked = {buffer_bytes(&field.leaf)},
                                            .entry_extensions = "2.5.29.29=critical,DER:3000\n"});
    expect_fault("2.5.29.29");
    maker_write_file(field.crl_paths[0], bytes_of_string("nothing"));
    expect_fault("there is none in this file");
    maker_write_file(field.crl_paths[0], buffer_bytes(&field.leaf));
    expect_fault("malformed");
    unlink(field.crl_paths[0]);
    expect_fault("No such file");
    field_stop();
}
END_TEST

START_TEST(wants_cRLSign_of_an_issuer)
{
    field_start();
    maker_write(field.anchors_path, "silent");
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "silent", .extensions = "crlNumber=DER:020101\n"});
    expect_fault("not signed by the anchor");
    field_stop();
}
END_TEST

/* Nothing cut short is a CRL, and no changed octet makes one that crashes us. */
START_TEST(survives_damage)
{
    field_start();
    AUTO_BUFFER struct buffer der = maker_crl(&(struct crl_recipe){
        .issuer = "root", .revoked = {buffer_bytes(&field.leaf), buffer_bytes(&field.sub)}});
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
    field_stop();
}
END_TEST

CHECK_MAIN("tls/revocation", keeps_revoked_certificates_out, asks_for_a_current_crl_where_required,
    is_not_worn_out_by_bad_signatures, refuses_what_it_does_not_understand,
    wants_cRLSign_of_an_issuer, survives_damage)
