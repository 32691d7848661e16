/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is admitted, initiators by a policy and terminating end-points by what is expected of them:
 * each flavour, and each reason to refuse, with its result, alert and rule. */
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

/* The extensions of a leaf with these names: an initiator's, and a terminating end-point's. */
#define NAMED(names) "basicConstraints=critical,CA:FALSE\n" MAKER_USAGE "subjectAltName=" names "\n"
#define SERVER(names)                                                                              \
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"                     \
    "extendedKeyUsage=serverAuth\n" MAKER_IDS "subjectAltName=" names "\n"

static const struct recipe authorities[] = {
    {.name = "root", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {.name = "other", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {.name = "stranger", .extensions = MAKER_CA},
    {.name = "sub", .issuer = "root", .extensions = MAKER_CA},
    {.name = "bound",
        .issuer = "root",
        .extensions = MAKER_CA "nameConstraints=critical,permitted;DNS:m2m.example,"
                               "permitted;URI:m2m.example\n"},
    {.name = "for-clients",
        .issuer = "root",
        .extensions = MAKER_CA "extendedKeyUsage=clientAuth\n"},
    {0},
};
/* They come along with each certificate. */
static const char *const intermediates[] = {"sub", "bound", "for-clients"};

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

/* Whom we ask, by the rules of each way in which it may be named. */
#define ASKED "//m2m.example/mn-cse"
#define EXPECTED(form, text, ...)                                                                  \
    {                                                                                              \
        .flavour = FLAVOUR_##form, .identity = ASKED, .match = (text), .endpoints = AT(ONE),       \
        ##__VA_ARGS__                                                                              \
    }
enum { URI, NAME };
static const struct policy_rule by_uri_or_name[] = {
    [URI] = EXPECTED(AE_ID, ASKED), [NAME] = EXPECTED(CSE_ID, "mn.m2m.example")};
static const struct policy_rule by_other[] = {EXPECTED(CSE_ID, "mn.m2m.example", .trust = 1)};
static const struct policy_rule by_node[] = {EXPECTED(NODE_ID, "node.example")};
static const struct policy_rule by_device[] = {EXPECTED(DEVICE, "0.2.481.1.100.3030.10011")};
static const struct policy_rule by_key[] = {EXPECTED(RAW_PUBLIC_KEY, public_key_id, .trust = -1)};
static const struct policy_rule by_pattern[] = {
    {.flavour = FLAVOUR_AE_ID,
        .identity = "//m2m.example/any-cse/*",
        .match = "//m2m.example/any-cse/*",
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
static struct buffer revoked, revoked_elsewhere, revoked_server, server_revoked_elsewhere;

static void write_crl(
    const char *path, const struct buffer *listed, const struct buffer *listed_server)
{
    struct buffer der AUTO_BUFFER = maker_crl(&(struct crl_recipe){
        .issuer = "root", .revoked = {buffer_bytes(listed), buffer_bytes(listed_server)}});
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
    revoked_server = maker_make(&(struct recipe){.extensions = SERVER("DNS:mn.m2m.example")});
    server_revoked_elsewhere =
        maker_make(&(struct recipe){.extensions = SERVER("DNS:mn.m2m.example")});
    write_crl(paths[2], &revoked, &revoked_server);
    write_crl(paths[3], &revoked_elsewhere, &server_revoked_elsewhere);
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
    buffer_release(&revoked_server);
    buffer_release(&server_revoked_elsewhere);
    maker_stop();
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        unlink(paths[i]);
    ck_assert_int_eq(rmdir(folder), 0);
}

struct admission_kind {
    const char *what;
    /* What is presented: one of leaf, made, raw_key and octets, or nothing; the intermediates come
     * along with a certificate. */
    const char *leaf, *issuer; /* its extensions, and by whom: NULL is "root" */
    const struct buffer *made;
    const char *raw_key; /* by its name */
    const char *octets;  /* that are no certificate */
    size_t more;         /* copies of the leaf */
    int endpoint;
    int64_t later_s;  /* than MAKER_NOW */
    const char *from; /* of an initiator */
    /* Of a terminating end-point; NULL: it is an initiator. */
    const struct policy_rule *expected;
    size_t expected_count;
    bool is_asked_for_raw, has_no_anchors;
    /* What has to be decided. */
    enum result result;
    int alert; /* 0: none */
    int rule;  /* of the policy, or of those expected */
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
    {"not for clients", .leaf = SERVER("URI:" PEER), .from = PEER, .result = REFUSED,
        .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE},
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

#define ASK(rules)             .expected = (rules), .expected_count = ARRAY_SIZE(rules)
#define SERVER_REFUSED(number) .result = REFUSED, .alert = TLS_ALERT_##number, .rule = NO_RULE

/* The other direction: a terminating end-point answers us. */
static const struct admission_kind servers[] = {
    {"by its domain name", ASK(by_uri_or_name), .leaf = SERVER("DNS:mn.m2m.example"), .rule = NAME,
        .trusted = FIELD},
    {"by its domain name in upper case", ASK(by_uri_or_name), .leaf = SERVER("DNS:MN.M2M.example"),
        .rule = NAME, .trusted = FIELD},
    {"by a URI", ASK(by_uri_or_name), .leaf = SERVER("URI:" ASKED), .rule = URI, .trusted = FIELD},
    {"by a URI with a scheme", ASK(by_uri_or_name), .leaf = SERVER("URI:coap://M2M.example/mn-cse"),
        .rule = URI, .trusted = FIELD},
    {"by both", ASK(by_uri_or_name), .leaf = SERVER("DNS:mn.m2m.example,URI:" ASKED), .rule = URI,
        .trusted = FIELD},
    {"beside names of no host and of others", ASK(by_uri_or_name),
        .leaf = SERVER("DNS:*.m2m.example,DNS:other.example,DNS:mn.m2m.example"), .rule = NAME,
        .trusted = FIELD},
    {"by a node id", ASK(by_node), .leaf = SERVER("DNS:node.example"), .rule = 0, .trusted = FIELD},
    {"by a device id", ASK(by_device), .leaf = SERVER("otherName:0.2.481.1;UTF8:100.3030.10011"),
        .rule = 0, .trusted = FIELD},
    {"by its raw public key", ASK(by_key), .raw_key = "raw", .is_asked_for_raw = true, .rule = 0},
    {"by its raw public key, without anchors", ASK(by_key), .raw_key = "raw",
        .is_asked_for_raw = true, .has_no_anchors = true, .rule = 0},
    {"below an intermediate CA", ASK(by_uri_or_name), .issuer = "sub",
        .leaf = SERVER("DNS:mn.m2m.example"), .rule = NAME, .trusted = FIELD},
    {"within name constraints", ASK(by_uri_or_name), .issuer = "bound",
        .leaf = SERVER("DNS:mn.m2m.example,URI:" ASKED), .rule = URI, .trusted = FIELD},
    {"of another trust domain", ASK(by_other), .issuer = "other",
        .leaf = SERVER("DNS:mn.m2m.example"), .rule = 0, .trusted = OTHER},

    {"another's domain name", ASK(by_uri_or_name), .leaf = SERVER("DNS:other.m2m.example"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"a domain name below it", ASK(by_uri_or_name), .leaf = SERVER("DNS:x.mn.m2m.example"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"a wildcard for its domain name", ASK(by_uri_or_name), .leaf = SERVER("DNS:*.m2m.example"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"its domain name as a URI", ASK(by_uri_or_name), .leaf = SERVER("URI:https://mn.m2m.example"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"another's URI", ASK(by_uri_or_name), .leaf = SERVER("URI://m2m.example/other"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"a URI in other case", ASK(by_uri_or_name), .leaf = SERVER("URI://m2m.example/MN-CSE"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"one of its AEs", ASK(by_uri_or_name), .leaf = SERVER("URI:" ASKED "/Cpeer"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"a URI with a second scheme", ASK(by_uri_or_name), .leaf = SERVER("URI:urn:x:" ASKED),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"one whom the policy admits as an initiator", ASK(by_uri_or_name), .leaf = SERVER("URI:" PEER),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"whomever a pattern would admit", ASK(by_pattern),
        .leaf = SERVER("URI://m2m.example/any-cse/Cx"), .result = RESULT_NOT_AUTHORISED,
        .alert = TLS_ALERT_ACCESS_DENIED, .rule = NO_RULE, .trusted = FIELD},
    {"the expected one of another end-point of ours", ASK(by_uri_or_name), .endpoint = TWO,
        .leaf = SERVER("DNS:mn.m2m.example"), .result = RESULT_NOT_AUTHORISED,
        .alert = TLS_ALERT_ACCESS_DENIED, .rule = NO_RULE, .trusted = FIELD},
    {"a trust domain that is not the rule's", ASK(by_other), .leaf = SERVER("DNS:mn.m2m.example"),
        SERVER_REFUSED(BAD_CERTIFICATE), .trusted = FIELD},
    {"a certificate for clients", ASK(by_uri_or_name), .leaf = NAMED("DNS:mn.m2m.example"),
        SERVER_REFUSED(UNSUPPORTED_CERTIFICATE)},
    {"a CA for clients", ASK(by_uri_or_name), .issuer = "for-clients",
        .leaf = SERVER("DNS:mn.m2m.example"), SERVER_REFUSED(UNSUPPORTED_CERTIFICATE)},
    {"a domain name outside name constraints", ASK(by_uri_or_name), .issuer = "bound",
        .leaf = SERVER("DNS:mn.other.example,URI:" ASKED), SERVER_REFUSED(BAD_CERTIFICATE)},
    {"a wildcard under name constraints", ASK(by_uri_or_name), .issuer = "bound",
        .leaf = SERVER("DNS:*.m2m.example,URI:" ASKED), SERVER_REFUSED(BAD_CERTIFICATE)},
    {"a CA that is the leaf", ASK(by_uri_or_name),
        .leaf = MAKER_CA "subjectAltName=DNS:mn.m2m.example\n",
        SERVER_REFUSED(UNSUPPORTED_CERTIFICATE)},
    {"an unknown CA", ASK(by_uri_or_name), .issuer = "stranger",
        .leaf = SERVER("DNS:mn.m2m.example"), SERVER_REFUSED(UNKNOWN_CA)},
    {"no anchors at all", ASK(by_uri_or_name), .leaf = SERVER("DNS:mn.m2m.example"),
        .has_no_anchors = true, SERVER_REFUSED(UNKNOWN_CA)},
    {"expired", ASK(by_uri_or_name), .leaf = SERVER("DNS:mn.m2m.example"), .later_s = 2 * 86400,
        SERVER_REFUSED(CERTIFICATE_EXPIRED)},
    {"not valid yet", ASK(by_uri_or_name), .leaf = SERVER("DNS:mn.m2m.example"),
        .later_s = -2 * 86400, SERVER_REFUSED(CERTIFICATE_EXPIRED)},
    {"revoked", ASK(by_uri_or_name), .made = &revoked_server, SERVER_REFUSED(CERTIFICATE_REVOKED)},
    {"revoked in another domain", ASK(by_uri_or_name), .made = &server_revoked_elsewhere,
        SERVER_REFUSED(CERTIFICATE_REVOKED)},
    {"no certificate", ASK(by_uri_or_name), .octets = "x", SERVER_REFUSED(BAD_CERTIFICATE)},
    {"nothing", ASK(by_uri_or_name), SERVER_REFUSED(HANDSHAKE_FAILURE)},
    {"another raw public key", ASK(by_key), .raw_key = "nobody's", .is_asked_for_raw = true,
        SERVER_REFUSED(BAD_CERTIFICATE)},
    {"a raw public key rather than a certificate", ASK(by_uri_or_name), .raw_key = "raw",
        .result = RESULT_TLS_REFUSED, .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE},
    {"a certificate rather than a raw public key", ASK(by_key),
        .leaf = SERVER("DNS:mn.m2m.example"), .is_asked_for_raw = true,
        .result = RESULT_TLS_REFUSED, .alert = TLS_ALERT_UNSUPPORTED_CERTIFICATE, .rule = NO_RULE,
        .trusted = FIELD},
};

/* An initiator is taken by what the policy takes, a terminating end-point by what it was asked. */
static struct certificate_types types_taken(const struct admission_kind *kind)
{
    if (!kind->expected)
        return policy_types_taken(&policy, (size_t)kind->endpoint);
    return (struct certificate_types){!kind->is_asked_for_raw, kind->is_asked_for_raw};
}

static enum result decide(
    const struct admission_kind *kind, struct admission *out, struct fault *fault)
{
    struct bytes chain[PATH_CERTIFICATES_MAX + ARRAY_SIZE(intermediates)];
    struct buffer made AUTO_BUFFER = {0};
    struct buffer along[ARRAY_SIZE(intermediates)] = {0};
    struct admission_request request = {
        .policy = kind->expected ? NULL : &policy,
        .trust = kind->has_no_anchors ? NULL : store,
        .endpoint = (size_t)kind->endpoint,
        .takes = types_taken(kind),
        .chain = chain,
        .from = kind->from,
        .expected = kind->expected,
        .expected_count = kind->expected_count,
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
    for (size_t i = 0; leaf.size > 0 && i < ARRAY_SIZE(intermediates); i++) {
        along[i] = maker_authority(intermediates[i]);
        chain[request.chain_count++] = buffer_bytes(&along[i]);
    }
    enum result result = admission_decide(&request, out, fault);
    for (size_t i = 0; i < ARRAY_SIZE(intermediates); i++)
        buffer_release(&along[i]);
    return result;
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

/* Without the anchor. */
static size_t path_length(const struct admission_kind *kind)
{
    for (size_t i = 0; kind->issuer && i < ARRAY_SIZE(intermediates); i++)
        if (strcmp(kind->issuer, intermediates[i]) == 0)
            return 2;
    return kind->raw_key ? 0 : 1;
}

static void expect(const struct admission_kind *kind)
{
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
    const struct policy_rule *among = kind->expected ? kind->expected : rules;
    ck_assert_msg(rule == (kind->rule == NO_RULE ? NULL : &among[kind->rule]), "%s: rule %d",
        kind->what, rule ? (int)(rule - among) : NO_RULE);
    ck_assert_msg(admission.trusted == kind->trusted, "%s: %llu", kind->what,
        (unsigned long long)admission.trusted);
    if (result == RESULT_OK && kind->expected)
        ck_assert_str_eq(admission.authorised.identity, ASKED);
    else if (result == RESULT_OK && kind->from[0] != '\0')
        ck_assert_str_eq(admission.authorised.identity, kind->from);
    if (result == RESULT_OK)
        ck_assert_uint_eq(count_links(&admission.evidence), path_length(kind));
}

START_TEST(decides_every_kind)
{
    expect(&kinds[_i]);
}
END_TEST

START_TEST(decides_about_every_terminating_end_point)
{
    expect(&servers[_i]);
}
END_TEST

/* For whoever explains why: what was presented says the same whether or not it is admitted. */
START_TEST(hands_out_the_names_of_who_is_refused)
{
    static const struct admission_kind refused[] = {
        {"expired", .leaf = NAMED("URI:" PEER), .later_s = 2 * 86400, .from = PEER},
        {"for servers", .leaf = SERVER("URI:" PEER), .from = PEER},
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
        {{.leaf = SERVER("DNS:other.example"), ASK(by_uri_or_name)},
            "the terminating end-point's certificate does not stand for " ASKED},
        {{.leaf = SERVER("DNS:mn.m2m.example"), ASK(by_other)},
            "\"mn.m2m.example\" is certified, but not by an authority trusted for it"},
        {{.leaf = SERVER("DNS:mn.m2m.example"), ASK(by_key), .is_asked_for_raw = true},
            "a certificate is not taken: " ASKED " has to present the other type"},
        {{.leaf = NAMED("DNS:mn.m2m.example"), ASK(by_uri_or_name)},
            "leaf has an extKeyUsage without serverAuth"},
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
    tcase_add_loop_test(group, decides_about_every_terminating_end_point, 0, ARRAY_SIZE(servers));
    tcase_add_test(group, hands_out_the_names_of_who_is_refused);
    tcase_add_test(group, says_why);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
