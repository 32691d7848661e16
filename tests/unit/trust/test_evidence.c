/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stays of a path with its key, and what CRLs say of it later. */
#include "trust/evidence.h"
#include "trust/path.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "trust/issuer.h"
#include "trust/review.h"
#include "unit/trust/field.h"

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
    ck_assert_int_eq(issuer_hash(issuer.subject, &name), RESULT_OK);
    ck_assert(evidence_next(rest, &link));
    ck_assert_uint_eq(link.issuer, name);
    ck_assert(bytes_equal(link.point, issuer.point));
    ck_assert(bytes_equal(link.serial, certificate.serial));
}

/* Both ways to ask agree, and a review knows the answer once the signature was verified. */
static bool is_revoked(struct trust_store *store, const struct evidence *evidence)
{
    struct review *review;
    ck_assert_int_eq(review_new(store, &review), RESULT_OK);
    enum review_answer before = review_look_up(review, octets_of(evidence));
    bool revoked = review_find_revoking(store, octets_of(evidence)) != NULL;
    enum review_answer after = review_look_up(review, octets_of(evidence));
    ck_assert_int_eq(after, revoked ? REVIEW_REVOKED : REVIEW_GOOD);
    ck_assert(revoked ? before != REVIEW_GOOD : before != REVIEW_REVOKED);
    review_free(review);
    return revoked;
}

START_TEST(holds_every_certificate_but_the_anchor)
{
    struct evidence_link link;
    struct trust_store *store = field_store(0, false);
    struct buffer root AUTO_BUFFER = maker_authority("root");
    struct evidence evidence = evidence_below_sub(store);
    struct bytes rest = octets_of(&evidence);
    expect_link(&rest, buffer_bytes(&field.sub), buffer_bytes(&root));
    expect_link(&rest, buffer_bytes(&field.below_sub), buffer_bytes(&field.sub));
    ck_assert_uint_eq(rest.size, 0);
    ck_assert(!evidence_next(&rest, &link));
    trust_store_free(store);
}
END_TEST

/* The CA below the root may not sign CRLs. The leaf's link is there, as the last one says of what
 * kind the others are, but no CRL by that CA's key counts. */
START_TEST(an_issuer_that_signs_no_crls_leaves_no_key)
{
    static const uint8_t no_point[P256_POINT_OCTETS];
    struct evidence_link link;
    struct trust_store *store = field_store(0, false);
    struct buffer root AUTO_BUFFER = maker_authority("root");
    struct buffer silent AUTO_BUFFER = maker_authority("silent-sub");
    struct buffer leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "silent-sub"});
    const struct bytes chain[] = {buffer_bytes(&leaf), buffer_bytes(&silent)};
    struct evidence evidence = evidence_of(store, chain, 2);
    struct bytes rest = octets_of(&evidence);
    expect_link(&rest, buffer_bytes(&silent), buffer_bytes(&root));
    ck_assert(evidence_next(&rest, &link));
    ck_assert(bytes_equal(link.point, bytes_of(no_point, sizeof(no_point))));
    ck_assert_uint_eq(rest.size, 0);
    trust_store_free(store);

    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "silent-sub", .revoked = {buffer_bytes(&leaf)}});
    store = field_store(1, false);
    ck_assert(!is_revoked(store, &evidence));
    trust_store_free(store);
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
}
END_TEST

START_TEST(reads_nothing_past_a_cut)
{
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
}
END_TEST

/* --- the review of a path by its evidence --- */

/* Is the path of field.below_sub revoked when the only CRL is by ISSUER and lists LISTED? */
static bool revokes_below_sub(const char *issuer, const char *signer, const struct buffer *listed)
{
    field_write_crl(field.crl_paths[0], &(struct crl_recipe){.issuer = issuer,
                                            .signer = signer,
                                            .next_update = MAKER_NOW - 1, /* listed is listed */
                                            .revoked = {buffer_bytes(listed)}});
    struct trust_store *before = field_store(0, false), *store = field_store(1, false);
    struct evidence evidence = evidence_below_sub(before);
    bool revoked = is_revoked(store, &evidence);
    trust_store_free(before);
    trust_store_free(store);
    return revoked;
}

START_TEST(a_crl_of_its_issuer_revokes)
{
    struct buffer other_leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "sub"});
    ck_assert(revokes_below_sub("sub", NULL, &field.below_sub));
    ck_assert(revokes_below_sub("root", NULL, &field.sub)); /* the intermediate */
    ck_assert(!revokes_below_sub("sub", NULL, &other_leaf));
    ck_assert(!revokes_below_sub("root", NULL, &field.below_sub));   /* the serial of another CA */
    ck_assert(!revokes_below_sub("sub", "other", &field.below_sub)); /* forged */
}
END_TEST

START_TEST(without_evidence_nothing_is_revoked)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *store = field_store(1, false);
    ck_assert(!is_revoked(store, &(struct evidence){.size = 0}));
    trust_store_free(store);
}
END_TEST

/* --- by another key or another spelling of the same CA --- */

START_TEST(a_crl_that_spells_its_issuer_otherwise_revokes)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){
            .issuer = "sub", .is_printable = true, .revoked = {buffer_bytes(&field.below_sub)}});
    struct trust_store *before = field_store(0, false), *store = field_store(1, false);
    struct evidence evidence = evidence_below_sub(before);
    ck_assert(is_revoked(store, &evidence));
    trust_store_free(before);
    trust_store_free(store);
}
END_TEST

/* A key in the cache that an older daemon put there: the number is of the name's DER. */
START_TEST(evidence_of_an_older_version_still_counts)
{
    struct certificate leaf;
    uint64_t number;
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *before = field_store(0, false), *store = field_store(1, false);
    struct evidence evidence = evidence_of_leaf(before);
    ck_assert_int_eq(certificate_parse(buffer_bytes(&field.leaf), &leaf, NULL), RESULT_OK);
    ck_assert_int_eq(issuer_old_hash(leaf.issuer, &number), RESULT_OK);
    number = htobe64(number);
    ck_assert(memcmp(evidence.octets, &number, sizeof(number)) != 0);
    memcpy(evidence.octets, &number, sizeof(number));
    ck_assert(is_revoked(store, &evidence));
    trust_store_free(before);
    trust_store_free(store);
}
END_TEST

START_TEST(a_crl_by_another_anchor_of_the_name_revokes)
{
    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "root-new", .revoked = {buffer_bytes(&field.leaf)}});
    struct trust_store *store = field_store(1, false);
    struct evidence evidence = evidence_of_leaf(store);
    ck_assert(!is_revoked(store, &evidence));
    trust_store_free(store);
    maker_write(field.anchors_path, "root root-new");
    store = field_store(1, false);
    ck_assert(is_revoked(store, &evidence));
    trust_store_free(store);

    /* Without the anchor that the path ends at, nothing says that they are one CA. */
    maker_write(field.anchors_path, "root-new");
    store = field_store(1, false);
    ck_assert(!is_revoked(store, &evidence));
    trust_store_free(store);
}
END_TEST

/* Once somebody has presented the CA's certificate with the new key, which takes a valid path. */
START_TEST(a_crl_by_a_new_key_of_the_ca_revokes)
{
    struct buffer sub_new AUTO_BUFFER = maker_authority("sub-new");
    struct buffer sub_fake AUTO_BUFFER = maker_authority("sub-fake");
    struct buffer leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "sub-new"});
    struct buffer fake_leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "sub-fake"});
    struct bytes chain[] = {buffer_bytes(&leaf), buffer_bytes(&sub_new)};
    struct bytes fake_chain[] = {buffer_bytes(&fake_leaf), buffer_bytes(&sub_fake)};
    struct path_verdict verdict;
    struct trust_store *before = field_store(0, false);
    struct evidence evidence = evidence_below_sub(before);

    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "sub-new", .revoked = {buffer_bytes(&field.below_sub)}});
    struct trust_store *store = field_store(1, false);
    ck_assert(!is_revoked(store, &evidence));
    (void)evidence_of(store, chain, 2);
    ck_assert(is_revoked(store, &evidence));
    trust_store_free(store);

    field_write_crl(field.crl_paths[0],
        &(struct crl_recipe){.issuer = "sub-fake", .revoked = {buffer_bytes(&field.below_sub)}});
    store = field_store(1, false);
    ck_assert_int_ne(
        path_validate(store, fake_chain, 2, PATH_CLIENT, MAKER_NOW, &verdict, NULL), RESULT_OK);
    ck_assert(!is_revoked(store, &evidence));
    trust_store_free(before);
    trust_store_free(store);
}
END_TEST

/* Another CA of that name, below another anchor of the same domain. */
START_TEST(a_namesake_under_another_anchor_revokes_nobody)
{
    struct buffer sub_fake AUTO_BUFFER = maker_authority("sub-fake");
    struct buffer leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "sub-fake"});
    const struct bytes chain[] = {buffer_bytes(&leaf), buffer_bytes(&sub_fake)};
    maker_write(field.anchors_path, "root other");
    field_write_crl(
        field.crl_paths[0], &(struct crl_recipe){.issuer = "sub-fake",
                                .revoked = {buffer_bytes(&field.below_sub), buffer_bytes(&leaf)}});
    struct trust_store *before = field_store(0, false), *store = field_store(1, false);
    struct evidence evidence = evidence_below_sub(store), its = evidence_of(before, chain, 2);
    struct path_verdict verdict;
    ck_assert_int_ne(
        path_validate(store, chain, 2, PATH_CLIENT, MAKER_NOW, &verdict, NULL), RESULT_OK);
    struct buffer other_leaf AUTO_BUFFER = maker_make(&(struct recipe){.issuer = "sub-fake"});
    const struct bytes other_chain[] = {buffer_bytes(&other_leaf), buffer_bytes(&sub_fake)};
    (void)evidence_of(store, other_chain, 2); /* now the namesake is known */
    ck_assert(is_revoked(store, &its));
    ck_assert(!is_revoked(store, &evidence));
    trust_store_free(before);
    trust_store_free(store);
}
END_TEST

START_TEST(a_crl_revokes_within_its_scope)
{
    static const struct {
        const char *extensions;
        bool leaf, ca;
    } cases[] = {
        {"issuingDistributionPoint=critical,onlyuser:TRUE\n", true, false},
        {"issuingDistributionPoint=critical,onlyCA:TRUE\n", false, true},
    };
    struct trust_store *before = field_store(0, false);
    struct evidence leaf = evidence_of_leaf(before), below = evidence_below_sub(before);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        field_write_crl(field.crl_paths[0],
            &(struct crl_recipe){.issuer = "root",
                .extensions = cases[i].extensions,
                .revoked = {buffer_bytes(&field.leaf), buffer_bytes(&field.sub)}});
        struct trust_store *store = field_store(1, false);
        ck_assert_int_eq(is_revoked(store, &leaf), cases[i].leaf);
        ck_assert_int_eq(is_revoked(store, &below), cases[i].ca);
        trust_store_free(store);
    }
    trust_store_free(before);
}
END_TEST

CHECK_MAIN_FIXTURE("trust/evidence", field_start, field_stop,
    holds_every_certificate_but_the_anchor, an_issuer_that_signs_no_crls_leaves_no_key,
    a_path_of_nine_fits, reads_nothing_past_a_cut, a_crl_of_its_issuer_revokes,
    without_evidence_nothing_is_revoked, a_crl_that_spells_its_issuer_otherwise_revokes,
    evidence_of_an_older_version_still_counts, a_crl_by_another_anchor_of_the_name_revokes,
    a_crl_by_a_new_key_of_the_ca_revokes, a_namesake_under_another_anchor_revokes_nobody,
    a_crl_revokes_within_its_scope)
