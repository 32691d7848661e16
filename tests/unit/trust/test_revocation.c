/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs while a path is validated: whom they keep out, and which of them count. */
#include "trust/revocation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alert.h"
#include "support/check_main.h"
#include "trust/evidence.h"
#include "trust/path.h"
#include "trust/review.h"
#include "trust/store_load.h"
#include "unit/trust/field.h"

#define AKI "authorityKeyIdentifier=keyid\n"
#define IDP "issuingDistributionPoint=critical,DER:"

/* The verdict on CHAIN: 0, or the alert. */
static int alert_of(
    struct trust_store *store, const struct bytes *chain, size_t count, struct fault *fault)
{
    struct path_verdict verdict;
    *fault = FAULT_INIT;
    enum result result =
        path_validate(store, chain, count, PATH_CLIENT, MAKER_NOW, &verdict, fault);
    return result == RESULT_OK ? 0 : fault->alert;
}

/* The verdict on the leaf (or the one below the intermediate). */
static int alert_at(struct trust_store *store, bool is_below_sub)
{
    struct bytes chain[] = {
        buffer_bytes(is_below_sub ? &field.below_sub : &field.leaf), buffer_bytes(&field.sub)};
    struct fault fault;
    return alert_of(store, chain, is_below_sub ? 2 : 1, &fault);
}

static int alert_with(size_t count, bool require, bool is_below_sub)
{
    struct trust_store *store = field_store(count, require);
    int alert = alert_at(store, is_below_sub);
    ck_assert_int_eq(alert, alert_at(store, is_below_sub)); /* and from memory */
    trust_store_free(store);
    return alert;
}

START_TEST(keeps_revoked_certificates_out)
{
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
}
END_TEST

START_TEST(asks_for_a_current_crl_where_required)
{
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
    ck_assert_int_eq(alert_with(1, true, false), 0); /* RFC 5280 6.3.3: the CA's clock is ahead */

    /* Out of date, it still says who is revoked; and a newer one beside it counts. */
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "root", .next_update = MAKER_NOW - 1, .revoked = {leaf_der}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .next_update = MAKER_NOW - 1});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(2, true, false), 0);
}
END_TEST

/* A file that is not there keeps nobody from starting; whom it matters to is refused, and told. */
START_TEST(a_missing_file_is_out_of_order_where_required_only)
{
    unlink(field.crl_paths[0]);
    struct trust_store *store = field_store(1, false);
    ck_assert_int_eq(alert_at(store, false), 0);
    field_expect_notice(store, false, "No such file");
    trust_store_free(store);

    store = field_store(1, true);
    ck_assert_int_eq(alert_at(store, false), TLS_ALERT_BAD_CERTIFICATE);
    field_expect_notice(store, false, "counts for nothing, and the trust domain lets in nobody");
    trust_store_free(store);
}
END_TEST

/* Wasted signature checks must not make the validator skip a CRL. */
START_TEST(is_not_worn_out_by_bad_signatures)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *store = field_store(1, false);
    struct trust_effort none = {0};
    struct certificate certificate, issuer;
    struct revocation_keys keys;
    struct fault fault;
    struct buffer root AUTO_BUFFER = maker_authority("root");
    ck_assert_int_eq(certificate_parse(buffer_bytes(&field.leaf), &certificate, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&root), &issuer, &fault), RESULT_OK);
    ck_assert(!trust_signed_by(store, &certificate, &issuer, &none));
    struct crl_set *set = crl_set_of(store, &store->domains[0]);
    revocation_keys_of(&store->domains[0], &issuer, &keys);
    ck_assert_uint_eq(keys.count, 1); /* the anchor's is the issuer's */
    struct revocation_finding finding = revocation_of(store, set, &certificate, &keys, MAKER_NOW);
    ck_assert_int_eq(finding.revocation, REVOCATION_REVOKED);
    crl_set_unref(set);
    trust_store_free(store);
}
END_TEST

/* A CRL that no key of its issuer signed costs one verification, and not one for each handshake. */
START_TEST(a_bad_signature_is_remembered)
{
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .signer = "other"});
    struct trust_store *store = field_store(1, false);
    struct crl_set *set = crl_set_of(store, &store->domains[0]);
    struct bytes point = store->domains[0].anchors[0].certificate.point;
    ck_assert_int_eq(
        trust_crl_signature(store, set->crls[0], point, false), TRUST_SIGNATURE_UNKNOWN);
    ck_assert_int_eq(alert_at(store, false), 0);
    ck_assert_int_eq(trust_crl_signature(store, set->crls[0], point, false), TRUST_SIGNATURE_BAD);
    crl_set_unref(set);
    trust_store_free(store);
}
END_TEST

/* --- the scope --- */

/* What a CRL of root with EXTENSIONS, the only one there is, makes of the leaf and of the one below
 * the intermediate, whose issuer has a whole one. */
static void expect_scope(const char *extensions, int alert_leaf, int alert_below)
{
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .extensions = extensions});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    ck_assert_msg(alert_with(2, true, false) == alert_leaf, "the leaf: %s", extensions);
    ck_assert_msg(alert_with(2, true, true) == alert_below, "the CA: %s", extensions);
}

/* Critical or not: who ignores an extension may not take a part for the whole. */
START_TEST(the_scope_decides)
{
    const int no = TLS_ALERT_BAD_CERTIFICATE;
    const struct {
        const char *value; /* of issuingDistributionPoint */
        int leaf, below;
    } cases[] = {
        {"3009A007A0058603613A62", 0, 0},               /* fullName, a URI */
        {"3010A00EA10C300A06035504030C03786364", 0, 0}, /* nameRelativeToCRLIssuer */
        {"30038101FF", 0, no},                          /* onlyContainsUserCerts */
        {"300CA007A0058603613A628101FF", 0, no},        /* that of step-ca: both */
        {"30038201FF", no, 0},                          /* onlyContainsCACerts */
        {"300483020560", no, no},                       /* onlySomeReasons */
        {"30038401FF", no, no},                         /* indirectCRL */
        {"30038501FF", no, no},                         /* onlyContainsAttributeCerts */
        {"30068101FF8201FF", no, no},                   /* of nothing */
        {"3003810100", no, no},                         /* a default that is encoded */
        {"30058101FF0500", no, no},                     /* more than there is */
        {"3004A0020500", no, no},                       /* no name of a distribution point */
        {"0500", no, no},
    };
    char lines[256];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(lines, sizeof(lines), AKI IDP "%s\n", cases[i].value);
        expect_scope(lines, cases[i].leaf, cases[i].below);
        snprintf(lines, sizeof(lines), AKI "issuingDistributionPoint=DER:%s\n", cases[i].value);
        expect_scope(lines, cases[i].leaf, cases[i].below);
    }
    expect_scope(AKI "deltaCRL=DER:020101\n", no, no);
    expect_scope(AKI "deltaCRL=critical,DER:020101\n", no, no);
}
END_TEST

/* Out of its scope a CRL does not revoke either. */
START_TEST(a_crl_of_cas_revokes_no_leaf)
{
    struct crl_recipe recipe = {
        .issuer = "root", .revoked = {buffer_bytes(&field.leaf), buffer_bytes(&field.sub)}};
    recipe.extensions = AKI IDP "30038201FF\n";
    field_write_crl(field.crl_paths[0], &recipe);
    ck_assert_int_eq(alert_with(1, false, false), 0);
    ck_assert_int_eq(alert_with(1, false, true), TLS_ALERT_CERTIFICATE_REVOKED);
    recipe.extensions = AKI IDP "30038101FF\n";
    field_write_crl(field.crl_paths[0], &recipe);
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    ck_assert_int_eq(alert_with(1, false, true), 0);
}
END_TEST

START_TEST(a_refusal_says_what_is_wrong_with_the_crl)
{
    const struct {
        struct crl_recipe recipe;
        const char *text;
    } cases[] = {
        {{.issuer = "other"}, "issuer of the leaf: there is none in its name"},
        {{.issuer = "root", .signer = "other"}, "not signed by a trusted key"},
        {{.issuer = "root", .extensions = AKI IDP "30038201FF\n"}, "CA certificates only"},
        {{.issuer = "root", .next_update = MAKER_NOW - 1}, "has run out"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct bytes chain = buffer_bytes(&field.leaf);
        struct fault fault;
        field_write_crl(field.crl_paths[0], &cases[i].recipe);
        struct trust_store *store = field_store(1, true);
        ck_assert_int_eq(alert_of(store, &chain, 1, &fault), TLS_ALERT_BAD_CERTIFICATE);
        ck_assert_msg(strstr(fault.text, cases[i].text), "%s", fault.text);
        trust_store_free(store);
    }
}
END_TEST

/* --- whose key signs --- */

START_TEST(key_identifiers_are_hints)
{
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root",
                                            .revoked = {buffer_bytes(&field.leaf)},
                                            .extensions = "authorityKeyIdentifier=DER:"
                                                          "30068004DEADBEEF\n"});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
}
END_TEST

/* RFC 5280 7.1. */
START_TEST(the_issuer_may_be_spelled_otherwise)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "root", .is_printable = true, .revoked = {buffer_bytes(&field.leaf)}});
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "sub", .is_printable = true, .revoked = {buffer_bytes(&field.below_sub)}});
    ck_assert_int_eq(alert_with(1, false, true), TLS_ALERT_CERTIFICATE_REVOKED);
}
END_TEST

START_TEST(another_anchor_of_the_name_signs_too)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root-new", .revoked = {buffer_bytes(&field.leaf)}});
    ck_assert_int_eq(alert_with(1, false, false), 0); /* it is no anchor yet */
    maker_write(field.anchors_path, "root root-new");
    ck_assert_int_eq(alert_with(1, false, false), TLS_ALERT_CERTIFICATE_REVOKED);
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root-new"});
    ck_assert_int_eq(alert_with(1, true, false), 0);
}
END_TEST

/* The one below the intermediate, presented with that and with authority OTHER beside. */
static int alert_beside(const char *other, size_t count, bool require)
{
    struct buffer beside AUTO_BUFFER = maker_authority(other);
    struct bytes chain[] = {
        buffer_bytes(&field.below_sub), buffer_bytes(&field.sub), buffer_bytes(&beside)};
    struct trust_store *store = field_store(count, require);
    struct fault fault;
    int alert = alert_of(store, chain, 3, &fault);
    ck_assert_int_eq(alert, alert_of(store, chain, 3, &fault)); /* and from memory */
    trust_store_free(store);
    return alert;
}

/* RFC 5280 6.3.3 (f), (g): a certificate of the CA with its new key, presented along. */
START_TEST(a_presented_new_key_of_the_ca_signs_too)
{
    const int no = TLS_ALERT_BAD_CERTIFICATE;
    struct buffer sub_new AUTO_BUFFER = maker_authority("sub-new");
    const struct bytes below = buffer_bytes(&field.below_sub);
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "sub-new", .revoked = {below}});
    ck_assert_int_eq(alert_with(1, false, true), 0);
    ck_assert_int_eq(alert_beside("sub-fake", 1, false), 0);
    ck_assert_int_eq(alert_beside("sub-new", 1, false), TLS_ALERT_CERTIFICATE_REVOKED);

    /* That nobody is listed counts as well, if the CA with the new key is not revoked itself. */
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "sub-new"});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_with(2, true, true), no);
    ck_assert_int_eq(alert_beside("sub-new", 2, true), 0);
    field_write_crl(field.crl_paths[1],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&sub_new)}});
    ck_assert_int_eq(alert_beside("sub-new", 2, true), no);

    /* One that anybody can make: its path has to be valid. */
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "sub-fake"});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(alert_beside("sub-fake", 2, true), no);
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "sub-fake", .revoked = {below}});
    ck_assert_int_eq(alert_beside("sub-fake", 1, false), 0);
}
END_TEST

/* RFC 5280 6.3.3 (f): the paths of both end at one anchor. Here the other CA of that name is below
 * another anchor of the domain. */
START_TEST(a_ca_of_that_name_under_another_anchor_is_another_ca)
{
    maker_write(field.anchors_path, "root other");
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "sub-fake", .revoked = {buffer_bytes(&field.below_sub)}});
    ck_assert_int_eq(alert_beside("sub-fake", 1, false), 0);
}
END_TEST

/* A CA has certificates by two anchors, and another domain's CRL lists one of them: the path by the
 * other one is good, whichever anchor comes first. */
START_TEST(a_crl_of_another_domain_leaves_the_other_path)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.sub)}});
    maker_write(field.crl_paths[1], "root");
    struct buffer crossed AUTO_BUFFER = maker_make(&(struct recipe){
        .key = "sub", .subject = "sub", .issuer = "other", .extensions = MAKER_CA});
    const struct bytes chain[] = {
        buffer_bytes(&field.below_sub), buffer_bytes(&field.sub), buffer_bytes(&crossed)};
    static const char *const orders[] = {"root other", "other root", "root"};
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        struct policy_file crl = {field.crl_paths[0], {"policy.json", "/trust/1/crls/0"}};
        struct policy_trust trust[] = {
            {.name = "field", .anchors = {field.anchors_path, {"policy.json", "/trust/0/anchors"}}},
            {.name = "lists",
                .anchors = {field.crl_paths[1], {"policy.json", "/trust/1/anchors"}},
                .crls = &crl,
                .crl_count = 1},
        };
        const struct policy policy = {.trust = trust, .trust_count = ARRAY_SIZE(trust)};
        struct report report CLEANUP(report_release) = {0};
        struct trust_store *store = NULL;
        struct path_verdict verdict;
        struct evidence evidence;
        struct fault fault = FAULT_INIT;
        maker_write(field.anchors_path, orders[i]);
        ck_assert_int_eq(trust_store_new(&policy, &store, &report), RESULT_OK);
        enum result result = path_validate(
            store, chain, ARRAY_SIZE(chain), PATH_CLIENT, MAKER_NOW, &verdict, &fault);
        if (i == 2) {
            ck_assert_int_eq(fault.alert, TLS_ALERT_CERTIFICATE_REVOKED);
        } else {
            ck_assert_msg(result == RESULT_OK, "%s", fault.text);
            ck_assert_uint_eq(verdict.trusted, 1);
            ck_assert_int_eq(evidence_write(store, &verdict, 0, &evidence), RESULT_OK);
            ck_assert_ptr_null(
                review_find_revoking(store, bytes_of(evidence.octets, evidence.size)));
        }
        trust_store_free(store);
    }
}
END_TEST

START_TEST(wants_cRLSign_of_an_issuer)
{
    struct buffer leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "silent"});
    const struct bytes chain = buffer_bytes(&leaf);
    struct fault fault;
    maker_write(field.anchors_path, "silent");
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "silent", .revoked = {chain}, .extensions = "crlNumber=DER:020101\n"});
    struct trust_store *store = field_store(1, false);
    ck_assert_int_eq(alert_of(store, &chain, 1, &fault), 0);
    field_expect_notice(store, false, "CRL 1 of CN=silent: not signed by the anchor");
    trust_store_free(store);
}
END_TEST

/* --- what is said of them --- */

START_TEST(a_crl_that_nothing_explains_is_said_until_it_is_used)
{
    const struct bytes chain[] = {buffer_bytes(&field.below_sub), buffer_bytes(&field.sub)};
    struct fault fault;
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "sub"});
    struct trust_store *store = field_store(1, false);
    field_expect_notice(
        store, false, "CRL 1 of CN=sub: no anchor of trust domain field has this issuer's name");
    ck_assert_int_eq(alert_of(store, chain, 2, &fault), 0);
    struct report report = field_notices(store);
    ck_assert_uint_eq(report.count, 0);
    trust_store_free(store);

    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .signer = "other"});
    store = field_store(1, false);
    field_expect_notice(store, false, "CRL 1 of CN=root: not signed by the anchor of that name");
    trust_store_free(store);
}
END_TEST

START_TEST(a_crl_of_cas_alone_is_said)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .extensions = AKI IDP "30038201FF\n"});
    struct trust_store *store = field_store(1, true);
    field_expect_notice(store, false, "CRL 1 of CN=root: it covers CA certificates only");
    trust_store_free(store);
    field_write_crl(field.crl_paths[1],
        &(struct crl_recipe){.issuer = "root", .extensions = AKI IDP "30038101FF\n"});
    store = field_store(2, true);
    struct report report = field_notices(store);
    ck_assert_uint_eq(report.count, 0);
    trust_store_free(store);
}
END_TEST

CHECK_MAIN_FIXTURE("trust/revocation", field_start, field_stop, keeps_revoked_certificates_out,
    asks_for_a_current_crl_where_required, a_missing_file_is_out_of_order_where_required_only,
    is_not_worn_out_by_bad_signatures, a_bad_signature_is_remembered, the_scope_decides,
    a_crl_of_cas_revokes_no_leaf, a_refusal_says_what_is_wrong_with_the_crl,
    key_identifiers_are_hints, the_issuer_may_be_spelled_otherwise,
    another_anchor_of_the_name_signs_too, a_presented_new_key_of_the_ca_signs_too,
    a_ca_of_that_name_under_another_anchor_is_another_ca,
    a_crl_of_another_domain_leaves_the_other_path, wants_cRLSign_of_an_issuer,
    a_crl_that_nothing_explains_is_said_until_it_is_used, a_crl_of_cas_alone_is_said)
