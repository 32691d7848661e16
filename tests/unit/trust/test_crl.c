/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs: what is read, and what is refused with which reason. */
#include "x509/crl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "unit/trust/field.h"

#define AKI "authorityKeyIdentifier=keyid\n"

static void expect_refused(struct bytes der, const char *text)
{
    struct crl crl CLEANUP(crl_release);
    struct fault fault = FAULT_INIT;
    ck_assert_int_eq(crl_parse(der, &crl, &fault), RESULT_CERTIFICATE_REFUSED);
    ck_assert_msg(strstr(fault.text, text), "not \"%s\" but \"%s\"", text, fault.text);
}

static void expect_recipe_refused(const struct crl_recipe *recipe, const char *text)
{
    struct buffer der AUTO_BUFFER = maker_crl(recipe);
    expect_refused(buffer_bytes(&der), text);
}

START_TEST(reads_what_cas_write)
{
    static const struct crl_recipe recipes[] = {
        {.issuer = "root"},
        {.issuer = "root", .is_version_1 = true},
        {.issuer = "root", .extensions = AKI},
        {.issuer = "root", /* 160 bits */
            .extensions = AKI "crlNumber=DER:02144000000000000000000000000000000000000000\n"},
        {.issuer = "root", /* Microsoft's: CA version, next publish */
            .extensions = AKI "1.3.6.1.4.1.311.21.1=DER:020100\n"
                              "1.3.6.1.4.1.311.21.4=DER:170D3236313233313030303030305A\n"},
        {.issuer = "root", .extensions = AKI "freshestCRL=URI:http://ca.example/delta\n"},
        {.issuer = "root",
            .entry_extensions = "CRLReason=DER:0A0101\n"
                                "invalidityDate=DER:180F32303236303130313030303030305A\n"
                                "1.2.3.4=DER:0500\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
        struct crl_recipe recipe = recipes[i];
        recipe.revoked[0] = buffer_bytes(&field.leaf);
        struct buffer der AUTO_BUFFER = maker_crl(&recipe);
        struct crl crl CLEANUP(crl_release);
        struct fault fault = FAULT_INIT;
        ck_assert_msg(
            crl_parse(buffer_bytes(&der), &crl, &fault) == RESULT_OK, "%zu: %s", i, fault.text);
        ck_assert(crl_covers(&crl, false) && crl_covers(&crl, true));
        ck_assert_uint_eq(crl.serial_count, 1);
        ck_assert_int_eq(crl.this_update_s, MAKER_BEFORE);
        ck_assert_int_eq(crl.next_update_s, MAKER_AFTER);
    }
}
END_TEST

START_TEST(says_why_it_refuses)
{
    static const struct recipe rsa[] = {
        {.name = "rsa", .curve = "RSA", .extensions = MAKER_CA}, {0}};
    static const struct {
        struct crl_recipe recipe;
        const char *text;
    } cases[] = {
        {{.issuer = "root", .next_update = -1}, "without nextUpdate"},
        {{.issuer = "root", .digest = "SHA384"}, "signed by ecdsa-with-SHA384"},
        {{.issuer = "rsa", .extensions = AKI}, "signed by sha256WithRSAEncryption"},
        {{.issuer = "root", .extensions = AKI "deltaCRL=DER:020101\n"}, "a delta CRL"},
        {{.issuer = "root", .extensions = AKI "issuingDistributionPoint=indirectCRL:TRUE\n"},
            "an indirect CRL"},
        {{.issuer = "root",
             .extensions = AKI "issuingDistributionPoint=onlysomereasons:superseded\n"},
            "of some reasons only"},
        {{.issuer = "root", .extensions = AKI "issuingDistributionPoint=onlyAA:TRUE\n"},
            "of attribute certificates only"},
        {{.issuer = "root", .extensions = AKI "issuingDistributionPoint=DER:0500\n"},
            "extension 2.5.29.28 is malformed"},
        {{.issuer = "root", .extensions = AKI "1.2.3=critical,DER:0500\n"},
            "critical extension 1.2.3 is not understood"},
        {{.issuer = "root", .extensions = AKI "freshestCRL=critical,URI:http://ca.example/d\n"},
            "critical extension 2.5.29.46"},
        {{.issuer = "root", .extensions = AKI "crlNumber=DER:0201FF\n"},
            "extension 2.5.29.20 is malformed"},
        {{.issuer = "root", .extensions = AKI "crlNumber=DER:0500\n"},
            "extension 2.5.29.20 is malformed"},
        {{.issuer = "root", .edit_tbs = "020101300A>020102300A"}, "neither of version 1 nor"},
        {{.issuer = "root", .edit_tbs = "2A8648CE3D040302>2A8648CE3D040303"},
            "another signature algorithm inside"},
        {{.issuer = "root", .edit_tbs = "0C04726F6F74>0C04726FFFFF"}, "issuer's name is malformed"},
        {{.issuer = "root", .this_update = 1700000000, .edit_tbs = "170D323331>170D323341"},
            "thisUpdate is malformed"},
        {{.issuer = "root", .next_update = 1830000000, .edit_tbs = "170D323731>170D323741"},
            "nextUpdate is malformed"},
    };
    maker_start(rsa);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_recipe_refused(&cases[i].recipe, cases[i].text);
}
END_TEST

/* An entry for a certificate of another issuer makes a CRL an indirect one, critical or not. */
START_TEST(says_which_entry_is_bad)
{
    static const struct {
        const char *extensions, *text;
        bool is_version_1;
    } cases[] = {
        {"2.5.29.29=critical,DER:3000\n", "entry 1: critical extension 2.5.29.29", false},
        {"2.5.29.29=DER:3000\n", "entry 1: critical extension 2.5.29.29", false},
        {"1.2.3=critical,DER:0500\n", "entry 1: critical extension 1.2.3", false},
        {"CRLReason=DER:0A0101\n", "entry 1: it has extensions, which version 1", true},
    };
    struct crl_recipe bad = {.issuer = "root"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_recipe_refused(&(struct crl_recipe){.issuer = "root",
                                  .revoked = {buffer_bytes(&field.leaf)},
                                  .entry_extensions = cases[i].extensions,
                                  .is_version_1 = cases[i].is_version_1},
            cases[i].text);
    bad.revoked[0] = buffer_bytes(&field.leaf);
    bad.revoked[1] = buffer_bytes(&field.sub);
    struct certificate second;
    ck_assert_int_eq(certificate_parse(bad.revoked[1], &second, NULL), RESULT_OK);
    char change[64], hex[16];
    bytes_to_hex(second.serial, hex);
    snprintf(change, sizeof(change), "0203%s>020383%s", hex, hex + 2);
    bad.edit_tbs = change; /* now that serial number is negative */
    expect_recipe_refused(&bad, "entry 2: it is malformed");
}
END_TEST

START_TEST(says_what_else_it_is)
{
    struct buffer der AUTO_BUFFER = maker_crl(&(struct crl_recipe){.issuer = "root"});
    struct buffer longer AUTO_BUFFER = {.limit = 65536};
    ck_assert_int_eq(buffer_append(&longer, der.data, der.size), RESULT_OK);
    ck_assert_int_eq(buffer_append(&longer, "\n\n", 2), RESULT_OK);
    expect_refused(buffer_bytes(&field.leaf), "a certificate, and no CRL");
    expect_refused(bytes_of(der.data, der.size - 1), "cut short");
    expect_refused(buffer_bytes(&longer), "followed by other octets (2)");
    expect_refused(bytes_of("\x30\x03\x02\x01\x00", 5), "not that of a CRL");
    expect_refused(bytes_of("", 0), "cut short");
}
END_TEST

/* Nothing cut short is a CRL, and no changed octet makes one that crashes us. */
START_TEST(survives_damage)
{
    struct buffer der AUTO_BUFFER = maker_crl(&(struct crl_recipe){.issuer = "root",
        .extensions = AKI "crlNumber=DER:020101\n"
                          "issuingDistributionPoint=critical,DER:300CA007A0058603613A628101FF\n",
        .revoked = {buffer_bytes(&field.leaf), buffer_bytes(&field.sub)}});
    for (size_t i = 0; i < der.size; i++) {
        struct crl cut CLEANUP(crl_release);
        struct crl changed CLEANUP(crl_release);
        struct fault fault;
        uint8_t *copy = malloc(der.size);
        memcpy(copy, der.data, der.size);
        ck_assert_int_ne(crl_parse(bytes_of(copy, i), &cut, &fault), RESULT_OK);
        copy[i] ^= 0x81;
        if (crl_parse(bytes_of(copy, der.size), &changed, &fault) == RESULT_OK)
            (void)crl_lists(&changed, bytes_of(copy, 3));
        free(copy);
    }
}
END_TEST

/* What a file holds that is none, said with its path. */
START_TEST(says_what_a_file_holds_instead)
{
    static const struct {
        const char *content, *text;
    } cases[] = {
        {"", "there is none in this file, which is neither PEM nor DER"},
        {"<html>", "neither PEM nor DER"},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "holds a CERTIFICATE"},
        {"-----BEGIN EC PRIVATE KEY-----\n", "holds a EC PRIVATE KEY"},
        {"-----BEGIN X509 CRL-----\nMAA=\n", "CRL 1: malformed PEM"},
        {"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "not that of a CRL"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        maker_write_file(field.crl_paths[0], bytes_of_string(cases[i].content));
        struct trust_store *store = field_store(1, false);
        field_expect_notice(store, true, cases[i].text);
        field_expect_notice(store, true, field.crl_paths[0]);
        trust_store_free(store);
    }
}
END_TEST

CHECK_MAIN_FIXTURE("trust/crl", field_start, field_stop, reads_what_cas_write, says_why_it_refuses,
    says_which_entry_is_bad, says_what_else_it_is, survives_damage, says_what_a_file_holds_instead)
