/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check_main.h"
#include "unit/policy/folder.h"

START_TEST(gives_every_default)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(POLICY_START "}");
    ck_assert_str_eq(policy->cse.sp_id, "m2m.example");
    ck_assert_str_eq(policy->cse.cse_id, "/in-cse");
    ck_assert_str_eq(policy->cse.cse_base, "cse-in");
    ck_assert_str_eq(policy->cse.resource_name, "e2EKeyCSE");
    ck_assert_int_eq(policy->cse.resource_type, 30001);
    ck_assert(!policy->cse.esprim);
    ck_assert_uint_eq(policy->http.listen_count, 1);
    ck_assert_str_eq(policy->http.listen[0], "127.0.0.1:8383");
    ck_assert_uint_eq(policy->http.threads, 0);
    ck_assert_str_eq(policy->http.notify_path, "/notify");
    ck_assert(!policy->http.tls);
    ck_assert_str_eq(policy->socket_path, "/run/e2ekeyd/keys.sock");
    ck_assert_uint_eq(policy->endpoint_count, 1);
    ck_assert_ptr_null(policy->endpoints[0].server_name);
    ck_assert(!policy->endpoints[0].raw_public_key);
    ck_assert_uint_eq(policy->trust_count + policy->rule_count + policy->client_count, 0);
    ck_assert_uint_eq(policy->tls.suite_count, 4);
    ck_assert_uint_eq(policy->tls.suites[0]->code, 0xC023);
    ck_assert_uint_eq(policy->tls.suites[3]->code, 0xC0AC);
    ck_assert(policy->tls.require_extended_master_secret);
    ck_assert_uint_eq(policy->keys.capacity, 100000);
    ck_assert_uint_eq(policy->keys.lifetime_s, 86400);
    ck_assert_uint_eq(policy->keys.per_peer, 2);
    ck_assert_uint_eq(policy->limits.pending_exchanges, 20000);
    ck_assert_uint_eq(policy->limits.pending_per_originator, 4);
    ck_assert_uint_eq(policy->limits.exchange_timeout_s, 30);
    ck_assert_uint_eq(policy->limits.message_octets, 16384);
    ck_assert_uint_eq(policy->limits.creates_per_s, 2000);
    ck_assert_uint_eq(policy->limits.create_burst, 4000);
}
END_TEST

START_TEST(takes_every_member)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(
        "{\"cse\": {\"spId\": \"M2M.example\", \"cseId\": \"/mn\", \"cseBase\": \"base\","
        "  \"resourceName\": \"keys\", \"resourceType\": 65},"
        " \"http\": {\"listen\": [\"[::1]:0\", \"127.0.0.2:65535\"], \"threads\": 3,"
        "  \"notifyPath\": \"/n\", \"tls\": {\"certificate\": \"a\", \"privateKey\": \"/b\"}},"
        " \"socket\": {\"path\": \"/s\"},"
        " \"endpoints\": [{\"name\": \"a\", \"identity\": \"//M2M.example/mn/Ca\","
        "  \"serverName\": \"A.Example\", \"resource\": [\"base/ae\", \"Ca\"], \"certificate\": "
        "\"c\", \"privateKey\": \"d\","
        "  \"rawPublicKey\": true}],"
        " \"trust\": [{\"name\": \"t\", \"anchors\": \"e\", \"crls\": [\"f\", \"g\"],"
        "  \"requireCrl\": true}],"
        " \"tls\": {\"cipherSuites\": [\"ECDHE-ECDSA-AES128-CCM\"],"
        "  \"requireExtendedMasterSecret\": false},"
        " \"keys\": {\"capacity\": 5, \"lifetime\": 6, \"perPeer\": 7},"
        " \"limits\": {\"pendingExchanges\": 8, \"pendingPerOriginator\": 9,"
        "  \"exchangeTimeout\": 10, \"messageBytes\": 2048, \"createsPerSecond\": 11,"
        "  \"createBurst\": 12}}");
    ck_assert_str_eq(policy->cse.sp_id, "m2m.example");
    ck_assert_str_eq(policy->cse.cse_id, "/mn");
    ck_assert_str_eq(policy->cse.cse_base, "base");
    ck_assert_str_eq(policy->cse.resource_name, "keys");
    ck_assert_int_eq(policy->cse.resource_type, 65);
    ck_assert_uint_eq(policy->http.listen_count, 2);
    ck_assert_str_eq(policy->http.listen[0], "[::1]:0");
    ck_assert_str_eq(policy->http.listen[1], "127.0.0.2:65535");
    ck_assert_uint_eq(policy->http.threads, 3);
    ck_assert_str_eq(policy->http.notify_path, "/n");
    ck_assert(policy->http.tls);
    ck_assert_str_eq(policy->http.certificate.path, "a");
    ck_assert_str_eq(policy->http.private_key.path, "/b");
    ck_assert_ptr_null(policy->http.client_anchors.path);
    ck_assert_str_eq(policy->socket_path, "/s");
    ck_assert_str_eq(policy->endpoints[0].identity, "//m2m.example/mn/Ca");
    ck_assert_str_eq(policy->endpoints[0].server_name, "a.example");
    ck_assert_uint_eq(policy->endpoints[0].address_count, 2);
    ck_assert_str_eq(policy->endpoints[0].addresses[0], "base/ae");
    ck_assert_str_eq(policy->endpoints[0].addresses[1], "Ca");
    ck_assert(policy->endpoints[0].raw_public_key);
    ck_assert_str_eq(policy->endpoints[0].certificate.place.file, "policy.json");
    ck_assert_str_eq(policy->endpoints[0].certificate.place.pointer, "/endpoints/0/certificate");
    ck_assert_uint_eq(policy->trust[0].crl_count, 2);
    ck_assert_str_eq(policy->trust[0].crls[1].path, "g");
    ck_assert_str_eq(policy->trust[0].crls[1].place.pointer, "/trust/0/crls/1");
    ck_assert(policy->trust[0].require_crl);
    ck_assert_uint_eq(policy->tls.suite_count, 1);
    ck_assert_uint_eq(policy->tls.suites[0]->code, 0xC0AC);
    ck_assert(!policy->tls.require_extended_master_secret);
    ck_assert_uint_eq(policy->keys.capacity, 5);
    ck_assert_uint_eq(policy->keys.lifetime_s, 6);
    ck_assert_uint_eq(policy->keys.per_peer, 7);
    ck_assert_uint_eq(policy->limits.pending_exchanges, 8);
    ck_assert_uint_eq(policy->limits.pending_per_originator, 9);
    ck_assert_uint_eq(policy->limits.exchange_timeout_s, 10);
    ck_assert_uint_eq(policy->limits.message_octets, 2048);
    ck_assert_uint_eq(policy->limits.creates_per_s, 11);
    ck_assert_uint_eq(policy->limits.create_burst, 12);
}
END_TEST

START_TEST(shows_points_of_access_of_a_remote_cse_once)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(
        POLICY_START ", \"registration\": ["
                     "{\"url\": \"http://a/x\", \"as\": \"remoteCse\", \"originator\": \"/in-cse\","
                     " \"pointOfAccess\": [\"http://c:1\", \"http://d:2\"]},"
                     "{\"url\": \"http://b/x\", \"as\": \"remoteCse\", \"originator\": \"/in-cse\","
                     " \"pointOfAccess\": [\"http://d:2\", \"http://e:3\"]},"
                     "{\"url\": \"http://b/x\", \"as\": \"ae\", \"originator\": \"Ce2ekeyd\","
                     " \"pointOfAccess\": [\"http://f:4/notify\"]}]}");

    ck_assert_uint_eq(policy->registration_count, 3);
    ck_assert_uint_eq(policy->cse.point_of_access_count, 3);
    ck_assert_str_eq(policy->cse.points_of_access[0], "http://c:1");
    ck_assert_str_eq(policy->cse.points_of_access[1], "http://d:2");
    ck_assert_str_eq(policy->cse.points_of_access[2], "http://e:3");
}
END_TEST

#define RULES                                                                                      \
    ", \"initiators\": ["                                                                          \
    "{\"flavour\": \"aeId\", \"identity\": \"//M2M.example/in-cse/*\", \"trust\": \"field\"},"     \
    "{\"flavour\": \"cseId\", \"domainName\": \"MN.example\","                                     \
    " \"identity\": \"//m2m.example/mn\", \"trust\": \"field\", \"keyLifetime\": 60},"             \
    "{\"flavour\": \"nodeId\", \"nodeId\": \"urn:Node\", \"identity\": \"//m2m.example/Sn\","      \
    " \"trust\": \"field\", \"endpoints\": [\"one\"]},"                                            \
    "{\"flavour\": \"device\", \"deviceId\": \"0.2.481.1.9\","                                     \
    " \"identity\": \"//m2m.example/Sd\", \"trust\": \"field\"},"                                  \
    "{\"flavour\": \"rawPublicKey\","                                                              \
    " \"publicKeyId\": \"ni://x/sha-256-120;f4OxZX_x_FO5LcGBSKHW\","                               \
    " \"identity\": \"//m2m.example/Sr\"}]"

START_TEST(reads_rules_of_each_flavour)
{
    static const char *const matches[] = {"//m2m.example/in-cse/*", "mn.example", "urn:Node",
        "0.2.481.1.9", "ni:///sha-256-120;f4OxZX_x_FO5LcGBSKHW"};
    static const enum flavour flavours[] = {
        FLAVOUR_AE_ID, FLAVOUR_CSE_ID, FLAVOUR_NODE_ID, FLAVOUR_DEVICE, FLAVOUR_RAW_PUBLIC_KEY};
    struct policy *policy CLEANUP(auto_policy_free) =
        folder_load(POLICY_START POLICY_TRUST ", \"keys\": {\"lifetime\": 100}" RULES "}");
    ck_assert_uint_eq(policy->rule_count, 5);
    for (size_t i = 0; i < policy->rule_count; i++) {
        ck_assert_int_eq(policy->rules[i].flavour, flavours[i]);
        ck_assert_str_eq(policy->rules[i].match, matches[i]);
        ck_assert_int_eq(policy->rules[i].trust, i == 4 ? -1 : 0);
        ck_assert_uint_eq(policy->rules[i].lifetime_s, i == 1 ? 60 : 100);
    }
    ck_assert_uint_eq(policy->rules[0].endpoints, UINT64_MAX);
    ck_assert_uint_eq(policy->rules[2].endpoints, 1);
    ck_assert_str_eq(policy->rules[3].place.pointer, "/initiators/3");
}
END_TEST

START_TEST(resolves_accounts)
{
    char text[1024];
    const struct passwd *user = getpwuid(getuid());
    const struct group *group = getgrgid(getgid());
    ck_assert(user && group);
    snprintf(text, sizeof(text),
        POLICY_START ", \"clients\": [{\"user\": \"%s\", \"group\": \"%s\", \"allow\": [\"get\"]},"
                     " {\"user\": \"4242\", \"unit\": \"a.service\","
                     "  \"allow\": [\"list\", \"revoke\", \"subscribe\", \"status\"],"
                     "  \"peers\": [\"//M2M.example/*\"]}]}",
        user->pw_name, group->gr_name);
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(text);
    ck_assert_uint_eq(policy->clients[0].uid, getuid());
    ck_assert_uint_eq(policy->clients[0].gid, getgid());
    ck_assert_uint_eq(policy->clients[0].rights, RIGHT_GET);
    ck_assert_ptr_null(policy->clients[0].unit);
    ck_assert_uint_eq(policy->clients[0].peer_count, 0);
    ck_assert_uint_eq(policy->clients[1].uid, 4242);
    ck_assert_ptr_null(policy->clients[1].group_name);
    ck_assert_str_eq(policy->clients[1].unit, "a.service");
    ck_assert_uint_eq(
        policy->clients[1].rights, RIGHT_LIST | RIGHT_REVOKE | RIGHT_SUBSCRIBE | RIGHT_STATUS);
    ck_assert_str_eq(policy->clients[1].peers[0], "//m2m.example/*");
}
END_TEST

START_TEST(warns_of_accounts_that_are_not_there)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(
        POLICY_START ", \"clients\": [{\"user\": \"nobody-of-this-name\", \"allow\": [\"get\"]}]}");
    ck_assert_uint_eq(policy->clients[0].uid, (uid_t)-1);
    ck_assert_str_eq(policy->clients[0].user_name, "nobody-of-this-name");
    ck_assert(
        folder_reports("policy.json: /clients/0/user: there is no user \"nobody-of-this-name\":"
                       " this entry lets nobody in until the policy is loaded again"));
}
END_TEST

START_TEST(warns_of_listening_to_all_in_clear)
{
    static const struct {
        const char *http, *warned_of; /* NULL: nothing */
    } cases[] = {
        {"\"listen\": [\"0.0.0.0:80\"]", "0.0.0.0:80"},
        {"\"listen\": [\"[::ffff:1.2.3.4]:80\"]", "[::ffff:1.2.3.4]:80"},
        {"\"listen\": [\"127.9.9.9:80\", \"[::1]:80\", \"[::ffff:127.0.0.1]:80\"]", NULL},
        {"\"listen\": [\"0.0.0.0:80\"],"
         " \"tls\": {\"certificate\": \"a\", \"privateKey\": \"b\"}",
            NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[1024];
        snprintf(text, sizeof(text), POLICY_START ", \"http\": {%s}}", cases[i].http);
        policy_free(folder_load(text));
        const char *warned_of = cases[i].warned_of;
        ck_assert_msg(folder_reports_start("policy.json: /http/listen") == (warned_of != NULL),
            "%s", cases[i].http);
        snprintf(text, sizeof(text), "policy.json: /http/listen: %s is reached",
            warned_of ? warned_of : "");
        ck_assert_msg(!warned_of || folder_reports_start(text), "%s", cases[i].http);
    }
}
END_TEST

#define RULES_START                                                                                \
    POLICY_START ", \"trust\": [{\"name\": \"t\", \"anchors\": \"a\"}], \"initiators\": ["
#define AE_RULE(identity)                                                                          \
    "{\"flavour\": \"aeId\", \"trust\": \"t\", \"identity\": \"" identity "\"}"
#define CSE_RULE(name)                                                                             \
    "{\"flavour\": \"cseId\", \"trust\": \"t\", \"domainName\": \"" name ".example\","             \
    " \"identity\": \"//m2m.example/" name "\"}"

/* The warning about PEER as the second of its client's patterns, or NULL. */
static const char *warning_of(const char *rules, const char *peer)
{
    static char text[1024];
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    snprintf(text, sizeof(text),
        "%s], \"clients\": [{\"unit\": \"a.service\", \"allow\": [\"get\"]}, {\"unit\":"
        " \"b.service\", \"allow\": [\"get\"], \"peers\": [\"//m2m.example/**\", \"%s\"]}]}",
        rules, peer);
    folder_write("policy.json", text);
    ck_assert_int_eq(policy_load("policy.json", &policy, &report), RESULT_OK);
    ck_assert_uint_le(report.count, 1);
    if (report.count == 0)
        return NULL;
    snprintf(text, sizeof(text), "%s", report.entries[0].text);
    return text;
}

START_TEST(warns_of_peers_whom_nobody_admits)
{
    static const char fewer[] =
        RULES_START AE_RULE("//m2m.example/in-cse/*") "," AE_RULE("//m2m.example/mn-cse/Cpump");
    static const char stems[] = RULES_START AE_RULE("//m2m.example/*");
    static const struct {
        const char *rules, *peer;
        bool covers;
    } cases[] = {
        {fewer, "//m2m.example/in-cse/*", true},
        {fewer, "//M2M.example/in-cse/**", true},
        {fewer, "//m2m.example/in-cse/Cmeter", true},
        {fewer, "//m2m.example/mn-cse/Cpump", true},
        {fewer, "//m2m.example/mn-cse/*", true},
        {fewer, "//m2m.example/**", true},
        {fewer, "//m2m.example/*", false},
        {fewer, "//m2m.example/in-cse", false},
        {fewer, "//m2m.example/mn-cse/Cother", false},
        {fewer, "//m2m.example/in/*", false},
        {fewer, "//m2m.example/in-cse2/**", false},
        {fewer, "//m2m.exampl/**", false},
        {fewer, "//z.example/**", false},
        {stems, "//m2m.example/*", true},
        {stems, "//m2m.example/Smeter", true},
        {stems, "//m2m.example/in-cse", false},
        {stems, "//m2m.example/in-cse/*", false},
        {RULES_START CSE_RULE("mn-cse"), "//m2m.example/*", true},
        {RULES_START CSE_RULE("mn-cse"), "//m2m.example/mn-cse", true},
        {RULES_START CSE_RULE("mn-cse"), "//m2m.example/mn-cse/**", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *warning = warning_of(cases[i].rules, cases[i].peer);
        ck_assert_msg(!warning == cases[i].covers, "%s: %s", cases[i].peer, warning);
        ck_assert(!warning || strncmp(warning, "policy.json: /clients/1/peers/1: ", 33) == 0);
    }
    ck_assert_str_eq(warning_of(fewer, "//m2m.example/*"),
        "policy.json: /clients/1/peers/1: \"//m2m.example/*\" covers nobody whom initiators admits,"
        " as /* is one segment: write \"//m2m.example/**\"");
}
END_TEST

/* --- drop-ins --- */

START_TEST(merges_drop_ins_in_name_order)
{
    folder_write("policy.d/20-b.json", "{\"keys\": {\"capacity\": 20, \"perPeer\": 3},"
                                       " \"http\": {\"listen\": [\"127.0.0.1:2\"]}}");
    folder_write("policy.d/10-a.json",
        "{\"keys\": {\"capacity\": 10}, \"http\": {\"listen\": [\"127.0.0.1:1\"]},"
        " \"trust\": [{\"name\": \"other\", \"anchors\": \"other.pem\"}],"
        " \"initiators\": [{\"flavour\": \"aeId\", \"identity\": \"//m2m.example/Sa\","
        "  \"trust\": \"field\"}]}");
    folder_write("policy.d/.hidden.json", "not JSON");
    folder_write("policy.d/30-c.json.bak", "not JSON");
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(
        POLICY_START POLICY_TRUST ", \"keys\": {\"capacity\": 5, \"lifetime\": 7},"
                                  " \"http\": {\"listen\": [\"127.0.0.1:0\"]},"
                                  " \"initiators\": [{\"flavour\": \"aeId\","
                                  "  \"identity\": \"//m2m.example/Sb\", \"trust\": \"other\"}]}");
    ck_assert_uint_eq(policy->keys.capacity, 20);
    ck_assert_uint_eq(policy->keys.per_peer, 3);
    ck_assert_uint_eq(policy->keys.lifetime_s, 7);
    ck_assert_uint_eq(policy->http.listen_count, 3);
    ck_assert_str_eq(policy->http.listen[1], "127.0.0.1:1");
    ck_assert_str_eq(policy->http.listen[2], "127.0.0.1:2");
    ck_assert_str_eq(policy->rules[0].identity, "//m2m.example/Sb");
    ck_assert_int_eq(policy->rules[0].trust, 1);
    ck_assert_str_eq(policy->rules[1].identity, "//m2m.example/Sa");
    ck_assert_int_eq(policy->rules[1].trust, 0);
    ck_assert_str_eq(policy->rules[1].place.file, "policy.d/10-a.json");
    ck_assert_str_eq(policy->rules[1].place.pointer, "/initiators/0");
    ck_assert_str_eq(policy->trust[1].anchors.path, "policy.d/other.pem");
}
END_TEST

START_TEST(takes_an_object_in_parts)
{
    folder_write("policy.json", "{\"cse\": {\"spId\": \"m2m.example\"},"
                                " \"http\": {\"tls\": {\"certificate\": \"a\"}}}");
    folder_write("policy.d/a.json",
        "{\"endpoints\": [{\"name\": \"one\", \"identity\": \"//m2m.example/in-cse\","
        " \"certificate\": \"one.pem\", \"privateKey\": \"one.key\"}]}");
    ck_assert(folder_reports_start("policy.json: /cse/cseId: is missing"));
    ck_assert(folder_reports_start("policy.json: /http/tls/privateKey: is missing"));
    folder_write("policy.d/b.json", "{\"cse\": {\"cseId\": \"/in-cse\"},"
                                    " \"http\": {\"tls\": {\"privateKey\": \"b\"}}}");
    ck_assert(!folder_reports_start("policy.json"));
}
END_TEST

START_TEST(names_the_drop_in_at_fault)
{
    folder_write("policy.json", POLICY_START "}");
    folder_write("policy.d/a.json", "{\"keys\": {\"capacity\": 0}}");
    folder_write("policy.d/b.json", "{\"endpoints\": [{\"name\": \"one\","
                                    " \"identity\": \"//m2m.example/Sx\","
                                    " \"certificate\": \"a\", \"privateKey\": \"b\"}]}");
    ck_assert(folder_reports("policy.d/a.json: /keys/capacity:"
                             " must be a whole number from 1 to 10000000"));
    ck_assert(folder_reports(
        "policy.d/b.json: /endpoints/0/name: \"one\" is taken by policy.json: /endpoints/0"));
    folder_write("policy.d/b.json", "{,}");
    ck_assert(folder_reports_start("policy.d/b.json: line 1, column 2: "));
}
END_TEST

START_TEST(bounds_what_all_files_add_up_to)
{
    folder_write("policy.json", POLICY_START "}");
    for (int i = 0; i < 8; i++) {
        char name[32], text[4096];
        int size = snprintf(text, sizeof(text), "{\"trust\": [");
        for (int j = 0; j < 8; j++)
            size += snprintf(text + size, sizeof(text) - (size_t)size,
                "%s{\"name\": \"t%d-%d\", \"anchors\": \"a\"}", j > 0 ? "," : "", i, j);
        snprintf(text + size, sizeof(text) - (size_t)size, "]}");
        snprintf(name, sizeof(name), "policy.d/%d.json", i);
        folder_write(name, text);
    }
    ck_assert(!folder_reports_start("policy.d"));
    folder_write("policy.d/9.json", "{\"trust\": [{\"name\": \"x\", \"anchors\": \"a\"}]}");
    ck_assert(
        folder_reports("policy.d/9.json: /trust: all files together have more than 64 entries"));
}
END_TEST

/* --- files --- */

START_TEST(resolves_paths_where_they_are_named)
{
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    struct policy *policy CLEANUP(auto_policy_free) =
        folder_load_file("sub/policy.json", POLICY_START ", \"socket\": {\"path\": \"k.sock\"}}");
    ck_assert_str_eq(policy->endpoints[0].certificate.path, "sub/one.pem");
    ck_assert_str_eq(policy->socket_path, "sub/k.sock");
}
END_TEST

#define CREDENTIAL                                                                                 \
    "{\"cse\": {\"spId\": \"m2m.example\", \"cseId\": \"/in-cse\"},"                               \
    " \"endpoints\": [{\"name\": \"one\", \"identity\": \"//m2m.example/in-cse\","                 \
    " \"certificate\": \"one.pem\", \"privateKey\": \"credential:one.key\"}]}"

START_TEST(finds_credentials)
{
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/e2ekeyd.service", 1);
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(CREDENTIAL);
    ck_assert_str_eq(
        policy->endpoints[0].private_key.path, "/run/credentials/e2ekeyd.service/one.key");
    unsetenv("CREDENTIALS_DIRECTORY");
    ck_assert(folder_reports_start("policy.json: /endpoints/0/privateKey: there are no credentials"
                                   " here"));
}
END_TEST

START_TEST(says_what_it_cannot_read)
{
    ck_assert(folder_reports("policy.json: No such file or directory"));
    folder_write("policy.json", "\"text\"");
    ck_assert(folder_reports_start("policy.json: line 1, column "));
    folder_write("policy.json", "[]");
    ck_assert(folder_reports("policy.json: must be an object, not an array"));
    folder_write("policy.json", POLICY_START "}");
    folder_write("policy.d", "");
    ck_assert(folder_reports("policy.d: Not a directory"));
}
END_TEST

START_TEST(refuses_more_than_16_mib)
{
    folder_write("policy.json", POLICY_START "}");
    ck_assert_int_eq(truncate("policy.json", (16 << 20) + 1), 0);
    ck_assert(folder_reports_start("policy.json: larger than"));
}
END_TEST

START_TEST(lists_what_it_knows)
{
    folder_write("policy.json", POLICY_START ", \"sockets\": {}}");
    ck_assert(folder_reports_start(
        "policy.json: /sockets: unknown member; known here: cse, http, socket, "));
    folder_write("policy.json", POLICY_START ", \"socket\": {\"paths\": 1}}");
    ck_assert(folder_reports_start("policy.json: /socket/paths: unknown member; known here: path"));
    folder_write(
        "policy.json", POLICY_START ", \"clients\": [{\"user\": \"root\", \"allow\": [\"put\"]}]}");
    ck_assert(folder_reports_start("policy.json: /clients/0/allow/0: \"put\" is not a right; known "
                                   "here: get, list, revoke, "));
}
END_TEST

/* However deep, however odd: a line that says so, and no crash. */
START_TEST(survives_hostile_files)
{
    char *deep = malloc(100001);
    ck_assert_ptr_nonnull(deep);
    memset(deep, '[', 100000);
    deep[100000] = '\0';
    folder_write("policy.json", deep);
    ck_assert(folder_reports_start("policy.json: line 1, "));
    memset(deep, 'x', 100000);
    memcpy(deep, "{\"", 2);
    memcpy(deep + 99996, "\":1}", 4);
    folder_write("policy.json", deep);
    ck_assert(folder_reports_start("policy.json: /xxxx"));
    folder_write("policy.json", "{\"a\\n\\u001b\\u00e9\": 1}");
    ck_assert(folder_reports_start("policy.json: /a\\x0a\\x1b\\xc3\\xa9: unknown member"));
    free(deep);
}
END_TEST

CHECK_MAIN_FIXTURE("policy_load/load", folder_make, folder_remove, gives_every_default,
    takes_every_member, shows_points_of_access_of_a_remote_cse_once, reads_rules_of_each_flavour,
    resolves_accounts, warns_of_accounts_that_are_not_there, warns_of_listening_to_all_in_clear,
    warns_of_peers_whom_nobody_admits, merges_drop_ins_in_name_order, takes_an_object_in_parts,
    names_the_drop_in_at_fault, bounds_what_all_files_add_up_to,
    resolves_paths_where_they_are_named, finds_credentials, says_what_it_cannot_read,
    refuses_more_than_16_mib, lists_what_it_knows, survives_hostile_files)
