/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/match.h"

#include <stdio.h>
#include <string.h>

#include "base/alert.h"
#include "base/base64.h"
#include "support/check_main.h"
#include "unit/policy/folder.h"

#define TRUST                                                                                      \
    ", \"trust\": [{\"name\": \"field\", \"anchors\": \"a\"}, {\"name\": \"other\", \"anchors\":"  \
    " \"b\"}]"
#define TWO_ENDPOINTS                                                                              \
    "{\"cse\": {\"spId\": \"m2m.example\", \"cseId\": \"/in-cse\"}, \"endpoints\": ["              \
    "{\"name\": \"one\", \"identity\": \"//m2m.example/in-cse\","                                  \
    " \"certificate\": \"c\", \"privateKey\": \"d\"},"                                             \
    "{\"name\": \"two\", \"identity\": \"//m2m.example/Stwo\","                                    \
    " \"certificate\": \"c\", \"privateKey\": \"d\"}]" TRUST ", \"initiators\": ["

#define FIELD 1 /* bits of trusted */
#define OTHER 2

static const uint8_t digest[SPKI_DIGEST_SIZE] = {0x7f, 0x83, 0xb1, 0x65, 0x7f, 0xf1, 0xfc, 0x53,
    0xb9, 0x2d, 0xc1, 0x81, 0x48, 0xa1, 0xd6, 0x5d, 0xfc, 0x2d, 0x4b, 0x1f, 0xa3, 0xd6, 0x77, 0x28,
    0x4a, 0xdd, 0xd2, 0x00, 0x12, 0x6d, 0x90, 0x69};

static struct names names;

static void say(struct name_list *list, const char *name)
{
    snprintf(list->name[list->count++], NAME_OCTETS, "%s", name);
}

static const char *match_at(
    const struct policy *policy, size_t endpoint, bool raw, uint64_t trusted, const char *from)
{
    static struct authorisation found;
    struct fault fault = FAULT_INIT;
    const enum result result =
        policy_match(policy, endpoint, &names, raw, trusted, from, &found, &fault);
    if (result == RESULT_OK)
        return found.identity;
    ck_assert_int_eq(fault.result, result);
    /* bad_certificate, or access_denied */
    ck_assert_int_eq(fault.alert, result == RESULT_CERTIFICATE_REFUSED ? 42 : 49);
    ck_assert_str_ne(fault.text, "");
    return result_name(result);
}

static const char *match(const struct policy *policy, uint64_t trusted, const char *from)
{
    return match_at(policy, 0, false, trusted, from);
}

#define AE(identity) "{\"flavour\": \"aeId\", \"trust\": \"field\", \"identity\": \"" identity "\"}"

START_TEST(matches_an_ae_id_whatever_its_scheme)
{
    static const char *const good[] = {"//m2m.example/in-cse/Cmeter",
        "coap://m2m.example/in-cse/Cmeter", "oneM2M://M2M.EXAMPLE/in-cse/Cmeter"};
    static const char *const bad[] = {"//m2m.example/in-cse/cmeter", "//m2m.example/in-cse/Cmeter2",
        "//m2m.example/in-cse/Cmeter/", "//m2m.example/in-cse", "//m2m.example:1/in-cse/Cmeter",
        "x//m2m.example/in-cse/Cmeter", "://m2m.example/in-cse/Cmeter",
        "coap:///m2m.example/in-cse/Cmeter", "urn:x", "urn:x://m2m.example/in-cse/Cmeter",
        "coap:/x//m2m.example/in-cse/Cmeter", "coap:x//m2m.example/in-cse/Cmeter",
        "?://m2m.example/in-cse/Cmeter", "//m2m.example/in-cse/*"};
    struct policy *policy CLEANUP(auto_policy_free) =
        folder_load(TWO_ENDPOINTS AE("//m2m.example/in-cse/Cmeter") "]}");
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        names = (struct names){0};
        say(&names.uri, good[i]);
        ck_assert_str_eq(match(policy, FIELD, ""), "//m2m.example/in-cse/Cmeter");
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        names = (struct names){0};
        say(&names.uri, bad[i]);
        ck_assert_str_eq(match(policy, FIELD, ""), "certificate-refused");
    }
}
END_TEST

START_TEST(records_the_name_that_a_pattern_admits)
{
    struct policy *policy CLEANUP(auto_policy_free) =
        folder_load(TWO_ENDPOINTS AE("//m2m.example/in-cse/*") "," AE("//m2m.example/*") "]}");
    say(&names.uri, "coap://M2M.example/in-cse/Cmeter");
    ck_assert_str_eq(match(policy, FIELD, ""), "//m2m.example/in-cse/Cmeter");
    strcpy(names.uri.name[0], "//m2m.example/Smeter");
    ck_assert_str_eq(match(policy, FIELD, ""), "//m2m.example/Smeter");
    strcpy(names.uri.name[0], "//m2m.example/mn-cse"); /* a CSE is no AE */
    ck_assert_str_eq(match(policy, FIELD, ""), "certificate-refused");
    strcpy(names.uri.name[0], "//m2m.example/mn-cse/Cmeter");
    ck_assert_str_eq(match(policy, FIELD, ""), "certificate-refused");
}
END_TEST

START_TEST(matches_each_other_flavour_by_its_own_name)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(TWO_ENDPOINTS
        "{\"flavour\": \"cseId\", \"domainName\": \"MN.example\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/mn\"},"
        "{\"flavour\": \"nodeId\", \"nodeId\": \"Node.example\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/Snode\"},"
        "{\"flavour\": \"nodeId\", \"nodeId\": \"urn:Node\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/Surn\"},"
        "{\"flavour\": \"device\", \"deviceId\": \"0.2.481.1.9\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/Sdevice\"},"
        "{\"flavour\": \"rawPublicKey\", \"identity\": \"//m2m.example/Sraw\", \"publicKeyId\":"
        " \"ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk\"}]}");
    const struct {
        struct name_list *list;
        const char *name, *verdict;
    } cases[] = {
        {&names.dns, "mn.example", "//m2m.example/mn"},
        {&names.uri, "mn.example", "certificate-refused"},
        {&names.dns, "x.mn.example", "certificate-refused"},
        {&names.dns, "node.example", "//m2m.example/Snode"},
        {&names.uri, "urn:Node", "//m2m.example/Surn"},
        {&names.uri, "urn:node", "certificate-refused"},
        {&names.device, "0.2.481.1.9", "//m2m.example/Sdevice"},
        {&names.device, "0.2.481.1.91", "certificate-refused"},
        {&names.dns, "0.2.481.1.9", "certificate-refused"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        names = (struct names){0};
        memcpy(names.spki_digest, digest, sizeof(digest)); /* says nothing for a certificate */
        say(cases[i].list, cases[i].name);
        ck_assert_str_eq(match(policy, FIELD, ""), cases[i].verdict);
        ck_assert_str_eq(match(policy, OTHER, ""), "certificate-refused");
    }
}
END_TEST

START_TEST(matches_raw_keys_by_every_form)
{
    static const char *const forms[] = {"ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk",
        "ni:///sha-256-128;f4OxZX_x_FO5LcGBSKHWXQ", "ni:///sha-256-120;f4OxZX_x_FO5LcGBSKHW"};
    static const size_t held[] = {32, 16, 15};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        char text[2048];
        snprintf(text, sizeof(text),
            TWO_ENDPOINTS "{\"flavour\": \"rawPublicKey\", \"publicKeyId\": \"%s\","
                          " \"identity\": \"//m2m.example/Sraw\"}]}",
            forms[i]);
        struct policy *policy CLEANUP(auto_policy_free) = folder_load(text);
        memcpy(names.spki_digest, digest, sizeof(digest));
        ck_assert_str_eq(match_at(policy, 0, true, 0, ""), "//m2m.example/Sraw");
        ck_assert_str_eq(match_at(policy, 0, false, 3, ""), "certificate-refused");
        names.spki_digest[held[i] - 1] ^= 1;
        ck_assert_str_eq(match_at(policy, 0, true, 0, ""), "certificate-refused");
    }
}
END_TEST

START_TEST(tells_end_points_apart)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(TWO_ENDPOINTS
        "{\"flavour\": \"cseId\", \"domainName\": \"mn.example\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/mn\", \"endpoints\": [\"two\"]}]}");
    say(&names.dns, "mn.example");
    ck_assert_str_eq(match_at(policy, 0, false, FIELD, ""), "not-authorised");
    ck_assert_str_eq(match_at(policy, 1, false, FIELD, ""), "//m2m.example/mn");
    ck_assert_str_eq(match_at(policy, 0, false, OTHER, ""), "certificate-refused");
}
END_TEST

START_TEST(knows_which_originators_no_rule_is_for)
{
    static const struct {
        const char *from;
        bool admitted;
    } cases[] = {
        {"//m2m.example/mn", true}, {"//m2m.example/Snode", true},
        {"//m2m.example/in-cse/Cone", true},  /* by the pattern */
        {"//m2m.example/in-cse/Sone", false}, /* its kind has no CSE in it */
        {"//m2m.example/in-cse/xone", false}, /* no AE-ID, which is all that a pattern gives */
        {"//m2m.example/in-cse", false},
        {"//m2m.example/in-cse/*", true}, /* no identifier: dispatch lets none of it through */
        {"//m2m.example/in-cse2/Cone", false}, {"//m2m.example/mn2", false},
        {"//m2m.example/m", false}, {"//m2m.example/mn/Cone", false},
        {"//m2m.example/Snode2", false}, {"//other.example/in-cse/Cone", false},
        {"mn.example", false}, /* the name in a certificate is not the identity */
    };
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(TWO_ENDPOINTS
        "{\"flavour\": \"cseId\", \"domainName\": \"mn.example\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/mn\", \"endpoints\": [\"two\"]},"
        "{\"flavour\": \"nodeId\", \"nodeId\": \"Node.example\", \"trust\": \"field\","
        " \"identity\": \"//m2m.example/Snode\"}," AE("//m2m.example/in-cse/*") "]}");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fault fault = FAULT_INIT;
        const enum result result = policy_check_from(policy, cases[i].from, &fault);
        ck_assert_msg(result == (cases[i].admitted ? RESULT_OK : RESULT_NOT_AUTHORISED), "%s: %s",
            cases[i].from, result_name(result));
        ck_assert_int_eq(fault.alert, cases[i].admitted ? FAULT_NO_ALERT : TLS_ALERT_ACCESS_DENIED);
    }
}
END_TEST

START_TEST(prefers_from_then_exact_then_order)
{
    struct policy *policy CLEANUP(auto_policy_free) =
        folder_load(TWO_ENDPOINTS AE("//m2m.example/in-cse/*") "," AE(
            "//m2m.example/in-cse/Cb") "," AE("//m2m.example/in-cse/Cc") "]}");
    say(&names.uri, "//m2m.example/in-cse/Ca");
    say(&names.uri, "//m2m.example/in-cse/Cc");
    say(&names.uri, "//m2m.example/in-cse/Cb");
    ck_assert_str_eq(match(policy, FIELD, ""), "//m2m.example/in-cse/Cb");
    ck_assert_str_eq(match(policy, FIELD, "//m2m.example/in-cse/Cc"), "//m2m.example/in-cse/Cc");
    ck_assert_str_eq(match(policy, FIELD, "//m2m.example/in-cse/Ca"), "//m2m.example/in-cse/Ca");
}
END_TEST

/* The rule itself, with its lifetime, and not one like it under another trust domain. */
START_TEST(gives_the_rule_whose_trust_domain_it_is)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(TWO_ENDPOINTS
        "{\"flavour\": \"aeId\", \"trust\": \"field\", \"identity\": \"//m2m.example/Sa\","
        " \"keyLifetime\": 1}, {\"flavour\": \"aeId\", \"trust\": \"other\","
        " \"identity\": \"//m2m.example/Sa\", \"keyLifetime\": 2}]}");
    struct authorisation found;
    say(&names.uri, "//m2m.example/Sa");
    for (uint64_t trusted = 1; trusted <= 3; trusted++) {
        ck_assert_int_eq(
            policy_match(policy, 0, &names, false, trusted, "", &found, NULL), RESULT_OK);
        ck_assert_uint_eq(found.rule->lifetime_s, trusted == OTHER ? 2 : 1);
    }
    ck_assert_str_eq(match(policy, 0, ""), "certificate-refused");
}
END_TEST

#define MANY 20000

/* A key id made of NUMBER, for a rule; the same octets go into the names. */
static void number_key(uint32_t number)
{
    memset(names.spki_digest, 0, sizeof(names.spki_digest));
    memcpy(names.spki_digest, &number, sizeof(number));
}

START_TEST(finds_each_of_many_raw_keys)
{
    FILE *file = fopen("policy.json", "we");
    ck_assert_ptr_nonnull(file);
    fputs(TWO_ENDPOINTS, file);
    for (uint32_t i = 0; i < MANY; i++) {
        char id[BASE64_OCTETS(SPKI_DIGEST_SIZE) + 1];
        number_key(i);
        base64url_encode_text(bytes_of(names.spki_digest, SPKI_DIGEST_SIZE), id);
        fprintf(file,
            "%s{\"flavour\": \"rawPublicKey\", \"publicKeyId\": \"ni:///sha-256;%s\","
            " \"identity\": \"//m2m.example/S%u\"}",
            i > 0 ? "," : "", id, i);
    }
    fputs("]}", file);
    ck_assert_int_eq(fclose(file), 0);
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    ck_assert_int_eq(policy_load("policy.json", &policy, &report), RESULT_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        char identity[IDENTIFIER_OCTETS];
        snprintf(identity, sizeof(identity), "//m2m.example/S%u", i);
        number_key(i);
        ck_assert_str_eq(match_at(policy, 0, true, 0, ""), identity);
    }
    number_key(MANY);
    ck_assert_str_eq(match_at(policy, 0, true, 0, ""), "certificate-refused");
}
END_TEST

CHECK_MAIN_FIXTURE("policy/match", folder_make, folder_remove, matches_an_ae_id_whatever_its_scheme,
    records_the_name_that_a_pattern_admits, matches_each_other_flavour_by_its_own_name,
    matches_raw_keys_by_every_form, tells_end_points_apart, knows_which_originators_no_rule_is_for,
    prefers_from_then_exact_then_order, gives_the_rule_whose_trust_domain_it_is,
    finds_each_of_many_raw_keys)
