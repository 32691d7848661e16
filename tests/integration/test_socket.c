/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key socket of the real daemon: what it answers, and to whom. Callers other than ourselves
 * need root, as under `make check`; without it those tests have nothing to try. */
#include "support/check_main.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define KEYS     "org.e2ekeyd.Keys."
#define SERVICE  "org.varlink.service."
#define METER    "//m2m.example/in-cse/Cmeter"
#define METER_1  "//m2m.example/in-cse/Cmeter-1"
#define ID_CHARS 32 /* of a keyId */
#define NO_KEY   "00000000000000000000000000000000"

static struct daemon daemon_;
static CURL *client;

static void set_up(const char *policy)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy, .meters = 1});
    client = http_open();
}

static void tear_down(void)
{
    http_close(client);
    daemon_stop(&daemon_);
}

/* The AE of certificate NAME establishes a key; its keyId. */
static void establish(const char *name, const char *from, char id[ID_CHARS + 1])
{
    struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) =
        exchange_credential(&daemon_, name);
    struct exported_key exported;
    struct http_answer answer;

    ck_assert_msg(exchange_run(client, &daemon_, credential, from, &exported, &answer),
        "%s: %ld %s", from, answer.status, answer.body);
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), id);
}

/* --- calls --- */

/* A member of "parameters", or of its "key"; "" when it is not there. Lives as long as REPLY. */
static const char *parameter(const json_t *reply, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(reply, "parameters"), name));
    return text ? text : "";
}

static const json_t *key_of(const json_t *reply)
{
    return json_object_get(json_object_get(reply, "parameters"), "key");
}

static const char *key_member(const json_t *reply, const char *name)
{
    const char *text = json_string_value(json_object_get(key_of(reply), name));
    return text ? text : "";
}

static json_t *text(const char *name, const char *value)
{
    return value ? json_pack("{s:s}", name, value) : NULL;
}

/* Calls, on VARLINK or (NULL) on a connection of its own, and looks for ERROR ("" = none). */
static void expect(
    struct varlink *varlink, const char *method, json_t *parameters, const char *error)
{
    struct varlink own;

    if (!varlink)
        varlink_open(&own, daemon_.socket);
    json_t *reply = varlink_call(varlink ? varlink : &own, method, parameters);
    ck_assert_msg(strcmp(varlink_error(reply), error) == 0, "%s: expected \"%s\", got \"%s\"",
        method, error, varlink_error(reply));
    json_decref(reply);
    if (!varlink)
        varlink_close(&own);
}

/* Returns when the daemon has taken all that other connections sent before. */
static void settle(void)
{
    expect(NULL, SERVICE "GetInfo", NULL, "");
}

/* --- the interface --- */

START_TEST(it_describes_itself)
{
    struct varlink varlink;
    FILE *file = fopen("src/query/org.e2ekeyd.Keys.varlink", "re");
    char definition[8192] = "";

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(definition, 1, sizeof(definition) - 1, file), 0);
    fclose(file);
    set_up(NULL);
    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, SERVICE "GetInfo", NULL);
    ck_assert_str_eq(parameter(reply, "product"), "e2ekeyd");
    ck_assert_uint_eq(
        json_array_size(json_object_get(json_object_get(reply, "parameters"), "interfaces")), 2);
    json_decref(reply);
    reply = varlink_call(
        &varlink, SERVICE "GetInterfaceDescription", text("interface", "org.e2ekeyd.Keys"));
    ck_assert_str_eq(parameter(reply, "description"), definition);
    json_decref(reply);
    expect(&varlink, SERVICE "GetInterfaceDescription", text("interface", "org.none"),
        SERVICE "InterfaceNotFound");
    expect(&varlink, SERVICE "GetInterfaceDescription", NULL, SERVICE "InvalidParameter");
    expect(&varlink, "org.none.Method", NULL, SERVICE "InterfaceNotFound");
    expect(&varlink, KEYS "Method", NULL, SERVICE "MethodNotFound");
    expect(&varlink, KEYS "ListKeys", NULL, SERVICE "ExpectedMore");
    expect(&varlink, KEYS "Subscribe", NULL, SERVICE "ExpectedMore");
    varlink_close(&varlink);
    tear_down();
}
END_TEST

static void expect_key_by(
    struct varlink *varlink, const char *name, const char *value, const char *id)
{
    json_t *reply = varlink_call(varlink, KEYS "GetKey", text(name, value));

    ck_assert_str_eq(varlink_error(reply), "");
    ck_assert_str_eq(key_member(reply, "keyId"), id);
    ck_assert_str_eq(key_member(reply, "peer"), METER);
    ck_assert_uint_eq(strlen(key_member(reply, "key")), 44); /* 32 octets in base64 */
    json_decref(reply);
}

START_TEST(keys_are_got_and_revoked)
{
    struct varlink varlink;
    char first[ID_CHARS + 1], second[ID_CHARS + 1];

    set_up(NULL);
    varlink_open(&varlink, daemon_.socket);
    expect(&varlink, KEYS "GetKey", text("peer", METER), KEYS "NoSuchKey");
    establish("meter", "Cmeter", first);
    establish("meter", "Cmeter", second);
    expect_key_by(&varlink, "peer", "Cmeter", second);
    expect_key_by(&varlink, "peer", "/in-cse/Cmeter", second);
    expect_key_by(&varlink, "peer", METER, second);
    expect_key_by(&varlink, "keyId", first, first);
    expect(&varlink, KEYS "GetKey", NULL, SERVICE "InvalidParameter");
    expect(&varlink, KEYS "GetKey", text("keyId", "xyz"), SERVICE "InvalidParameter");
    expect(&varlink, KEYS "GetKey", text("peer", "//"), SERVICE "InvalidParameter");
    expect(&varlink, KEYS "GetKey", text("who", "x"), SERVICE "InvalidParameter");
    expect(&varlink, KEYS "GetKey", text("keyId", NO_KEY), KEYS "NoSuchKey");
    expect(&varlink, KEYS "GetKey", json_pack("{s:s,s:s}", "keyId", first, "peer", METER_1),
        KEYS "NoSuchKey");
    expect(&varlink, KEYS "GetKey", json_pack("{s:s,s:s}", "peer", METER, "local", METER),
        KEYS "NoSuchKey");

    expect(&varlink, KEYS "RevokeKey", text("keyId", second), "");
    expect(&varlink, KEYS "RevokeKey", text("keyId", second), KEYS "NoSuchKey");
    expect(&varlink, KEYS "RevokeKey", text("keyId", NULL), SERVICE "InvalidParameter");
    expect(&varlink, KEYS "GetKey", text("keyId", second), KEYS "NoSuchKey");
    expect_key_by(&varlink, "peer", METER, first);
    varlink_close(&varlink);
    tear_down();
}
END_TEST

/* The replies of one ListKeys; none shows a key. */
static unsigned list(struct varlink *varlink, const char *peer)
{
    unsigned count = 0;
    bool continues = true;

    varlink_begin(varlink, KEYS "ListKeys", text("peer", peer), "more");
    while (continues) {
        json_t *reply = varlink_receive(varlink);
        ck_assert_ptr_nonnull(reply);
        if (strcmp(varlink_error(reply), KEYS "NoSuchKey") != 0) {
            ck_assert_str_eq(varlink_error(reply), "");
            ck_assert_uint_eq(strlen(key_member(reply, "keyId")), ID_CHARS);
            ck_assert_ptr_null(json_object_get(key_of(reply), "key"));
            count++;
        }
        continues = json_is_true(json_object_get(reply, "continues"));
        json_decref(reply);
    }
    return count;
}

START_TEST(lists_show_no_key)
{
    struct varlink varlink;
    char id[ID_CHARS + 1];

    set_up(NULL);
    varlink_open(&varlink, daemon_.socket);
    ck_assert_uint_eq(list(&varlink, NULL), 0);
    establish("meter", "Cmeter", id);
    establish("meter", "Cmeter", id);
    establish("meter-1", "Cmeter-1", id);
    ck_assert_uint_eq(list(&varlink, NULL), 3);
    ck_assert_uint_eq(list(&varlink, "Cmeter"), 2);
    ck_assert_uint_eq(list(&varlink, METER_1), 1);
    ck_assert_uint_eq(list(&varlink, "Cnobody"), 0);
    varlink_close(&varlink);
    tear_down();
}
END_TEST

START_TEST(the_status_counts)
{
    struct varlink varlink;
    char id[ID_CHARS + 1], wrong[] = NO_KEY;
    int live = -1, capacity = -1, kept = -1;

    set_up(NULL);
    establish("meter", "Cmeter", id);
    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetStatus", NULL);
    ck_assert_int_eq(json_unpack(reply, "{s:{s:{s:{s:i,s:i,s:b}}}}", "parameters", "status", "keys",
                         "live", &live, "capacity", &capacity, "outliveRestarts", &kept),
        0);
    ck_assert_int_eq(live, 1);
    ck_assert_int_eq(capacity, 100000);
    ck_assert_int_eq(kept, 0);
    json_decref(reply);
    expect(&varlink, KEYS "GetStatus", text("keyId", wrong), SERVICE "InvalidParameter");
    varlink_close(&varlink);
    tear_down();
}
END_TEST

/* --- events --- */

static void subscribe(struct varlink *varlink)
{
    varlink_open(varlink, daemon_.socket);
    varlink_begin(varlink, KEYS "Subscribe", NULL, "more");
    settle();
}

static void expect_event(struct varlink *varlink, const char *event, const char *id)
{
    json_t *reply = varlink_receive(varlink);

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(varlink_error(reply), "");
    ck_assert_str_eq(parameter(reply, "event"), event);
    ck_assert_str_eq(key_member(reply, "keyId"), id);
    ck_assert_ptr_null(json_object_get(key_of(reply), "key"));
    ck_assert(json_is_true(json_object_get(reply, "continues")));
    json_decref(reply);
}

START_TEST(subscribers_see_what_happens)
{
    struct varlink events, half_closed;
    char ids[4][ID_CHARS + 1];

    set_up("{\"keys\":{\"perPeer\":2},\"initiators\":["
           "{\"flavour\":\"aeId\",\"identity\":\"" METER "\",\"trust\":\"field\"},"
           "{\"flavour\":\"aeId\",\"identity\":\"" METER_1
           "\",\"trust\":\"field\",\"keyLifetime\":1}]}");
    subscribe(&events);
    subscribe(&half_closed);
    ck_assert_int_eq(shutdown(half_closed.fd, SHUT_WR), 0);
    for (int i = 0; i < 3; i++)
        establish("meter", "Cmeter", ids[i]);
    establish("meter-1", "Cmeter-1", ids[3]);
    expect(NULL, KEYS "RevokeKey", text("keyId", ids[2]), "");
    struct varlink *const both[] = {&events, &half_closed};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        expect_event(both[i], "established", ids[0]);
        expect_event(both[i], "established", ids[1]);
        expect_event(both[i], "evicted", ids[0]);
        expect_event(both[i], "established", ids[2]);
        expect_event(both[i], "established", ids[3]);
        expect_event(both[i], "revoked", ids[2]);
        expect_event(both[i], "expired", ids[3]);
        varlink_close(both[i]);
    }
    expect(NULL, KEYS "GetKey", text("keyId", ids[3]), KEYS "NoSuchKey");
    expect(NULL, KEYS "GetKey", text("keyId", ids[0]), KEYS "NoSuchKey");
    tear_down();
}
END_TEST

/* --- callers --- */

struct identity {
    uid_t uid;
    gid_t gid, supplementary; /* supplementary: 0 = none */
};

static void put_on(const struct identity *who)
{
    ck_assert_int_eq(setgroups(who->supplementary ? 1 : 0, &who->supplementary), 0);
    ck_assert_int_eq(setegid(who->gid), 0);
    ck_assert_int_eq(seteuid(who->uid), 0);
}

/* Connects as WHO: the kernel notes who it was that connected. The folders above the socket are not
 * for everybody, so it is reached by a file descriptor. */
static void open_as(struct varlink *varlink, const struct identity *who)
{
    char path[64];
    int place = open(daemon_.socket, O_PATH | O_CLOEXEC);

    ck_assert_int_ge(place, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    put_on(who);
    varlink_open(varlink, path);
    ck_assert_int_eq(seteuid(0), 0);
    put_on(&(struct identity){0});
    close(place);
}

#define NOBODY 65534
#define DAEMON 1 /* user and group */
#define BIN    2
#define SYS    3

/* The policy of these tests: a key is there for Cmeter, none for Cother. */
#define CLIENTS                                                                                    \
    "{\"clients\":["                                                                               \
    "{\"user\":\"root\",\"allow\":[\"get\",\"list\",\"revoke\",\"subscribe\",\"status\"]},"        \
    "{\"user\":\"nobody\",\"allow\":[\"get\"],\"peers\":[\"//m2m.example/in-cse/*\"]},"            \
    "{\"user\":\"2\",\"allow\":[\"get\",\"list\"],\"peers\":[\"//m2m.example/mn-cse/*\"]},"        \
    "{\"user\":\"daemon\",\"group\":\"bin\",\"allow\":[\"revoke\"]},"                              \
    "{\"group\":\"sys\",\"allow\":[\"list\",\"subscribe\",\"status\"]}]}"

static const struct identity nobody = {NOBODY, NOBODY, 0};

static void prepare_callers(const char *policy)
{
    set_up(policy);
    ck_assert_int_eq(chmod(daemon_.socket, 0666), 0); /* so that policy has the last word */
}

START_TEST(policy_says_who_may_what)
{
    static const char denied[] = SERVICE "PermissionDenied", none[] = KEYS "NoSuchKey",
                      more[] = SERVICE "ExpectedMore"; /* = may, had it said `more` */
    static const struct {
        struct identity who;
        const char *get, *get_other, *get_id, *get_no_id, *list, *subscribe, *status, *revoke;
    } cases[] = {
        /* a peer's pattern covers a key, whether or not it is there */
        {{NOBODY, NOBODY, 0}, "", none, "", none, denied, denied, denied, denied},
        /* this one's patterns cover neither: it cannot tell one from the other */
        {{BIN, NOBODY, 0}, denied, denied, none, none, more, denied, denied, denied},
        /* both conditions of an entry, by the primary and by a supplementary group */
        {{DAEMON, BIN, 0}, denied, denied, denied, denied, denied, denied, denied, none},
        {{DAEMON, NOBODY, BIN}, denied, denied, denied, denied, denied, denied, denied, none},
        {{DAEMON, NOBODY, 0}, denied, denied, denied, denied, denied, denied, denied, denied},
        {{4, BIN, 0}, denied, denied, denied, denied, denied, denied, denied, denied},
        {{4, SYS, 0}, denied, denied, denied, denied, more, more, "", denied},
        {{4, 4, SYS}, denied, denied, denied, denied, more, more, "", denied},
        /* entries add up */
        {{NOBODY, NOBODY, SYS}, "", none, "", none, more, more, "", denied},
    };
    char id[ID_CHARS + 1];

    if (geteuid() != 0)
        return;
    prepare_callers(CLIENTS);
    establish("meter", "Cmeter", id);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct varlink varlink;
        open_as(&varlink, &cases[i].who);
        expect(&varlink, KEYS "GetKey", text("peer", METER), cases[i].get);
        expect(&varlink, KEYS "GetKey", text("peer", "Cother"), cases[i].get_other);
        expect(&varlink, KEYS "GetKey", text("keyId", id), cases[i].get_id);
        expect(&varlink, KEYS "GetKey", text("keyId", NO_KEY), cases[i].get_no_id);
        expect(&varlink, KEYS "ListKeys", NULL, cases[i].list);
        expect(&varlink, KEYS "Subscribe", NULL, cases[i].subscribe);
        expect(&varlink, KEYS "GetStatus", NULL, cases[i].status);
        expect(&varlink, KEYS "RevokeKey", text("keyId", NO_KEY), cases[i].revoke);
        expect(&varlink, SERVICE "GetInfo", NULL, "");
        varlink_close(&varlink);
    }
    tear_down();
}
END_TEST

START_TEST(lists_and_events_show_what_policy_shows)
{
    static const struct identity one = {NOBODY, NOBODY, 0}, other = {BIN, BIN, 0};
    struct varlink mine, others, events;
    char id[ID_CHARS + 1];

    if (geteuid() != 0)
        return;
    prepare_callers(
        "{\"clients\":[{\"user\":\"root\",\"allow\":[\"get\"]},"
        "{\"user\":\"nobody\",\"allow\":[\"list\",\"subscribe\"],"
        "\"peers\":[\"" METER_1 "\"]},"
        "{\"user\":\"bin\",\"allow\":[\"list\"],\"peers\":[\"//m2m.example/mn-cse\"]}]}");
    open_as(&events, &one);
    varlink_begin(&events, KEYS "Subscribe", NULL, "more");
    settle();
    establish("meter", "Cmeter", id);
    establish("meter-1", "Cmeter-1", id);
    expect_event(&events, "established", id);
    open_as(&mine, &one);
    ck_assert_uint_eq(list(&mine, NULL), 1);
    open_as(&others, &other);
    ck_assert_uint_eq(list(&others, NULL), 0);
    varlink_close(&mine);
    varlink_close(&others);
    varlink_close(&events);
    tear_down();
}
END_TEST

START_TEST(a_reload_takes_rights_away)
{
    struct varlink varlink, events;
    char id[ID_CHARS + 1];

    if (geteuid() != 0)
        return;
    prepare_callers("{\"clients\":[{\"user\":\"nobody\",\"allow\":[\"get\",\"subscribe\"]}]}");
    establish("meter", "Cmeter", id);
    open_as(&events, &nobody);
    varlink_begin(&events, KEYS "Subscribe", NULL, "more");
    open_as(&varlink, &nobody);
    expect_key_by(&varlink, "peer", METER, id);
    daemon_change_policy(&daemon_, "{\"clients\":[]}");
    daemon_reload(&daemon_);
    expect(&varlink, KEYS "GetKey", text("peer", METER), SERVICE "PermissionDenied");
    expect(&varlink, KEYS "GetKey", text("keyId", NO_KEY), SERVICE "PermissionDenied");
    establish("meter", "Cmeter", id);
    json_t *reply = varlink_receive(&events);
    ck_assert_str_eq(varlink_error(reply), SERVICE "PermissionDenied");
    json_decref(reply);
    daemon_change_policy(&daemon_, "{\"clients\":[{\"user\":\"nobody\",\"allow\":[\"get\"]}]}");
    daemon_reload(&daemon_);
    expect_key_by(&varlink, "peer", METER, id);
    varlink_close(&varlink);
    varlink_close(&events);
    tear_down();
}
END_TEST

/* --- the socket's place --- */

START_TEST(the_socket_comes_and_goes_with_the_daemon)
{
    struct stat status;

    daemon_start(&daemon_, &(struct daemon_options){0});
    ck_assert_int_eq(lstat(daemon_.socket, &status), 0);
    ck_assert_int_eq(status.st_mode, S_IFSOCK | 0660);
    ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 0);
    ck_assert_int_ne(lstat(daemon_.socket, &status), 0);
    daemon_remove(&daemon_);
}
END_TEST

/* The daemon does not start, and says so of its socket; what is there stays. */
static void expect_refusal(struct daemon *daemon, const char *why)
{
    char line[2 * DAEMON_PATH_OCTETS];
    struct stat before, after;

    ck_assert_int_eq(lstat(daemon->socket, &before), 0);
    daemon_launch(daemon, false);
    ck_assert_int_eq(daemon_await_exit(daemon), 1);
    char *log = daemon_log(daemon);
    snprintf(line, sizeof(line), "error: %s: %s\n", daemon->socket, why);
    ck_assert_msg(strstr(log, line), "expected %s in:\n%s", line, log);
    free(log);
    ck_assert_int_eq(lstat(daemon->socket, &after), 0);
    ck_assert_uint_eq(after.st_ino, before.st_ino);
    daemon_remove(daemon);
}

START_TEST(what_is_no_socket_is_left_alone)
{
    daemon_prepare(&daemon_, &(struct daemon_options){0});
    int fd = open(daemon_.socket, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    expect_refusal(&daemon_, "is there, and is not a socket");
}
END_TEST

START_TEST(a_second_daemon_leaves_the_first_alone)
{
    struct daemon second;
    char *policy = NULL;

    set_up(NULL);
    ck_assert_int_gt(asprintf(&policy, "{\"socket\":{\"path\":\"%s\"}}", daemon_.socket), 0);
    daemon_prepare(&second, &(struct daemon_options){.policy = policy});
    free(policy);
    snprintf(second.socket, sizeof(second.socket), "%s", daemon_.socket);
    expect_refusal(&second, "another process answers there");
    settle();
    tear_down();
}
END_TEST

CHECK_MAIN("integration/socket", it_describes_itself, keys_are_got_and_revoked, lists_show_no_key,
    the_status_counts, subscribers_see_what_happens, policy_says_who_may_what,
    lists_and_events_show_what_policy_shows, a_reload_takes_rights_away,
    the_socket_comes_and_goes_with_the_daemon, what_is_no_socket_is_left_alone,
    a_second_daemon_leaves_the_first_alone)
