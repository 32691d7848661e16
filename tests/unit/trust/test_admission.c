/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a policy admits: each flavour, and each reason to refuse, with its result, alert and rule.
 */
#include "trust/admission.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alert.h"
#include "identity/public_key_id.h"
#include "policy/index.h"
#include "policy/texts.h"
#include "support/check_main.h"
#include "trust/store_load.h"
#include "unit/x509/maker.h"

#define LONG_AGO INT64_C(1000000000) /* anchors are valid by the host's clock too */
#define LATE     INT64_C(4000000000)

/* The extensions of a leaf with these names. */
#define NAMED(names) "basicConstraints=critical,CA:FALSE\n" MAKER_USAGE "subjectAltName=" names "\n"

static const struct recipe authorities[] = {
    {.name = "root", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {.name = "other", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {.name = "stranger", .extensions = MAKER_CA},
    {.name = "sub", .issuer = "root", .extensions = MAKER_CA},
    {0},
};

enum { FIELD = 1, OTHER = 2 }; /* trust domains, as bits of struct admission's trusted */
enum { ONE, TWO, RAW_ONLY };   /* end-points */
#define AT(endpoint) (UINT64_C(1) << (endpoint))

enum { AE, CSE, NODE, DEVICE, RAW_KEY, PATTERN, AE_OF_TWO, SECOND_AE, RULES, NO_RULE = -1 };

static char public_key_id[PUBLIC_KEY_ID_OCTETS]; /* the one of the key called "raw" */
static struct policy_rule rules[RULES] = {
    [AE] = {.flavour = FLAVOUR_AE_ID,
        .identity = "//m2m.example/in-cse/Cpeer",
        .match = "//m2m.example/in-cse/Cpeer",
        .endpoints = AT(ONE)},
    [CSE] = {.flavour = FLAVOUR_CSE_ID,
        .identity = "//m2m.example/mn-cse",
        .match = "mn-cse.example",
        .endpoints = AT(ONE)},
    [NODE] = {.flavour = FLAVOUR_NODE_ID,
        .identity = "//m2m.example/in-cse/Cnode",
        .match = "node.example",
        .endpoints = AT(ONE)},
    [DEVICE] = {.flavour = FLAVOUR_DEVICE,
        .identity = "//m2m.example/in-cse/Cdevice",
        .match = "0.2.481.1.100.3030.10011",
        .endpoints = AT(ONE)},
    [RAW_KEY] = {.flavour = FLAVOUR_RAW_PUBLIC_KEY,
        .identity = "//m2m.example/in-cse/Craw",
        .match = public_key_id,
        .trust = -1,
        .endpoints = AT(ONE) | AT(RAW_ONLY)},
    [PATTERN] = {.flavour = FLAVOUR_AE_ID,
        .identity = "//m2m.example/any-cse/*",
        .match = "//m2m.example/any-cse/*",
        .endpoints = AT(ONE)},
    [AE_OF_TWO] = {.flavour = FLAVOUR_AE_ID,
        .identity = "//m2m.example/in-cse/Ctwo",
        .match = "//m2m.example/in-cse/Ctwo",
        .endpoints = AT(TWO)},
    [SECOND_AE] = {.flavour = FLAVOUR_AE_ID,
        .identity = "//m2m.example/in-cse/Csecond",
        .match = "//m2m.example/in-cse/Csecond",
        .endpoints = AT(ONE)},
};

static struct policy_endpoint endpoints[] = {
    [ONE] = {.name = "one"}, [TWO] = {.name = "two"}, [RAW_ONLY] = {.name = "raw-only"}};

/* Each domain has a CRL of root's: that of "field" is about its own leaves, that of "other" is only
 * found when the CRLs of all domains are asked. */
static char paths[4][64];
static struct policy_file crls[] = {{.path = paths[2]}, {.path = paths[3]}};
static struct policy_trust trusts[] = {
    {.name = "field", .anchors.path = paths[0], .crls = &crls[0], .crl_count = 1},
    {.name = "other", .anchors.path = paths[1], .crls = &crls[1], .crl_count = 1},
};

static struct policy policy = {
    .endpoints = endpoints,
    .endpoint_count = ARRAY_SIZE(endpoints),
    .trust = trusts,
    .trust_count = ARRAY_SIZE(trusts),
    .rules = rules,
    .rule_count = ARRAY_SIZE(rules),
};
static struct trust_store *store;
static char folder[32];
static struct buffer revoked, revoked_elsewhere, sub;

static void write_crl(const char *path, const struct buffer *listed)
{
    struct buffer der AUTO_BUFFER =
        maker_crl(&(struct crl_recipe){.issuer = "root", .revoked = {buffer_bytes(listed)}});
    maker_write_file(path, buffer_bytes(&der));
}

/* The SubjectPublicKeyInfo of the key of that NAME, a view into CERTIFICATE, which this makes. */
static struct bytes spki_of(const char *name, struct buffer *certificate)
{
    struct certificate parsed;
    *certificate = maker_make(&(struct recipe){.key = name});
    ck_assert_int_eq(certificate_parse(buffer_bytes(certificate), &parsed, NULL), RESULT_OK);
    return parsed.spki;
}

static void set_up(void)
{
    struct buffer certificate AUTO_BUFFER = {0};
    uint8_t digest[SPKI_DIGEST_SIZE];
    struct report report = {0};
    snprintf(folder, sizeof(folder), "/tmp/e2ekeyd-admit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        snprintf(paths[i], sizeof(paths[i]), "%s/%zu", folder, i);
    maker_start(authorities);
    maker_write(paths[0], "root");
    maker_write(paths[1], "other");
    revoked = maker_make(&(struct recipe){0});
    revoked_elsewhere = maker_make(&(struct recipe){0});
    sub = maker_authority("sub");
    write_crl(paths[2], &revoked);
    write_crl(paths[3], &revoked_elsewhere);
    ck_assert_int_eq(spki_digest(spki_of("raw", &certificate), digest), RESULT_OK);
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, digest, public_key_id);
    policy.texts = texts_new();
    ck_assert_ptr_nonnull(policy.texts);
    ck_assert(rule_index_build(&policy));
    ck_assert_int_eq(trust_store_new(&policy, &store, &report), RESULT_OK);
    ck_assert_uint_eq(report.count, 0);
}

static void tear_down(void)
{
    trust_store_free(store);
    texts_free(policy.texts);
    policy.texts = NULL;
    policy.index = NULL;
    buffer_release(&revoked);
    buffer_release(&revoked_elsewhere);
    buffer_release(&sub);
    maker_stop();
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        unlink(paths[i]);
    ck_assert_int_eq(rmdir(folder), 0);
}

struct admission_kind {
    const char *what;
    /* What is presented: one of leaf, made, raw_key and octets, or nothing; the certificate of
     * "sub" comes along with a certificate. */
    const char *leaf, *issuer; /* its extensions, and by whom: NULL is "root" */
    const struct buffer *made;
    const char *raw_key; /* by its name */
    const char *octets;  /* that are no certificate */
    size_t more;         /* copies of the leaf */
    int endpoint;
    enum path_purpose purpose;
    int64_t later_s; /* than MAKER_NOW */
    const char *from;
    /* What has to be decided. */
    enum result result;
    int alert; /* 0: none */
    int rule;
    uint64_t trusted;
};

#define PEER    "//m2m.example/in-cse/Cpeer"
#define REFUSED RESULT_CERTIFICATE_REFUSED

static const struct admission_kind kinds[] = {
    {"an AE", .leaf = NAMED("URI:" PEER), .from = PEER, .rule = AE, .trusted = FIELD},
    {"an AE, with a scheme", .leaf = NAMED("URI:coap:" PEER), .from = PEER, .rule = AE,
        .trusted = FIELD},
    {"an AE of a pattern", .leaf = NAMED("URI://m2m.example/any-cse/Cx"),
        .from = "//m2m.example/any-cse/Cx", .rule = PATTERN, .trusted = FIELD},
    {"a CSE", .leaf = NAMED("DNS:mn-cse.example"), .from = "//m2m.example/mn-cse", .rule = CSE,
        .trusted = FIELD},
    {"a node", .leaf = NAMED("DNS:node.example"), .from = "//m2m.example/in-cse/Cnode",
        .rule = NODE, .trusted = FIELD},
    {"a device", .leaf = NAMED("otherName:0.2.481.1;UTF8:100.3030.10011"),
        .from = "//m2m.example/in-cse/Cdevice", .rule = DEVICE, .trusted = FIELD},
    {"a raw public key", .raw_key = "raw", .from = "//m2m.example/in-cse/Craw", .rule = RAW_KEY},
    {"a raw public key where only those are taken", .raw_key = "raw", .endpoint = RAW_ONLY,
        .from = "//m2m.example/in-cse/Craw", .rule = RAW_KEY},
    {"one below an intermediate CA", .issuer = "sub", .leaf = NAMED("URI:" PEER), .from = PEER,
        .rule = AE, .trusted = FIELD},
    {"one at its other end-point", .leaf = NAMED("URI://m2m.example/in-cse/Ctwo"), .endpoint = TWO,
        .from = "//m2m.example/in-cse/Ctwo", .rule = AE_OF_TWO, .trusted = FIELD},
    {"two names, and From is the first",
        .leaf = NAMED("URI:" PEER ",URI://m2m.example/in-cse/"
                      "Csecond"),
        .from = PEER, .rule = AE, .trusted = FIELD},
    {"two names, and From is the second",
        .leaf = NAMED("URI:" PEER ",URI://m2m.example/in-cse/"
                      "Csecond"),
        .from = "//m2m.example/in-cse/Csecond", .rule = SECOND_AE, .trusted = FIELD},
    {"no From", .leaf = NAMED("URI:" PEER), .from = "", .rule = AE, .trusted = FIELD},

    {"no rule", .leaf = NAMED("URI://m2m.example/in-cse/Cnobody"), .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE, .trusted = FIELD},
    {"no name", .leaf = NAMED("email:peer@m2m.example"), .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE, .trusted = FIELD},
    {"a rule for another end-point", .leaf = NAMED("URI://m2m.example/in-cse/Ctwo"),
        .from = "//m2m.example/in-cse/Ctwo", .result = RESULT_NOT_AUTHORISED,
        .alert = TLS_ALERT_ACCESS_DENIED, .rule = NO_RULE, .trusted = FIELD},
    {"another AE's From", .leaf = NAMED("URI:" PEER), .from = "//m2m.example/in-cse/Csecond",
        .result = RESULT_NOT_AUTHORISED, .alert = TLS_ALERT_ACCESS_DENIED, .rule = AE,
        .trusted = FIELD},
    {"a CSE's From in other case", .leaf = NAMED("DNS:mn-cse.example"),
        .from = "//m2m.example/MN-CSE", .result = RESULT_NOT_AUTHORISED,
        .alert = TLS_ALERT_ACCESS_DENIED, .rule = CSE, .trusted = FIELD},
    {"another raw public key's From", .raw_key = "raw", .from = PEER,
        .result = RESULT_NOT_AUTHORISED, .alert = TLS_ALERT_ACCESS_DENIED, .rule = RAW_KEY},
    {"a domain that the rule does not trust", .issuer = "other", .leaf = NAMED("URI:" PEER),
        .from = PEER, .result = REFUSED, .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE,
        .trusted = OTHER},
    {"an unknown CA", .issuer = "stranger", .leaf = NAMED("URI:" PEER), .from = PEER,
        .result = REFUSED, .alert = TLS_ALERT_UNKNOWN_CA, .rule = NO_RULE},
    {"expired", .leaf = NAMED("URI:" PEER), .later_s = 2 * 86400, .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_CERTIFICATE_EXPIRED, .rule = NO_RULE},
    {"not valid yet", .leaf = NAMED("URI:" PEER), .later_s = -2 * 86400, .from = PEER,
        .result = REFUSED, .alert = TLS_ALERT_CERTIFICATE_EXPIRED, .rule = NO_RULE},
    {"revoked in its domain", .made = &revoked, .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_CERTIFICATE_REVOKED, .rule = NO_RULE},
    {"revoked in another domain", .made = &revoked_elsewhere, .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_CERTIFICATE_REVOKED, .rule = NO_RULE},
    {"not for clients", .leaf = NAMED("URI:" PEER), .purpose = PATH_SERVER, .from = PEER,
        .result = REFUSED, .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE},
    {"no certificate", .octets = "x", .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE},
    {"nothing", .from = PEER, .result = REFUSED, .alert = TLS_ALERT_HANDSHAKE_FAILURE,
        .rule = NO_RULE},
    {"too many certificates", .leaf = NAMED("URI:" PEER), .more = PATH_CERTIFICATES_MAX - 1,
        .from = PEER, .result = REFUSED, .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE},
    {"a raw public key without a rule", .raw_key = "nobody's", .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_BAD_CERTIFICATE, .rule = NO_RULE},
    {"a raw public key where none is taken", .raw_key = "raw", .endpoint = TWO,
        .from = "//m2m.example/in-cse/Craw", .result = RESULT_TLS_REFUSED,
        .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE},
    {"a certificate where none is taken", .leaf = NAMED("URI:" PEER), .endpoint = RAW_ONLY,
        .from = PEER, .result = RESULT_TLS_REFUSED, .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        .rule = NO_RULE, .trusted = FIELD},
    {"a bad certificate where none is taken", .octets = "x", .endpoint = RAW_ONLY, .from = PEER,
        .result = RESULT_TLS_REFUSED, .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE},
};

static enum result decide(
    const struct admission_kind *kind, struct admission *out, struct fault *fault)
{
    struct bytes chain[PATH_CERTIFICATES_MAX + 1];
    struct buffer made AUTO_BUFFER = {0};
    struct admission_request request = {
        .policy = &policy,
        .trust = store,
        .endpoint = (size_t)kind->endpoint,
        .takes = policy_types_taken(&policy, (size_t)kind->endpoint),
        .chain = chain,
        .purpose = kind->purpose,
        .from = kind->from,
        .now_s = MAKER_NOW + kind->later_s,
    };
    if (kind->raw_key) {
        request.public_key = spki_of(kind->raw_key, &made);
        return admission_decide(&request, out, fault);
    }
    struct bytes leaf = kind->octets ? bytes_of_string(kind->octets) : (struct bytes){0};
    if (kind->made)
        leaf = buffer_bytes(kind->made);
    if (kind->leaf) {
        made = maker_make(&(struct recipe){.issuer = kind->issuer, .extensions = kind->leaf});
        leaf = buffer_bytes(&made);
    }
    while (leaf.size > 0 && request.chain_count <= kind->more)
        chain[request.chain_count++] = leaf;
    if (leaf.size > 0)
        chain[request.chain_count++] = buffer_bytes(&sub);
    return admission_decide(&request, out, fault);
}

static size_t count_links(const struct evidence *evidence)
{
    struct bytes rest = bytes_of(evidence->octets, evidence->size);
    struct evidence_link link;
    size_t count = 0;
    while (evidence_next(&rest, &link))
        count++;
    ck_assert_uint_eq(rest.size, 0);
    return count;
}

START_TEST(decides_every_kind)
{
    const struct admission_kind *kind = &kinds[_i];
    struct fault fault = FAULT_INIT;
    struct admission admission;
    enum result result = decide(kind, &admission, &fault);
    ck_assert_msg(result == kind->result, "%s: %s: %s", kind->what, result_name(result),
        result == RESULT_OK ? "admitted" : fault.text);
    if (result != RESULT_OK) {
        ck_assert_int_eq(fault.result, result);
        ck_assert_msg(
            fault.alert == kind->alert, "%s: %d: %s", kind->what, fault.alert, fault.text);
        ck_assert_str_ne(fault.text, "");
    }
    const struct policy_rule *rule = admission.authorised.rule;
    ck_assert_msg(rule == (kind->rule == NO_RULE ? NULL : &rules[kind->rule]), "%s: rule %d",
        kind->what, rule ? (int)(rule - rules) : NO_RULE);
    ck_assert_msg(admission.trusted == kind->trusted, "%s: %llu", kind->what,
        (unsigned long long)admission.trusted);
    if (result == RESULT_OK && kind->from[0] != '\0')
        ck_assert_str_eq(admission.authorised.identity, kind->from);
    if (result == RESULT_OK)
        ck_assert_uint_eq(count_links(&admission.evidence), kind->raw_key  ? 0
                                                            : kind->issuer ? 2
                                                                           : 1);
}
END_TEST

/* For whoever explains why: what was presented says the same whether or not it is admitted. */
START_TEST(hands_out_the_names_of_who_is_refused)
{
    static const struct admission_kind refused[] = {
        {"expired", .leaf = NAMED("URI:" PEER), .later_s = 2 * 86400, .from = PEER},
        {"for servers", .leaf = NAMED("URI:" PEER), .purpose = PATH_SERVER, .from = PEER},
        {"too many", .leaf = NAMED("URI:" PEER), .more = PATH_CERTIFICATES_MAX - 1, .from = PEER},
        {"another type", .leaf = NAMED("URI:" PEER), .endpoint = RAW_ONLY, .from = PEER},
    };
    struct fault fault = FAULT_INIT;
    struct admission admission;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        ck_assert_int_ne(decide(&refused[i], &admission, &fault), RESULT_OK);
        ck_assert_msg(admission.names.uri.count == 1, "%s", refused[i].what);
        ck_assert_str_eq(admission.names.uri.name[0], PEER);
        ck_assert_uint_eq(admission.names.dns.count, 0);
    }
}
END_TEST

START_TEST(says_why)
{
    static const struct {
        struct admission_kind kind;
        const char *text;
    } reasons[] = {
        {{.leaf = NAMED("URI:" PEER), .from = "//m2m.example/in-cse/Csecond"},
            "From is //m2m.example/in-cse/Csecond, but the certificate is that of " PEER},
        {{.raw_key = "raw", .from = PEER},
            "From is " PEER ", but the public key is that of //m2m.example/in-cse/Craw"},
        {{.raw_key = "raw", .endpoint = TWO, .from = PEER},
            "a raw public key is not taken: no rule of end-point two is for one"},
        {{.leaf = NAMED("URI:" PEER), .endpoint = RAW_ONLY, .from = PEER},
            "a certificate is not taken: no rule of end-point raw-only is for one"},
        {{.made = &revoked, .from = PEER}, "trust domain field: leaf is revoked"},
        {{.made = &revoked_elsewhere, .from = PEER},
            "trust domain field: a certificate of the path is revoked by a CRL of trust domain "
            "other"},
    };
    struct fault fault = FAULT_INIT;
    struct admission admission;
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        ck_assert_int_ne(decide(&reasons[i].kind, &admission, &fault), RESULT_OK);
        ck_assert_str_eq(fault.text, reasons[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trust/admission");
    TCase *group = tcase_create("trust/admission");
    tcase_set_timeout(group, 120);
    tcase_add_checked_fixture(group, set_up, tear_down);
    tcase_add_loop_test(group, decides_every_kind, 0, ARRAY_SIZE(kinds));
    tcase_add_test(group, hands_out_the_names_of_who_is_refused);
    tcase_add_test(group, says_why);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
