/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stays of a path with its key, and what CRLs say of it later. */
#include "tls/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "field.h"
#include "support/check_main.h"
#include "tls/revocation.h"

static struct evidence evidence_of(
    struct trust_store *store, const struct bytes *chain, size_t count)
{
    struct path_verdict verdict;
    struct evidence evidence;
    struct fault fault = FAULT_INIT;
    ck_assert_msg(
        path_validate(store, chain, count, PATH_CLIENT, MAKER_NOW, &verdict, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert_int_eq(evidence_write(store, &verdict, 0, &evidence), RESULT_OK);
    return evidence;
}

static struct evidence evidence_of_leaf(struct trust_store *store)
{
    return evidence_of(store, &(struct bytes){field.leaf.data, field.leaf.size}, 1);
}

static struct evidence evidence_below_sub(struct trust_store *store)
{
    const struct bytes chain[] = {buffer_bytes(&field.below_sub), buffer_bytes(&field.sub)};
    return evidence_of(store, chain, 2);
}

static struct bytes octets_of(const struct evidence *evidence)
{
    return bytes_of(evidence->octets, evidence->size);
}

static void expect_link(struct bytes *rest, struct bytes certificate_der, struct bytes issuer_der)
{
    struct certificate certificate, issuer;
    struct evidence_link link;
    struct fault fault;
    uint64_t name;
    ck_assert_int_eq(certificate_parse(certificate_der, &certificate, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(issuer_der, &issuer, &fault), RESULT_OK);
    ck_assert_int_eq(evidence_issuer(issuer.subject, &name), RESULT_OK);
    ck_assert(evidence_next(rest, &link));
    ck_assert_uint_eq(link.issuer, name);
    ck_assert(bytes_equal(link.point, issuer.point));
    ck_assert(bytes_equal(link.serial, certificate.serial));
}

START_TEST(holds_every_certificate_but_the_anchor)
{
    struct evidence_link link;
    field_start();
    struct trust_store *store = field_store(0, false);
    AUTO_BUFFER struct buffer root = maker_authority("root");
    struct evidence evidence = evidence_below_sub(store);
    struct bytes rest = octets_of(&evidence);
    expect_link(&rest, buffer_bytes(&field.sub), buffer_bytes(&root));
    expect_link(&rest, buffer_bytes(&field.below_sub), buffer_bytes(&field.sub));
    ck_assert_uint_eq(rest.size, 0);
    ck_assert(!evidence_next(&rest, &link));
    trust_store_free(store);
    field_stop();
}
END_TEST

/* The CA below the root may not sign CRLs: only the root can revoke, and only that CA. */
START_TEST(leaves_out_issuers_that_sign_no_crls)
{
    field_start();
    struct trust_store *store = field_store(0, false);
    AUTO_BUFFER struct buffer root = maker_authority("root");
    AUTO_BUFFER struct buffer silent = maker_authority("silent-sub");
    AUTO_BUFFER struct buffer leaf = maker_make(&(struct recipe){.issuer = "silent-sub"});
    const struct bytes chain[] = {buffer_bytes(&leaf), buffer_bytes(&silent)};
    struct evidence evidence = evidence_of(store, chain, 2);
    struct bytes rest = octets_of(&evidence);
    expect_link(&rest, buffer_bytes(&silent), buffer_bytes(&root));
    ck_assert_uint_eq(rest.size, 0);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(a_path_of_nine_fits)
{
    static char names[PATH_CERTIFICATES_MAX - 1][8];
    struct recipe chain_of_cas[PATH_CERTIFICATES_MAX + 1] = {{.name = "root",
        .extensions = MAKER_CA,
        .not_before = FIELD_LONG_AGO,
        .not_after = FIELD_LATE}};
    struct buffer ders[PATH_CERTIFICATES_MAX];
    struct bytes chain[PATH_CERTIFICATES_MAX];
    for (size_t i = 0; i + 1 < PATH_CERTIFICATES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "ca%zu", i);
        chain_of_cas[i + 1] = (struct recipe){
            .name = names[i], .issuer = i ? names[i - 1] : "root", .extensions = MAKER_CA};
    }
    field_start();
    maker_stop();
    maker_start(chain_of_cas);
    maker_write(field.anchors_path, "root");
    struct trust_store *store = field_store(0, false);
    ders[0] = maker_make(&(struct recipe){.issuer = names[PATH_CERTIFICATES_MAX - 2]});
    for (size_t i = 1; i < PATH_CERTIFICATES_MAX; i++)
        ders[i] = maker_authority(names[i - 1]);
    for (size_t i = 0; i < PATH_CERTIFICATES_MAX; i++)
        chain[i] = buffer_bytes(&ders[i]);

    struct evidence evidence = evidence_of(store, chain, PATH_CERTIFICATES_MAX);
    struct bytes rest = octets_of(&evidence);
    struct evidence_link link;
    size_t links = 0;
    ck_assert_uint_le(evidence.size, sizeof(evidence.octets));
    while (evidence_next(&rest, &link))
        links++;
    ck_assert_uint_eq(links, PATH_CERTIFICATES_MAX);
    ck_assert_uint_eq(rest.size, 0);
    for (size_t i = 0; i < PATH_CERTIFICATES_MAX; i++)
        buffer_release(&ders[i]);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(reads_nothing_past_a_cut)
{
    field_start();
    struct trust_store *store = field_store(0, false);
    struct evidence evidence = evidence_below_sub(store);
    for (size_t size = 0; size < evidence.size; size++) {
        uint8_t *copy = malloc(size + 1);
        struct evidence_link link;
        memcpy(copy, evidence.octets, size);
        struct bytes rest = bytes_of(copy, size);
        size_t links = 0;
        while (evidence_next(&rest, &link))
            links++;
        ck_assert_uint_le(links, 1);
        free(copy);
    }
    trust_store_free(store);
    field_stop();
}
END_TEST

/* --- judged --- */

/* Both ways of judging agree, and a view knows the answer once it was settled. */
static bool is_condemned(struct trust_store *store, const struct evidence *evidence)
{
    struct revocation_view *view;
    ck_assert_int_eq(revocation_view_new(store, &view), RESULT_OK);
    enum judgement before = revocation_view_judge(view, octets_of(evidence));
    bool condemned = revocation_condemns(store, octets_of(evidence));
    enum judgement after = revocation_view_judge(view, octets_of(evidence));
    if (condemned)
        ck_assert_int_eq(after, JUDGEMENT_REVOKED);
    else
        ck_assert_int_eq(after, before);
    ck_assert(condemned ? before != JUDGEMENT_GOOD : before != JUDGEMENT_REVOKED);
    revocation_view_free(view);
    return condemned;
}

/* Is the one below the intermediate revoked when this is the only CRL? */
static bool condemns_below_sub(const char *issuer, const char *signer, const struct buffer *revoked)
{
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = issuer,
                                            .signer = signer,
                                            .next_update = MAKER_NOW - 1, /* listed is listed */
                                            .revoked = {buffer_bytes(revoked)}});
    struct trust_store *before = field_store(0, false), *store = field_store(1, false);
    struct evidence evidence = evidence_below_sub(before);
    bool condemned = is_condemned(store, &evidence);
    trust_store_free(before);
    trust_store_free(store);
    return condemned;
}

START_TEST(a_crl_of_its_issuer_condemns)
{
    field_start();
    AUTO_BUFFER struct buffer other_leaf = maker_make(&(struct recipe){.issuer = "sub"});
    ck_assert(condemns_below_sub("sub", NULL, &field.below_sub));
    ck_assert(condemns_below_sub("root", NULL, &field.sub)); /* the intermediate */
    ck_assert(!condemns_below_sub("sub", NULL, &other_leaf));
    ck_assert(!condemns_below_sub("root", NULL, &field.below_sub));   /* the serial of another CA */
    ck_assert(!condemns_below_sub("sub", "other", &field.below_sub)); /* forged */
    field_stop();
}
END_TEST

START_TEST(without_evidence_nothing_is_condemned)
{
    field_start();
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *store = field_store(1, false);
    ck_assert(!is_condemned(store, &(struct evidence){.size = 0}));
    trust_store_free(store);
    field_stop();
}
END_TEST

/* --- replaced --- */

/* What REPORT says is a fault that holds TEXT; empties it. */
static void expect_fault(struct report *report, const char *text)
{
    ck_assert_uint_eq(report->faults, 1);
    ck_assert_msg(strstr(report->entries[0].text, text), "%s", report->entries[0].text);
    report_release(report);
    *report = (struct report){0};
}

START_TEST(a_new_file_takes_the_place_of_the_old)
{
    struct report report = {0};
    field_start();
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    struct trust_store *store = field_store(1, false);
    struct evidence evidence = evidence_of_leaf(store);
    struct crl_set *old = crl_set_of(store, &store->domains[0]);
    ck_assert(!is_condemned(store, &evidence));

    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct file_print print = file_print_of(field.crl_paths[0]);
    ck_assert(!is_condemned(store, &evidence));
    ck_assert_int_eq(revocation_reload(store, 0, &report), RESULT_OK);
    ck_assert_uint_eq(report.count, 0);
    ck_assert(is_condemned(store, &evidence));
    struct file_print in_force = revocation_file_print(store, 0, 0);
    ck_assert(file_print_equal(&in_force, &print));
    ck_assert_uint_eq(old->crls[0].crl.serial_count, 0); /* whoever holds it may use it */
    crl_set_unref(old);
    trust_store_free(store);
    field_stop();
}
END_TEST

START_TEST(a_bad_file_leaves_the_old_in_force)
{
    struct report report = {0};
    field_start();
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    struct trust_store *before = field_store(0, false), *store = field_store(2, false);
    struct evidence evidence = evidence_of_leaf(before);

    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root", .signer = "other"});
    ck_assert_int_eq(revocation_reload(store, 0, &report), RESULT_BAD_CONFIGURATION);
    expect_fault(&report, "policy.json: /trust/0/crls/0: ");
    ck_assert(is_condemned(store, &evidence));

    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = "root"});
    ck_assert_int_eq(unlink(field.crl_paths[1]), 0);
    ck_assert_int_eq(revocation_reload(store, 0, &report), RESULT_BAD_CONFIGURATION);
    expect_fault(&report, "No such file");
    ck_assert(is_condemned(store, &evidence));

    field_write_crl(field.crl_paths[1], &(struct crl_recipe){.issuer = "sub"});
    ck_assert_int_eq(revocation_reload(store, 0, &report), RESULT_OK);
    ck_assert(!is_condemned(store, &evidence));
    trust_store_free(before);
    trust_store_free(store);
    field_stop();
}
END_TEST

CHECK_MAIN("tls/evidence", holds_every_certificate_but_the_anchor,
    leaves_out_issuers_that_sign_no_crls, a_path_of_nine_fits, reads_nothing_past_a_cut,
    a_crl_of_its_issuer_condemns, without_evidence_nothing_is_condemned,
    a_new_file_takes_the_place_of_the_old, a_bad_file_leaves_the_old_in_force)
