/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initiators that prove to be somebody, but nobody who may: certificates and authorisation. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "support/foreign.h"
#include "support/refusal.h"
#include "support/run.h"
#include "tls/context.h"
#include "tls/message.h"

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meter;

/* tests/support/certify in the daemon's folder. */
static void certify(const char *issuer, const char *name, const char *names, const char *options)
{
    char command[1024];

    snprintf(command, sizeof(command), "tests/support/certify %s %s %s %s %s", daemon_.folder,
        issuer, name, names, options);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* NAME.pem holds the credential, then the daemon can start with POLICY. */
static void prepare(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){0});
}

static void start(const char *policy)
{
    if (policy)
        daemon_change_policy(&daemon_, policy);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    client = http_open();
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}

/* Message 3 of CREDENTIAL in the name of FROM comes to nothing, in each way that it can come. */
static void refuse(const char *credential_name, const char *from, const struct refusal *expected)
{
    static const struct {
        enum run_carrier carrier;
        const char *path;
    } places[] = {{RUN_UPDATE, NULL}, {RUN_UPDATE, RUN_ENTRY}, {RUN_NOTIFY, "/notify"}};
    struct initiator_credential *credential = exchange_credential(&daemon_, credential_name);

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct http_answer answer;
        struct run run;

        run_open(&run, client, &daemon_, credential, from);
        run_send(client, &daemon_, places[i].carrier, places[i].path ? places[i].path : run.path,
            from, "m3", &run.message3, &answer);
        refusal_expect(
            credential_name, &answer, expected, "m3", "3", places[i].carrier == RUN_NOTIFY);
        run_expect_status(&run, client, &daemon_, 404);
        run_expect_no_key(&daemon_, from);
        run_end(&run);
    }
    initiator_credential_free(credential);
}

struct bad_certificate {
    const char *issuer; /* NULL: no need to make it */
    const char *name, *names, *options;
    int alert;
    const char *text;
};

#define CX "URI://m2m.example/in-cse/Cx"

static const struct bad_certificate bad_certificates[] = {
    {NULL, "stranger", NULL, NULL, TLS_ALERT_UNKNOWN_CA, "no path"},
    {NULL, "namesake/meter", NULL, NULL, TLS_ALERT_UNKNOWN_CA, "no path"},
    {NULL, "field-ca", NULL, NULL, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "leaf is a CA"},
    {"field-ca", "expired", CX, "--from 20200101000000Z --to 20210101000000Z",
        TLS_ALERT_CERTIFICATE_EXPIRED, "leaf has expired"},
    {"field-ca", "early", CX, "--from 20900101000000Z --to 20910101000000Z",
        TLS_ALERT_CERTIFICATE_EXPIRED, "leaf is not valid yet"},
    {"field-ca", "no-usage", CX, "--usage ''", TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "leaf has no keyUsage"},
    {"field-ca", "wrong-usage", CX, "--usage keyAgreement", TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "digitalSignature"},
    {"field-ca", "server", CX, "--extended serverAuth", TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "without clientAuth"},
    {"field-ca", "outside-uri", "URI://elsewhere.example/in-cse/Cx", "", TLS_ALERT_BAD_CERTIFICATE,
        "constraint"},
    {"field-ca", "outside-dns", CX ",DNS:elsewhere.example", "", TLS_ALERT_BAD_CERTIFICATE,
        "constraint"},
    {"field-ca", "no-rule", "URI://m2m.example/mn-cse/Cx", "", TLS_ALERT_BAD_CERTIFICATE,
        "no rule matches"},
    {"field-ca", "other-flavour", "URI://m2m.example/mn-cse", "", TLS_ALERT_BAD_CERTIFICATE,
        "no rule matches"},
    {"field-ca", "wildcard", "DNS:*.in-cse.m2m.example", "", TLS_ALERT_BAD_CERTIFICATE,
        "dNSName is outside the name constraints"},
    {"field-ca", "subdomain", "DNS:x.mn-cse.in-cse.m2m.example", "", TLS_ALERT_BAD_CERTIFICATE,
        "no rule matches"},
};

START_TEST(certificates_outside_the_profile_are_refused)
{
    struct run bystander;
    char command[1024];

    prepare();
    snprintf(command, sizeof(command), "scripts/mkpki %s/namesake", daemon_.folder);
    ck_assert_int_eq(system(command), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad_certificates); i++) {
        const struct bad_certificate *bad = &bad_certificates[i];
        if (bad->issuer)
            certify(bad->issuer, bad->name, bad->names, bad->options);
    }
    start(NULL);
    run_open(&bystander, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(bad_certificates); i++)
        refuse(bad_certificates[i].name, "Cx",
            &(struct refusal){403, 4106, bad_certificates[i].alert, bad_certificates[i].text});
    run_finish(&bystander, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* Another curve, by a stack that signs with it. */
START_TEST(a_certificate_on_another_curve_is_refused)
{
    const struct refusal expected = {403, 4106, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "P-256"};
    struct http_answer answer;
    struct foreign foreign;
    char *content = NULL, error[512], path[128];

    prepare();
    certify("field-ca", "p384", CX, "--curve P-384");
    start(NULL);
    foreign_start(&foreign, &daemon_, "mbedtls", "p384",
        (const char *[]){"--server-name", RUN_SERVER_NAME, NULL});
    for (int message = 1; message <= 3; message += 2) {
        ck_assert_int_gt(
            asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
        m2m_call(client, daemon_.port,
            &(struct m2m_request){.method = message == 1 ? "POST" : "PUT",
                .path = message == 1 ? RUN_ENTRY : path,
                .from = "Cx",
                .request_id = "p",
                .content_type = message == 1 ? "application/json;ty=30001" : "application/json",
                .body = content},
            &answer);
        free(content);
        foreign_write(&foreign, run_member(&answer, "eckm"));
        if (message == 1) {
            snprintf(path, sizeof(path), RUN_ENTRY "/%s", run_member(&answer, "rn"));
            http_answer_release(&answer);
        }
    }
    refusal_expect("P-384", &answer, &expected, "p", "3", false);
    ck_assert_int_eq(foreign_end(&foreign, error, sizeof(error)), 1);
    ck_assert_msg(strstr(error, "(alert 43 received)"), "%s", error);
    run_expect_no_key(&daemon_, "Cx");
    tear_down();
}
END_TEST

#define FIELD_WITH_CRL                                                                             \
    "{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":[\"field-ca.crl\"],"    \
    "\"requireCrl\":%s}]}"

START_TEST(a_revoked_certificate_is_refused)
{
    struct run good;
    char policy[512];

    prepare();
    certify("field-ca", "good", CX, "");
    certify("field-ca", "revoked", CX, "--revoke");
    snprintf(policy, sizeof(policy), FIELD_WITH_CRL, "true");
    start(policy);
    struct initiator_credential *credential = exchange_credential(&daemon_, "good");
    refuse("revoked", "Cx",
        &(struct refusal){403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "leaf is revoked"});
    run_open(&good, client, &daemon_, credential, "Cx");
    run_finish(&good, client, &daemon_, RUN_UPDATE, NULL);
    initiator_credential_free(credential);
    tear_down();
}
END_TEST

/* Out of date it still says who is revoked, and no more who is not. */
START_TEST(an_outdated_crl_is_none_where_one_is_required)
{
    struct run good;
    char policy[512];

    prepare();
    certify("field-ca", "revoked", CX, "--revoke --crl-to 20210101000000Z");
    snprintf(policy, sizeof(policy), FIELD_WITH_CRL, "true");
    start(policy);
    refuse("meter", "Cmeter",
        &(struct refusal){403, 4106, TLS_ALERT_BAD_CERTIFICATE, "no current CRL"});
    snprintf(policy, sizeof(policy), FIELD_WITH_CRL, "false");
    daemon_change_policy(&daemon_, policy);
    daemon_reload(&daemon_);
    refuse("revoked", "Cx",
        &(struct refusal){403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "leaf is revoked"});
    run_open(&good, client, &daemon_, meter, "Cmeter");
    run_finish(&good, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* An authority that is trusted, but for another rule. */
START_TEST(an_authority_counts_for_its_own_rules_only)
{
    struct run good;

    prepare();
    start("{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\"},"
          "{\"name\":\"lab\",\"anchors\":\"stranger-ca.pem\"}]}");
    refuse("stranger", "Cmeter",
        &(struct refusal){403, 4106, TLS_ALERT_BAD_CERTIFICATE, "not by an authority trusted"});
    run_open(&good, client, &daemon_, meter, "Cmeter");
    run_finish(&good, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

#define DENIED TLS_ALERT_ACCESS_DENIED

/* Message 1 in the name of FROM, for whom there is no rule. */
static void refuse_message1(const char *from)
{
    const struct refusal expected = {403, 4103, DENIED, "no rule is for"};
    struct http_answer answer;
    struct run run;

    run_begin(&run, meter, RUN_SERVER_NAME);
    run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, from, "m1", &run.message1, &answer);
    refusal_expect(from, &answer, &expected, "m1", "3", false);
    run_send(client, &daemon_, RUN_NOTIFY, "/notify", from, "m1", &run.message1, &answer);
    refusal_expect(from, &answer, &expected, "m1", "3", true);
    run_end(&run);
}

/* A good certificate, and another's name in From. */
START_TEST(from_has_to_be_who_the_certificate_names)
{
    static const char *const forged[] = {"Cother", "/in-cse/Cmeter2", "//m2m.example/mn-cse"};
    static const char *const nobody[] = {
        "//m2m.elsewhere/in-cse/Cmeter", "/mn-cse/Cmeter", "Smeter"};
    struct run bystander;

    prepare();
    start(NULL);
    run_open(&bystander, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(forged); i++)
        refuse("meter", forged[i], &(struct refusal){403, 4103, DENIED, "the certificate is that"});
    for (size_t i = 0; i < ARRAY_SIZE(nobody); i++)
        refuse_message1(nobody[i]);
    refuse("mn-cse", "Cmeter", &(struct refusal){403, 4103, DENIED, "the certificate is that"});
    run_finish(&bystander, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* Two end-points, and the rule is for the other. */
START_TEST(a_rule_counts_for_its_end_points_only)
{
    const char *const allowed = "[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\","
                                "\"trust\":\"field\",\"endpoints\":[\"%s\"]}]";
    char policy[1024], rules[256];
    struct run good;

    prepare();
    certify("field-ca", "ae", "URI://m2m.example/in-cse/Cours,DNS:ae.m2m.example",
        "--extended serverAuth");
    snprintf(rules, sizeof(rules), allowed, "ae");
    snprintf(policy, sizeof(policy),
        "{\"endpoints\":[{\"name\":\"in-cse\",\"identity\":\"//m2m.example/in-cse\",\"serverName\":"
        "\"in-cse.m2m.example\",\"certificate\":\"in-cse.pem\",\"privateKey\":\"in-cse.key\"},"
        "{\"name\":\"ae\",\"identity\":\"//m2m.example/in-cse/Cours\",\"serverName\":"
        "\"ae.m2m.example\",\"certificate\":\"ae.pem\",\"privateKey\":\"ae.key\"}],"
        "\"initiators\":%s}",
        rules);
    start(policy);
    refuse("meter", "Cmeter",
        &(struct refusal){403, 4103, DENIED, "may not establish keys with this end-point"});

    snprintf(rules, sizeof(rules), allowed, "in-cse");
    snprintf(policy, sizeof(policy), "{\"initiators\":%s}", rules);
    daemon_change_policy(&daemon_, policy);
    daemon_reload(&daemon_);
    run_open(&good, client, &daemon_, meter, "Cmeter");
    run_finish(&good, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/refused_certificates", certificates_outside_the_profile_are_refused,
    a_certificate_on_another_curve_is_refused, a_revoked_certificate_is_refused,
    an_outdated_crl_is_none_where_one_is_required, an_authority_counts_for_its_own_rules_only,
    from_has_to_be_who_the_certificate_names, a_rule_counts_for_its_end_points_only)
