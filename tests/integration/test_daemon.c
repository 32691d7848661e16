/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's own life: starting, its sockets, reloading, stopping; and one whole exchange. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check_main.h"
#include "support/daemon.h"
#include "support/foreign.h"
#include "support/http.h"
#include "support/varlink.h"

static void check_both_doors(const struct daemon *daemon)
{
    CURL *client = http_open();
    struct http_answer answer;
    m2m_call(client, daemon->port,
        &(struct m2m_request){
            .method = "GET", .path = "/cse-in/e2EKeyCSE", .from = "Cmeter", .request_id = "1"},
        &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "x-m2m-rsc"), "2000");
    http_answer_release(&answer);
    http_close(client);

    struct varlink varlink;
    varlink_open(&varlink, daemon->socket);
    json_t *reply = varlink_call(&varlink, "org.varlink.service.GetInfo", NULL);
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
}

START_TEST(binds_its_own_sockets)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){0});
    check_both_doors(&daemon);
    struct stat status;
    ck_assert_int_eq(stat(daemon.socket, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0660);
    daemon_stop(&daemon);
}
END_TEST

START_TEST(takes_inherited_sockets)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){.inherit = true});
    check_both_doors(&daemon);
    daemon_stop(&daemon);
}
END_TEST

START_TEST(refuses_a_bad_policy_with_its_place)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &(struct daemon_options){.policy = "{\"keys\":{\"capacity\":-1}}"});
    daemon_launch(&daemon, false);
    ck_assert_int_eq(daemon_await_exit(&daemon), 1);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "policy.json: /keys/capacity: "), "%s", log);
    free(log);
    daemon_remove(&daemon);
}
END_TEST

START_TEST(takes_the_place_of_a_stale_socket)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){0});
    ck_assert_int_eq(kill(daemon.pid, SIGKILL), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon), 128 + SIGKILL);
    struct stat status;
    ck_assert_int_eq(stat(daemon.socket, &status), 0);
    daemon.port = 0;
    daemon_launch(&daemon, false);
    daemon_await_ready(&daemon);
    check_both_doors(&daemon);
    daemon_stop(&daemon);
}
END_TEST

static void call(CURL *client, const struct daemon *daemon, const char *method, const char *path,
    const char *type, const char *message, struct http_answer *answer)
{
    static char body[INT16_MAX];
    snprintf(body, sizeof(body), "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", message);
    m2m_call(client, daemon->port,
        &(struct m2m_request){.method = method,
            .path = path,
            .from = "Cmeter",
            .request_id = message + strlen(message) - 16, /* each its own */
            .content_type = type,
            .body = body},
        answer);
}

/* One string member of the answer's m2m:e2ek; the caller frees. */
static char *member(const struct http_answer *answer, const char *name)
{
    json_error_t error;
    json_t *root = json_loads(answer->body ? answer->body : "", 0, &error);
    const char *text = json_string_value(json_object_get(json_object_get(root, "m2m:e2ek"), name));
    ck_assert_msg(text, "no %s in the answer %ld: %s", name, answer->status, answer->body);
    char *copy = strdup(text);
    json_decref(root);
    return copy;
}

static void expect_key(const struct daemon *daemon, const char *key_id)
{
    struct varlink varlink;
    varlink_open(&varlink, daemon->socket);
    json_t *reply = varlink_call(&varlink, "org.e2ekeyd.Keys.GetKey",
        json_pack("{s:s}", "peer", "//m2m.example/in-cse/Cmeter"));
    const char *found = NULL;
    ck_assert_int_eq(json_unpack(reply, "{s:{s:{s:s}}}", "parameters", "key", "keyId", &found), 0);
    ck_assert_str_eq(found, key_id);
    json_decref(reply);
    varlink_close(&varlink);
}

/* Runs one exchange by the resource; PAUSE runs between Message 2 and Message 3. */
static void exchange(struct daemon *daemon, void (*pause)(struct daemon *))
{
    CURL *client = http_open();
    struct foreign initiator;
    struct http_answer answer;
    foreign_start(&initiator, daemon, "openssl", "meter",
        (const char *[]){"--server-name", "in-cse.m2m.example", NULL});
    call(client, daemon, "POST", "/cse-in", "application/json;ty=30001", foreign_read(&initiator),
        &answer);
    ck_assert_int_eq(answer.status, 201);
    char path[256];
    snprintf(path, sizeof(path), "/~%s", http_answer_header(&answer, "Content-Location"));
    char *message = member(&answer, "eckm");
    foreign_write(&initiator, message);
    free(message);
    http_answer_release(&answer);

    if (pause)
        pause(daemon);

    call(client, daemon, "PUT", path, "application/json", foreign_read(&initiator), &answer);
    ck_assert_int_eq(answer.status, 200);
    message = member(&answer, "eckm");
    foreign_write(&initiator, message);
    free(message);
    char *key_id = member(&answer, "kid"), error[256];
    ck_assert_str_eq(foreign_read(&initiator) + strlen("pairwiseE2EKeyID "), key_id);
    ck_assert_int_eq(foreign_end(&initiator, error, sizeof(error)), 0);
    expect_key(daemon, key_id);
    free(key_id);
    http_answer_release(&answer);
    http_close(client);
}

/* At the start, and again once that has changed. */
START_TEST(tells_the_service_manager_how_things_stand)
{
    struct daemon daemon;
    daemon_prepare(&daemon, &(struct daemon_options){0});
    daemon_launch(&daemon, true); /* the port is known from the start */
    daemon_await_notice(&daemon, "STATUS=0 keys live, 0 exchanges pending, policy generation 1");
    exchange(&daemon, NULL);
    daemon_await_notice(&daemon, "STATUS=1 key live, 0 exchanges pending, policy generation 1");
    ck_assert_int_eq(kill(daemon.pid, SIGHUP), 0);
    daemon_await_notice(&daemon, "RELOADING=1");
    daemon_await_notice(&daemon, "STATUS=1 key live, 0 exchanges pending, policy generation 2");
    daemon_stop(&daemon);
}
END_TEST

START_TEST(establishes_a_key)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){0});
    exchange(&daemon, NULL);
    daemon_stop(&daemon);
}
END_TEST

static void forbid_and_reload(struct daemon *daemon)
{
    daemon_change_policy(daemon, "{\"initiators\":[]}");
    daemon_reload(daemon);
}

/* What is under way finishes under the policy that it began with; cached keys stay. */
START_TEST(reloads_between_two_messages)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){0});
    exchange(&daemon, forbid_and_reload);
    daemon_stop(&daemon);
}
END_TEST

START_TEST(keeps_the_old_policy_when_the_new_is_bad)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){0});
    daemon_change_policy(&daemon, "{\"initiators\":[],\"nonsense\":1}");
    daemon_reload(&daemon);
    exchange(&daemon, NULL);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "policy.json: /nonsense: "), "%s", log);
    free(log);
    daemon_stop(&daemon);
}
END_TEST

/* Clients that need no certificate yet: not in silence. */
START_TEST(says_what_waits_for_a_restart)
{
#define HTTPS(more)                                                                                \
    "{\"http\":{\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"" more "}}}"
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){.policy = HTTPS("")});
    daemon_change_policy(&daemon, HTTPS(",\"clientAnchors\":\"mcc-ca.pem\""));
    daemon_reload(&daemon);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "http.tls take effect at the next restart"), "%s", log);
    free(log);
    daemon_stop(&daemon);
}
END_TEST

CHECK_MAIN("integration/daemon", binds_its_own_sockets, takes_inherited_sockets,
    refuses_a_bad_policy_with_its_place, takes_the_place_of_a_stale_socket,
    tells_the_service_manager_how_things_stand, establishes_a_key, reloads_between_two_messages,
    keeps_the_old_policy_when_the_new_is_bad, says_what_waits_for_a_restart)
