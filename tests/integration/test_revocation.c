/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs that change while the daemon runs, and what becomes of those they revoke. */
#include "support/check_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/refusal.h"
#include "support/run.h"
#include "support/varlink.h"
#include "tls/context.h"
#include "tls/message.h"

#define KEYS     "org.e2ekeyd.Keys."
#define ID_CHARS 32 /* of a keyId */
#define CX       "URI://m2m.example/in-cse/Cx"

#define TRUST(crls, required)                                                                      \
    "{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":[" crls                 \
    "],\"requireCrl\":" required "}]}"

static const struct refusal revoked = {403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "leaf is revoked"};

static struct daemon daemon_;
static CURL *client;
static struct varlink events;

/* SCRIPT of tests/support, in the daemon's folder. */
static void support(const char *script, const char *arguments)
{
    char command[1024];

    snprintf(command, sizeof(command), "tests/support/%s %s %s", script, daemon_.folder, arguments);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void prepare_as(const struct daemon_options *options)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, options);
}

static void prepare(void)
{
    prepare_as(&(struct daemon_options){0});
}

/* The daemon has taken the subscription when a call that comes after it is answered. */
static void subscribe(void)
{
    struct varlink other;

    varlink_open(&events, daemon_.socket);
    varlink_begin(&events, KEYS "Subscribe", NULL, "more");
    varlink_open(&other, daemon_.socket);
    json_decref(varlink_call(&other, "org.varlink.service.GetInfo", NULL));
    varlink_close(&other);
}

static void start(const char *policy)
{
    daemon_change_policy(&daemon_, policy);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    client = http_open();
    subscribe();
}

static void tear_down(void)
{
    varlink_close(&events);
    http_close(client);
    daemon_stop(&daemon_);
}

/* The next event is that, of a key with PEER; the caller lets go of it. */
static json_t *expect_event_of(const char *event, const char *peer)
{
    json_t *reply = varlink_receive(&events);
    const json_t *parameters = json_object_get(reply, "parameters");
    const json_t *key = json_object_get(parameters, "key");

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(varlink_error(reply), "");
    ck_assert_str_eq(json_string_value(json_object_get(parameters, "event")), event);
    if (peer)
        ck_assert_str_eq(json_string_value(json_object_get(key, "peer")), peer);
    return reply;
}

static void expect_event(const char *event, const char *id)
{
    json_t *reply = expect_event_of(event, NULL);
    const json_t *key = json_object_get(json_object_get(reply, "parameters"), "key");

    ck_assert_str_eq(json_string_value(json_object_get(key, "keyId")), id);
    json_decref(reply);
}

/* The AE of certificate NAME establishes a key as FROM. */
static void establish(const char *name, const char *from, char id[ID_CHARS + 1])
{
    struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) =
        exchange_credential(&daemon_, name);
    struct exported_key exported;
    struct http_answer answer;

    ck_assert_msg(exchange_run(client, &daemon_, credential, from, &exported, &answer),
        "%s: %ld %s", from, answer.status, answer.body);
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), id);
    expect_event("established", id);
}

static void send_message3(const struct run *run, const struct refusal *expected)
{
    struct http_answer answer;

    run_send(client, &daemon_, RUN_UPDATE, run->path, run->from, "m3", &run->message3, &answer);
    refusal_expect(run->from, &answer, expected, "m3", "3", false);
}

static void refuse(const char *name, const char *from, const struct refusal *expected)
{
    struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) =
        exchange_credential(&daemon_, name);
    struct run run;

    run_open(&run, client, &daemon_, credential, from);
    send_message3(&run, expected);
    run_end(&run);
}

static void expect_no_key(const char *id)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetKey", json_pack("{s:s}", "keyId", id));
    ck_assert_str_eq(varlink_error(reply), KEYS "NoSuchKey");
    json_decref(reply);
    varlink_close(&varlink);
}

static bool has_key(const char *peer)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetKey", json_pack("{s:s}", "peer", peer));
    bool has = strcmp(varlink_error(reply), "") == 0;
    json_decref(reply);
    varlink_close(&varlink);
    return has;
}

static void expect_key(const char *id)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetKey", json_pack("{s:s}", "keyId", id));
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
}

static void revoke_by_hand(const char *id)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "RevokeKey", json_pack("{s:s}", "keyId", id));
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
}

static unsigned count_in_log(const char *text)
{
    char *log = daemon_log(&daemon_);
    unsigned count = 0;

    for (const char *next = log; (next = strstr(next, text)) != NULL; next += strlen(text))
        count++;
    free(log);
    return count;
}

/* Again and again until DONE, for as long as anything may take. */
#define AWAIT(done)                                                                                \
    for (int64_t until_ms_ = clock_steady_ms() + DAEMON_TIMEOUT_MS; !(done);) {                    \
        ck_assert_msg(clock_steady_ms() < until_ms_, "in vain: " #done);                           \
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);                                  \
    }

/* --- a file is replaced --- */

START_TEST(a_replaced_crl_revokes_the_key_too)
{
    char id[ID_CHARS + 1], other[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    establish("meter", "Cmeter", other);

    support("revoke", "field-ca field-ca.crl x");
    expect_event("revoked", id);
    expect_no_key(id);
    refuse("x", "Cx", &revoked);
    expect_key(other);
    establish("meter", "Cmeter", other);
    revoke_by_hand(other);
    expect_event("revoked", other);
    ck_assert_uint_eq(count_in_log("in-cse/Cmeter revoked peer="), 1);
    ck_assert_uint_eq(count_in_log(" revoked: a CRL revokes a certificate of its path"), 1);
    ck_assert_uint_eq(count_in_log("CRLs of trust domain field reloaded"), 1);
    ck_assert_uint_eq(count_in_log("policy reloaded"), 0);
    tear_down();
}
END_TEST

/* The policy may be half way through an edit. */
START_TEST(the_policy_is_not_read_with_the_crls)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    ck_assert_int_eq(truncate(daemon_file(&daemon_, "policy.json"), 10), 0);
    support("revoke", "field-ca field-ca.crl x");
    expect_event("revoked", id);
    tear_down();
}
END_TEST

/* As a shell would, in the daemon's folder. */
static void run_there(const char *commands)
{
    char command[1024];

    snprintf(command, sizeof(command), "cd %s && %s", daemon_.folder, commands);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* One who writes in place, and takes a break in the middle of it. */
START_TEST(a_bad_file_leaves_the_old_in_force_until_it_changes)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("certify", "field-ca y URI://m2m.example/in-cse/Cy");
    support("revoke", "field-ca field-ca.crl y");
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);

    support("revoke", "field-ca whole x y");
    run_there("head -c 100 whole >half && cp half again && mv half field-ca.crl");
    AWAIT(count_in_log("CRLs of trust domain field not reloaded") > 0);
    run_there("mv again field-ca.crl"); /* tried again, and no news */
    expect_key(id);
    refuse("y", "Cy", &revoked);
    run_there("tail -c +101 whole >>field-ca.crl");
    expect_event("revoked", id);
    refuse("x", "Cx", &revoked);
    ck_assert_uint_eq(count_in_log("not reloaded"), 1);
    tear_down();
}
END_TEST

/* What stands in GetStatus of it, and so in `e2ekeyctl status`. */
static bool has_warning(const char *text)
{
    struct varlink varlink;
    size_t i;
    const json_t *warning;
    bool has = false;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetStatus", NULL);
    const json_t *status = json_object_get(json_object_get(reply, "parameters"), "status");
    ck_assert(json_is_array(json_object_get(status, "warnings")));
    json_array_foreach(json_object_get(status, "warnings"), i, warning) has |=
        strstr(json_string_value(warning), text) != NULL;
    json_decref(reply);
    varlink_close(&varlink);
    return has;
}

START_TEST(a_bad_file_keeps_no_good_one_out)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl");
    support("revoke", "field-ca other.crl");
    start(TRUST("\"other.crl\",\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    run_there("echo busy >bad && mv bad other.crl");
    support("revoke", "field-ca field-ca.crl x");
    expect_event("revoked", id);
    AWAIT(has_warning("other.crl: no CRL: there is none in this file"));
    ck_assert(has_warning("what it held before stays in force"));
    support("revoke", "field-ca other.crl x");
    AWAIT(!has_warning("other.crl"));
    ck_assert_uint_eq(count_in_log("what it held before stays in force"), 1);
    tear_down();
}
END_TEST

/* Whoever puts an old file back, by a mishap or on purpose, lets nobody in again. */
START_TEST(an_older_crl_replaces_no_newer)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca old.crl --number 07");
    run_there("cp old.crl field-ca.crl");
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    support("revoke", "field-ca field-ca.crl --number 08 x");
    expect_event("revoked", id);
    run_there("cp old.crl again && mv again field-ca.crl");
    AWAIT(has_warning("field-ca.crl: CRL 1: older than the one of its issuer that is in force"));
    refuse("x", "Cx", &revoked);
    daemon_reload(&daemon_); /* which reads all anew */
    AWAIT(count_in_log("CRL 1: older than the one") == 2);
    refuse("x", "Cx", &revoked);
    support("revoke", "field-ca field-ca.crl --number 09");
    AWAIT(!has_warning("field-ca.crl"));
    establish("x", "Cx", id);
    tear_down();
}
END_TEST

START_TEST(a_file_that_goes_leaves_its_crl_in_force)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl x");
    start(TRUST("\"field-ca.crl\"", "true"));
    run_there("rm field-ca.crl");
    AWAIT(has_warning("field-ca.crl: No such file"));
    daemon_reload(&daemon_);
    refuse("x", "Cx", &revoked);
    establish("meter", "Cmeter", id);
    ck_assert(has_warning("field-ca.crl: No such file"));
    tear_down();
}
END_TEST

/* --- a file that is not there when the daemon starts --- */

START_TEST(a_missing_file_is_taken_when_it_comes)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    run_there("rm field-ca.crl");
    start(TRUST("\"field-ca.crl\"", "false"));
    ck_assert(has_warning("trust domain field: ") && has_warning("field-ca.crl: No such file"));
    ck_assert_uint_eq(count_in_log("field-ca.crl: No such file or directory"), 1);
    establish("x", "Cx", id);
    support("revoke", "field-ca field-ca.crl x");
    expect_event("revoked", id);
    ck_assert(!has_warning("field-ca.crl"));
    tear_down();
}
END_TEST

/* The domain that requires it is out of order, and says why; another one is not. */
START_TEST(a_missing_file_puts_its_domain_alone_out_of_order)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_BAD_CERTIFICATE, "no current CRL from the issuer of the leaf"};
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("certify", "stranger-ca y URI://m2m.example/in-cse/Cy");
    run_there("rm field-ca.crl");
    daemon_change_policy(&daemon_,
        "{\"initiators\":[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/Cx\",\"trust\":"
        "\"field\"},{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/Cy\","
        "\"trust\":\"other\"}]}");
    start("{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":["
          "\"field-ca.crl\"],\"requireCrl\":true},"
          "{\"name\":\"other\",\"anchors\":\"stranger-ca.pem\"}]}");
    refuse("x", "Cx", &expected);
    establish("y", "Cy", id);
    ck_assert_uint_gt(count_in_log("trust domain field: "), 0);
    support("revoke", "field-ca field-ca.crl");
    AWAIT(!has_warning("field-ca.crl"));
    establish("x", "Cx", id);
    tear_down();
}
END_TEST

/* --- whom it revokes --- */

/* What e2ekeyctl says of certificate NAME. */
static void expect_tool_refuses(const char *name, const char *reason)
{
    const char *build = getenv("BUILD");
    char command[2048];

    snprintf(command, sizeof(command),
        "%s/e2ekeyctl check-certificate %s/%s.pem --policy %s/policy.json >%s/said;"
        "[ $? = 1 ] && grep -q '^Reason .*%s' %s/said",
        build ? build : "build", daemon_.folder, name, daemon_.folder, daemon_.folder, reason,
        daemon_.folder);
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* What counts is who signed it: the daemon and the tool say so. */
START_TEST(a_crl_of_another_domain_counts)
{
    const struct refusal expected = {403, 4106, TLS_ALERT_CERTIFICATE_REVOKED,
        "a certificate of the path is revoked by a CRL of trust domain other"};

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl x");
    start("{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\"},"
          "{\"name\":\"other\",\"anchors\":\"stranger-ca.pem\",\"crls\":[\"field-ca.crl\"]}]}");
    refuse("x", "Cx", &expected);
    expect_tool_refuses("x", expected.text);
    ck_assert(has_warning("field-ca.crl: CRL 1 of CN="));
    tear_down();
}
END_TEST

/* Below.pem: a leaf of an intermediate CA, and that CA. */
static void make_below(void)
{
    char command[1024];

    support("intermediate", "field-ca sub");
    support("certify", "sub below URI://m2m.example/in-cse/Cbelow");
    snprintf(
        command, sizeof(command), "cat %s/sub.pem >>%s/below.pem", daemon_.folder, daemon_.folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_revoked_intermediate_revokes_those_below)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "intermediate CA is revoked"};
    char id[ID_CHARS + 1];

    prepare();
    make_below();
    support("revoke", "field-ca field-ca.crl");
    start(TRUST("\"field-ca.crl\",\"sub.crl\"", "true"));
    establish("below", "Cbelow", id);
    support("revoke", "field-ca field-ca.crl sub");
    expect_event("revoked", id);
    expect_no_key(id);
    refuse("below", "Cbelow", &expected);
    tear_down();
}
END_TEST

/* RFC 5280 6.3.3 (f), (g). The CA's certificate with the new key comes with another device. */
START_TEST(a_crl_by_the_new_key_of_a_ca_revokes)
{
    char id[ID_CHARS + 1], other[ID_CHARS + 1];

    prepare();
    make_below();
    support("intermediate", "field-ca sub-new sub");
    support("certify", "sub-new x " CX);
    run_there("cat sub-new.pem >>x.pem");
    support("revoke", "sub-new sub.crl");
    start(TRUST("\"sub.crl\"", "false"));
    ck_assert(has_warning("sub.crl: CRL 1 of CN=sub: no anchor of trust domain field has"));
    establish("below", "Cbelow", id);
    ck_assert(has_warning("CN=sub"));
    establish("x", "Cx", other);
    ck_assert(!has_warning("CN=sub"));
    support("revoke", "sub-new sub.crl below");
    expect_event("revoked", id);
    expect_key(other);
    run_there("cat sub-new.pem >>below.pem");
    refuse("below", "Cbelow", &revoked);
    expect_tool_refuses("below", "leaf is revoked");
    tear_down();
}
END_TEST

/* The CRL is there before anybody knows the key that signed it. */
START_TEST(a_crl_revokes_once_its_ca_is_known)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "revoked by a CRL of trust domain field"};
    struct exported_key exported;
    struct http_answer answer;
    char id[ID_CHARS + 1];

    prepare();
    make_below();
    support("intermediate", "field-ca sub-new sub");
    support("certify", "sub-new x " CX);
    run_there("cat sub-new.pem >>x.pem");
    support("revoke", "sub-new sub.crl below");
    start(TRUST("\"sub.crl\"", "false"));
    establish("below", "Cbelow", id);
    struct initiator_credential *credential = exchange_credential(&daemon_, "x");
    /* It brings the certificate of the new key; which event is first is open. */
    ck_assert(exchange_run(client, &daemon_, credential, "Cx", &exported, &answer));
    AWAIT(!has_key("Cbelow"));
    ck_assert(has_key("Cx"));
    initiator_credential_free(credential);
    daemon_reload(&daemon_);
    ck_assert(!has_warning("CN=sub")); /* a reload does not forget the key */
    refuse("below", "Cbelow", &expected);
    tear_down();
}
END_TEST

/* A list that the CA did not sign neither lets anybody in nor keeps its later ones out. */
START_TEST(a_forged_crl_displaces_no_good_one)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl --number 06 x");
    start(TRUST("\"field-ca.crl\"", "false"));
    refuse("x", "Cx", &revoked);
    support("revoke", "field-ca field-ca.crl --signer stranger-ca --number 09");
    AWAIT(has_warning(": not signed by the anchor of that name"));
    refuse("x", "Cx", &revoked);
    daemon_reload(&daemon_);
    refuse("x", "Cx", &revoked);
    support("revoke", "field-ca field-ca.crl --number 07");
    AWAIT(!has_warning("field-ca.crl"));
    establish("x", "Cx", id);
    tear_down();
}
END_TEST

/* The review ends with the oldest key: when that is revoked, the others have been seen. */
START_TEST(a_forged_crl_or_a_serial_of_another_ca_revokes_nobody)
{
    char oldest[ID_CHARS + 1], below[ID_CHARS + 1], meter[ID_CHARS + 1];

    prepare();
    make_below();
    support("certify", "field-ca x " CX);
    start(TRUST("\"field-ca.crl\",\"sub.crl\"", "false"));
    establish("x", "Cx", oldest);
    establish("below", "Cbelow", below);
    establish("meter", "Cmeter", meter);
    support("revoke", "sub sub.crl --signer stranger-ca below meter");
    support("revoke", "field-ca field-ca.crl x below");
    expect_event("revoked", oldest);
    expect_key(below);
    expect_key(meter);
    establish("below", "Cbelow", below);
    support("revoke", "sub sub.crl below");
    expect_event("revoked", below);
    expect_no_key(below);
    tear_down();
}
END_TEST

/* More than are reviewed at a time. */
START_TEST(many_keys_are_revoked_one_after_another)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("certify", "field-ca y URI://m2m.example/in-cse/Cy");
    daemon_change_policy(&daemon_, "{\"keys\":{\"perPeer\":60}}");
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("meter", "Cmeter", id);
    for (int i = 0; i < 120; i++)
        establish(i % 2 ? "x" : "y", i % 2 ? "Cx" : "Cy", id);
    support("revoke", "field-ca field-ca.crl x y");
    for (int i = 0; i < 120; i++)
        json_decref(expect_event_of("revoked",
            i % 2 ? "//m2m.example/in-cse/Cy" : "//m2m.example/in-cse/Cx")); /* newest first */
    ck_assert(!has_key("Cx") && !has_key("Cy"));
    ck_assert(has_key("Cmeter"));
    tear_down();
}
END_TEST

/* --- by a new policy --- */

START_TEST(a_reload_revokes_by_the_crls_it_names)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl x");
    start("{}");
    establish("x", "Cx", id);
    daemon_change_policy(&daemon_, TRUST("\"field-ca.crl\"", "true"));
    daemon_reload(&daemon_);
    expect_event("revoked", id);
    refuse("x", "Cx", &revoked);
    /* And from now on the file is watched. */
    support("revoke", "field-ca field-ca.crl");
    AWAIT(count_in_log("CRLs of trust domain field reloaded") > 0);
    establish("x", "Cx", id);
    tear_down();
}
END_TEST

/* An exchange goes by the policy that it began under; the key that comes of it does not escape. */
/* Its files may be unusable just then. */
START_TEST(a_domain_of_another_name_keeps_its_crls)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl x");
    start(TRUST("\"field-ca.crl\"", "false"));
    refuse("x", "Cx", &revoked);
    run_there("echo nonsense >field-ca.crl");
    daemon_change_policy(&daemon_,
        "{\"trust\":[{\"name\":\"plant\",\"anchors\":\"field-ca.pem\",\"crls\":[\"field-ca.crl\"]}]"
        ","
        "\"initiators\":[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\","
        "\"trust\":\"plant\"}]}");
    daemon_reload(&daemon_);
    ck_assert_uint_eq(count_in_log("policy reloaded"), 1);
    refuse("x", "Cx", &revoked);
    establish("meter", "Cmeter", id);
    tear_down();
}
END_TEST

START_TEST(an_exchange_under_way_does_not_escape)
{
    const struct refusal expected = {
        403, 4106, TLS_ALERT_CERTIFICATE_REVOKED, "a certificate was revoked during the exchange"};
    char id[ID_CHARS + 1];
    struct run run;

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl x");
    start("{}");
    struct initiator_credential *credential = exchange_credential(&daemon_, "x");
    establish("x", "Cx", id);
    run_open(&run, client, &daemon_, credential, "Cx");
    daemon_change_policy(&daemon_, TRUST("\"field-ca.crl\"", "true"));
    daemon_reload(&daemon_);
    expect_event("revoked", id); /* the review is over: this was the only key */
    send_message3(&run, &expected);
    run_expect_status(&run, client, &daemon_, 404);
    run_expect_no_key(&daemon_, "Cx");
    ck_assert_uint_eq(count_in_log("revoked: a CRL revokes a certificate of its path"), 2);
    run_end(&run);
    initiator_credential_free(credential);
    tear_down();
}
END_TEST

/* As x, again and again, until that is refused. */
static void *exchange_until_revoked(void *context)
{
    struct initiator_credential *credential = context;
    CURL *mine = http_open();
    struct exported_key exported;
    struct http_answer answer;

    while (exchange_run(mine, &daemon_, credential, "Cx", &exported, &answer))
        ;
    ck_assert_msg(strstr(answer.body, "revoked"), "%s", answer.body);
    http_answer_release(&answer);
    http_close(mine);
    return NULL;
}

/* However they meet, no key is left once the CRL is in force. */
START_TEST(exchanges_race_with_a_new_crl)
{
    pthread_t threads[3];

    prepare();
    support("certify", "field-ca x " CX);
    start(TRUST("\"field-ca.crl\"", "true"));
    struct initiator_credential *credential = exchange_credential(&daemon_, "x");
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL, exchange_until_revoked, credential), 0);
        AWAIT(has_key("Cx"));
        support("revoke", "field-ca field-ca.crl x");
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        AWAIT(!has_key("Cx"));
        support("revoke", "field-ca field-ca.crl");
        AWAIT(count_in_log("CRLs of trust domain field reloaded") == 2U * (unsigned)round + 2);
    }
    initiator_credential_free(credential);
    tear_down();
}
END_TEST

/* --- while the daemon is away --- */

/* The successor takes the keys up (tests/integration/test_restart.c), and reviews them before it
 * answers anybody. */
START_TEST(a_crl_that_came_during_a_restart_counts_at_once)
{
    char id[ID_CHARS + 1], other[ID_CHARS + 1];

    prepare_as(&(struct daemon_options){.inherit = true, .store = true});
    support("certify", "field-ca x " CX);
    daemon_change_policy(&daemon_, TRUST("\"field-ca.crl\"", "true"));
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
    client = http_open();
    subscribe();
    establish("x", "Cx", id);
    establish("meter", "Cmeter", other);
    varlink_close(&events);

    ck_assert_int_eq(kill(daemon_.pid, SIGKILL), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 128 + SIGKILL);
    support("revoke", "field-ca field-ca.crl x");
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
    expect_no_key(id);
    expect_key(other);
    ck_assert_uint_eq(count_in_log(" revoked: a CRL revokes a certificate of its path"), 1);
    http_close(client);
    daemon_stop(&daemon_);
}
END_TEST

/* --- without an event --- */

/* The link's target changes in a folder that nobody watches. */
START_TEST(a_change_without_an_event_is_seen_too)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    run_there("mkdir far && mv field-ca.crl far && ln -s far/field-ca.crl");
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    support("revoke", "field-ca far/field-ca.crl x");
    expect_event("revoked", id);
    tear_down();
}
END_TEST

/* That it cannot be read says nothing of the file: it need not change to be read again. */
START_TEST(a_file_that_could_not_be_read_is_read_later)
{
    char id[ID_CHARS + 1];
    struct rlimit usual;

    prepare();
    support("certify", "field-ca x " CX);
    support("revoke", "field-ca field-ca.crl");
    start(TRUST("\"field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    ck_assert_int_eq(prlimit(daemon_.pid, RLIMIT_NOFILE, NULL, &usual), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = usual.rlim_max};
    ck_assert_int_eq(prlimit(daemon_.pid, RLIMIT_NOFILE, &none, NULL), 0);
    support("revoke", "field-ca field-ca.crl x");
    AWAIT(count_in_log("field-ca.crl: Too many open files") > 0);
    ck_assert_int_eq(prlimit(daemon_.pid, RLIMIT_NOFILE, &usual, NULL), 0);
    expect_event("revoked", id);
    tear_down();
}
END_TEST

/* A folder takes another's place; and from then on that one is watched. */
START_TEST(a_folder_can_be_replaced_too)
{
    char id[ID_CHARS + 1];

    prepare();
    support("certify", "field-ca x " CX);
    run_there("mkdir lists new && mv field-ca.crl lists");
    support("revoke", "field-ca new/field-ca.crl x");
    start(TRUST("\"lists/field-ca.crl\"", "true"));
    establish("x", "Cx", id);
    run_there("mv lists old && mv new lists");
    expect_event("revoked", id);
    support("revoke", "field-ca lists/field-ca.crl");
    AWAIT(count_in_log("CRLs of trust domain field reloaded") == 2);
    establish("x", "Cx", id);
    tear_down();
}
END_TEST

/* --- time goes by --- */

/* "parameters" of a call without any; the caller lets go of it. */
static json_t *ask(const char *method)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, method, NULL);
    json_t *parameters = json_incref(json_object_get(reply, "parameters"));
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
    return parameters;
}

/* The only one in LIST of GetStatus; the caller lets go of it. */
static json_t *only_of(const char *list)
{
    json_t *parameters = ask(KEYS "GetStatus");
    const json_t *array = json_object_get(json_object_get(parameters, "status"), list);
    json_t *only = json_incref(json_array_get(array, 0));

    ck_assert_uint_eq(json_array_size(array), 1);
    json_decref(parameters);
    return only;
}

static bool has_state(const char *list, const char *state)
{
    json_t *only = only_of(list);
    bool has = strcmp(json_string_value(json_object_get(only, "state")), state) == 0;

    json_decref(only);
    return has;
}

/* The metrics tell the same time as the status. */
static void check_metrics(void)
{
    json_t *only = only_of("crls"), *metrics = ask(KEYS "GetMetrics");
    char sample[128];

    snprintf(sample, sizeof(sample),
        "e2ekeyd_crl_next_update_timestamp_seconds{trust=\"field\"} %lld\n",
        (long long)json_integer_value(json_object_get(only, "nextUpdate")));
    const char *text = json_string_value(json_object_get(metrics, "text"));
    ck_assert_msg(strstr(text, sample) != NULL, "no %s in %s", sample, text);
    json_decref(metrics);
    json_decref(only);
}

START_TEST(a_crl_that_runs_out_is_said_and_counts_no_more)
{
    const struct refusal expected = {403, 4106, TLS_ALERT_BAD_CERTIFICATE, "no current CRL"};
    char id[ID_CHARS + 1];

    prepare();
    support("revoke", "field-ca field-ca.crl");
    start(TRUST("\"field-ca.crl\"", "true"));
    ck_assert(has_state("certificates", "current"));
    ck_assert(has_state("crls", "current"));
    check_metrics();
    establish("meter", "Cmeter", id);

    support("revoke", "field-ca field-ca.crl --seconds 5");
    AWAIT(has_state("crls", "expired"));
    AWAIT(count_in_log("field-ca.crl: CRL 1 is out of date") > 0);
    refuse("meter", "Cmeter", &expected);
    expect_key(id); /* out of date, it revokes nobody by that */

    support("revoke", "field-ca field-ca.crl");
    AWAIT(has_state("crls", "current"));
    AWAIT(count_in_log("field-ca.crl: CRL 1 is current") > 0);
    establish("meter", "Cmeter", id);
    ck_assert_uint_eq(count_in_log("is out of date"), 1);
    tear_down();
}
END_TEST

/* e2ekeyd --check warns so, and finds no fault. */
static void expect_warning(const char *expression)
{
    const char *program = getenv("E2EKEYD"), *build = getenv("BUILD");
    char command[1024];

    snprintf(command, sizeof(command),
        "%s%s --check --policy %s/policy.json 2>%s/check && grep -q 'warning: .*%s' %s/check",
        program ? program
        : build ? build
                : "build",
        program ? "" : "/e2ekeyd", daemon_.folder, daemon_.folder, expression, daemon_.folder);
    ck_assert_msg(system(command) == 0, "%s", command);
}

START_TEST(a_certificate_that_is_to_run_out_is_said)
{
    char arguments[256], to[16];
    time_t soon = time(NULL) + (time_t)10 * 86400 + 3600;

    prepare();
    ck_assert_uint_gt(strftime(to, sizeof(to), "%Y%m%d%H%M%S", gmtime(&soon)), 0);
    snprintf(arguments, sizeof(arguments),
        "field-ca in-cse DNS:in-cse.m2m.example --extended serverAuth --to %sZ", to);
    support("certify", arguments);
    start("{}");
    ck_assert(has_state("certificates", "expiring"));
    daemon_reload(&daemon_);
    ck_assert_uint_eq(
        count_in_log("warning: end-point in-cse: "), 1); /* once, however often it is loaded */
    ck_assert_uint_eq(count_in_log("in-cse.pem: certificate expires in 10 days"), 1);
    expect_warning("/endpoints/0/certificate: [^ ]*in-cse.pem: certificate expires in 10 days");
    tear_down();
}
END_TEST

CHECK_MAIN("integration/revocation", a_replaced_crl_revokes_the_key_too,
    the_policy_is_not_read_with_the_crls, a_bad_file_leaves_the_old_in_force_until_it_changes,
    a_bad_file_keeps_no_good_one_out, an_older_crl_replaces_no_newer,
    a_file_that_goes_leaves_its_crl_in_force, a_missing_file_is_taken_when_it_comes,
    a_missing_file_puts_its_domain_alone_out_of_order, a_crl_of_another_domain_counts,
    a_revoked_intermediate_revokes_those_below, a_crl_revokes_once_its_ca_is_known,
    a_forged_crl_displaces_no_good_one, a_crl_by_the_new_key_of_a_ca_revokes,
    a_forged_crl_or_a_serial_of_another_ca_revokes_nobody, many_keys_are_revoked_one_after_another,
    a_reload_revokes_by_the_crls_it_names, a_domain_of_another_name_keeps_its_crls,
    an_exchange_under_way_does_not_escape, exchanges_race_with_a_new_crl,
    a_crl_that_came_during_a_restart_counts_at_once, a_folder_can_be_replaced_too,
    a_change_without_an_event_is_seen_too, a_file_that_could_not_be_read_is_read_later,
    a_crl_that_runs_out_is_said_and_counts_no_more, a_certificate_that_is_to_run_out_is_said)
