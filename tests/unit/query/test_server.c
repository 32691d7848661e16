/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "support/check_main.h"
#include "unit/query/fixture.h"

#define ALL_RIGHTS "[{\"allow\":[\"get\",\"list\",\"revoke\",\"subscribe\",\"status\"]}]"

#define SERVICE            "org.varlink.service."
#define KEYS               "org.e2ekeyd.Keys."
#define CALL(method, rest) "{\"method\":\"" method "\"" rest "}"
#define WITH(parameters)   ",\"parameters\":{" parameters "}"
#define MORE               ",\"more\":true"

static struct service service;

static const char *text_at(const json_t *reply, const char *object, const char *member)
{
    const json_t *parameters = json_object_get(reply, "parameters");
    const char *text =
        json_string_value(json_object_get(json_object_get(parameters, object), member));
    return text ? text : "";
}

static void ck_assert_call_fails(int fd, const char *call, const char *error)
{
    client_send(fd, call);
    client_expect_error(fd, error);
}

/* --- org.varlink.service --- */

START_TEST(it_describes_itself)
{
    service_reload(&service, "[]");
    int fd = service_connect();
    client_send(fd, CALL(SERVICE "GetInfo", ""));
    client_expect(fd, "{\"parameters\":{\"vendor\":\"e2ekeyd\",\"product\":\"e2ekeyd\",\"version\":"
                      "\"" E2EKEYD_VERSION "\",\"url\":\"man:e2ekeyd(8)\",\"interfaces\":"
                      "[\"org.varlink.service\",\"org.e2ekeyd.Keys\"]}}");
    static const char *const names[] = {"org.varlink.service", "org.e2ekeyd.Keys"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char call[256], line[64];
        snprintf(call, sizeof(call),
            CALL(SERVICE "GetInterfaceDescription", WITH("\"interface\":\"%s\"")), names[i]);
        snprintf(line, sizeof(line), "\ninterface %s\n", names[i]);
        json_t *reply = client_call(fd, call);
        const char *text =
            json_string_value(json_object_get(json_object_get(reply, "parameters"), "description"));
        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(strstr(text, line));
        ck_assert_int_eq(text[strlen(text) - 1], '\n');
        json_decref(reply);
    }
    close(fd);
}
END_TEST

START_TEST(what_is_not_there_has_its_error)
{
    int fd = service_connect();
    client_send(fd, CALL("org.e2ekeyd.Keys.GetKeys", ""));
    client_expect(fd, "{\"error\":\"org.varlink.service.MethodNotFound\","
                      "\"parameters\":{\"method\":\"org.e2ekeyd.Keys.GetKeys\"}}");
    client_send(fd, CALL("org.example.Foo", ""));
    client_expect(fd, "{\"error\":\"org.varlink.service.InterfaceNotFound\","
                      "\"parameters\":{\"interface\":\"org.example\"}}");
    client_send(fd, CALL("nothing", ""));
    client_expect(fd, "{\"error\":\"org.varlink.service.InterfaceNotFound\","
                      "\"parameters\":{\"interface\":\"nothing\"}}");
    client_send(fd, CALL(SERVICE "GetInterfaceDescription", WITH("\"interface\":\"org.e2ekeyd\"")));
    client_expect(fd, "{\"error\":\"org.varlink.service.InterfaceNotFound\","
                      "\"parameters\":{\"interface\":\"org.e2ekeyd\"}}");
    client_send(fd, CALL(SERVICE "GetInterfaceDescription", ""));
    client_expect(fd, "{\"error\":\"org.varlink.service.InvalidParameter\","
                      "\"parameters\":{\"parameter\":\"interface\"}}");
    client_send(fd, CALL(KEYS "GetStatus", ",\"upgrade\":true"));
    client_expect(fd, "{\"error\":\"org.varlink.service.MethodNotImplemented\","
                      "\"parameters\":{\"method\":\"org.e2ekeyd.Keys.GetStatus\"}}");
    close(fd);
}
END_TEST

/* --- keys --- */

START_TEST(a_key_is_had_by_peer_and_by_id)
{
    service_put(&service, 7);
    service_put(&service, 8);
    int fd = service_connect();
    char id[33], by_id[256];
    service_id(7, id);
    snprintf(by_id, sizeof(by_id), CALL(KEYS "GetKey", WITH("\"keyId\":\"%s\",\"peer\":null")), id);
    const char *const calls[] = {
        by_id,
        CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")),
        CALL(KEYS "GetKey", WITH("\"peer\":\"/in-cse/C7\",\"local\":\"/in-cse\"")),
        CALL(KEYS "GetKey", WITH("\"peer\":\"//m2m.example/in-cse/C7\",\"keyId\":null")),
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        json_t *reply = client_call(fd, calls[i]);
        ck_assert_str_eq(text_at(reply, "key", "keyId"), id);
        ck_assert_str_eq(
            text_at(reply, "key", "key"), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        ck_assert_str_eq(text_at(reply, "key", "peer"), "//m2m.example/in-cse/C7");
        ck_assert_ptr_null(json_object_get(reply, "continues"));
        json_decref(reply);
    }
    close(fd);
}
END_TEST

START_TEST(a_key_that_is_not_there_is_no_such_key)
{
    service_put(&service, 7);
    int fd = service_connect();
    char id[33], mixed[256];
    service_id(7, id);
    snprintf(
        mixed, sizeof(mixed), CALL(KEYS "GetKey", WITH("\"keyId\":\"%s\",\"peer\":\"C8\"")), id);
    const char *const calls[] = {
        mixed,
        CALL(KEYS "GetKey", WITH("\"peer\":\"C8\"")),
        CALL(KEYS "GetKey", WITH("\"peer\":\"C7\",\"local\":\"/mn-cse\"")),
        CALL(KEYS "GetKey", WITH("\"keyId\":\"00112233445566778899aabbccddeeff\"")),
        CALL(KEYS "RevokeKey", WITH("\"keyId\":\"00112233445566778899aabbccddeeff\"")),
        CALL(KEYS "ListKeys", WITH("\"peer\":\"C8\"") MORE),
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        ck_assert_call_fails(fd, calls[i], KEYS "NoSuchKey");
    close(fd);
}
END_TEST

START_TEST(a_wrong_parameter_is_named)
{
    int fd = service_connect();
    static const struct {
        const char *call, *parameter;
    } cases[] = {
        {CALL(KEYS "GetKey", ""), "keyId"},
        {CALL(KEYS "GetKey", WITH("\"local\":\"C1\"")), "keyId"},
        {CALL(KEYS "GetKey", WITH("\"keyId\":\"7\"")), "keyId"},
        {CALL(KEYS "GetKey", WITH("\"keyId\":7")), "keyId"},
        {CALL(KEYS "GetKey", WITH("\"peer\":\"\"")), "peer"},
        {CALL(KEYS "GetKey", WITH("\"peer\":\"a b\"")), "peer"},
        {CALL(KEYS "GetKey", WITH("\"peer\":\"C1\",\"local\":\"../x\"")), "local"},
        {CALL(KEYS "GetKey", WITH("\"peer\":\"C1\",\"size\":\"1\"")), "size"},
        {CALL(KEYS "ListKeys", WITH("\"keyId\":\"\"") MORE), "keyId"},
        {CALL(KEYS "RevokeKey", ""), "keyId"},
        {CALL(KEYS "RevokeKey", WITH("\"keyId\":\"xx\"")), "keyId"},
        {CALL(KEYS "Subscribe", WITH("\"peer\":\"C1\"") MORE), "peer"},
        {CALL(KEYS "GetStatus", WITH("\"all\":true")), "all"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char wanted[256];
        snprintf(wanted, sizeof(wanted),
            "{\"error\":\"" SERVICE "InvalidParameter\",\"parameters\":{\"parameter\":\"%s\"}}",
            cases[i].parameter);
        client_send(fd, cases[i].call);
        client_expect(fd, wanted);
    }
    ck_assert_call_fails(fd, CALL(KEYS "ListKeys", ""), SERVICE "ExpectedMore");
    ck_assert_call_fails(fd, CALL(KEYS "Subscribe", ""), SERVICE "ExpectedMore");
    close(fd);
}
END_TEST

START_TEST(without_a_right_everything_is_denied)
{
    service_reload(&service, "[{\"allow\":[\"get\"],\"peers\":[\"//m2m.example/in-cse/C7\"]}]");
    service_put(&service, 7);
    service_put(&service, 8);
    int fd = service_connect();
    char id[33], by_id[256];
    uint64_t denied = metrics_read(METRIC_QUERIES_DENIED);
    static const char *const calls[] = {
        CALL(KEYS "GetKey", WITH("\"peer\":\"C8\"")),  /* is there */
        CALL(KEYS "GetKey", WITH("\"peer\":\"C99\"")), /* is not */
        CALL(KEYS "ListKeys", MORE),
        CALL(KEYS "Subscribe", MORE),
        CALL(KEYS "GetStatus", ""),
        CALL(KEYS "RevokeKey", WITH("\"keyId\":\"00112233445566778899aabbccddeeff\"")),
        CALL(KEYS "RevokeKey", WITH("\"keyId\":\"nonsense\"")),
    };
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        ck_assert_call_fails(fd, calls[i], SERVICE "PermissionDenied");
    ck_assert_uint_eq(metrics_read(METRIC_QUERIES_DENIED), denied + ARRAY_SIZE(calls));

    /* By id, a key of someone else's is as one that is not there. */
    service_id(8, id);
    snprintf(by_id, sizeof(by_id), CALL(KEYS "GetKey", WITH("\"keyId\":\"%s\"")), id);
    ck_assert_call_fails(fd, by_id, KEYS "NoSuchKey");
    json_t *reply = client_call(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")));
    ck_assert_str_eq(text_at(reply, "key", "peer"), "//m2m.example/in-cse/C7");
    json_decref(reply);

    service_reload(&service, "[]"); /* takes effect at once */
    ck_assert_call_fails(
        fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")), SERVICE "PermissionDenied");
    close(fd);
}
END_TEST

/* --- the log: stderr is a pipe from here on --- */

static int catch_log(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_gt(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    unsetenv("JOURNAL_STREAM");
    log_open("test");
    return ends[0];
}

static char last_logged[1 << 20];

/* All that was written since. */
static const char *logged(int log)
{
    ssize_t size = read(log, last_logged, sizeof(last_logged) - 1);
    last_logged[size > 0 ? size : 0] = '\0';
    return last_logged;
}

/* One line that begins with START and has FIELDS at its end, whoever runs the test. */
static void ck_assert_logged(int log, const char *start, const char *fields)
{
    char who[64];
    const char *line = logged(log);
    snprintf(who, sizeof(who), " uid=%u", (unsigned)geteuid());
    ck_assert_msg(strncmp(line, start, strlen(start)) == 0, "%s", line);
    ck_assert_msg(strstr(line, fields) && strstr(line, who), "%s", line);
    ck_assert_ptr_eq(strchr(line, '\n') + 1, line + strlen(line));
}

START_TEST(the_log_says_who_got_and_who_was_denied_what)
{
    static const char ours[] = "org.e2ekeyd.Keys.";
    char id[33], other_id[33], call[256], start[256], fields[256];
    service_reload(&service, "[{\"allow\":[\"get\"],\"peers\":[\"//m2m.example/in-cse/C7\"]}]");
    service_put(&service, 7);
    service_put(&service, 8);
    service_id(7, id);
    service_id(8, other_id);
    int fd = service_connect(), log = catch_log();

    json_t *reply = client_call(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")));
    snprintf(start, sizeof(start),
        "info: GetKey of key %s with //m2m.example/in-cse/C7: read by user ", id);
    snprintf(fields, sizeof(fields),
        " peer=//m2m.example/in-cse/C7 endpoint=//m2m.example/in-cse keyId=%s method=%sGetKey", id,
        ours);
    const char *key = text_at(reply, "key", "key");
    ck_assert_uint_eq(strlen(key), 44);
    ck_assert_logged(log, start, fields);
    ck_assert_ptr_null(strstr(last_logged, key));
    json_decref(reply);
    client_send(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"") ",\"oneway\":true"));
    ck_assert_call_fails(
        fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C6\"")), SERVICE "PermissionDenied");

    /* What was denied by what the caller asked for; a key that it may not see by what that is. */
    ck_assert_logged(log, "info: GetKey with C6: denied to user ", " peer=C6 method=");
    ck_assert_call_fails(
        fd, CALL(KEYS "RevokeKey", WITH("\"keyId\":\"a\\nb\"")), SERVICE "PermissionDenied");
    ck_assert_logged(log, "info: RevokeKey of key a\\x0ab: denied to user ", " keyId=a\\x0ab ");
    ck_assert_call_fails(fd, CALL(KEYS "ListKeys", MORE), SERVICE "PermissionDenied");
    ck_assert_logged(log, "info: ListKeys: denied to user ", " method=org.e2ekeyd.Keys.ListKeys");
    snprintf(call, sizeof(call), CALL(KEYS "GetKey", WITH("\"keyId\":\"%s\"")), other_id);
    ck_assert_call_fails(fd, call, KEYS "NoSuchKey");
    snprintf(start, sizeof(start),
        "info: GetKey of key %s with //m2m.example/in-cse/C8: denied to user ", other_id);
    ck_assert_logged(log, start, " peer=//m2m.example/in-cse/C8 ");
    snprintf(call, sizeof(call), CALL(KEYS "GetKey", WITH("\"keyId\":\"%032d\"")), 1);
    ck_assert_call_fails(fd, call, KEYS "NoSuchKey"); /* which is not there at all */
    ck_assert_logged(log, "info: GetKey of key 00000000000000000000000000000001: denied to user ",
        " keyId=00000000000000000000000000000001 ");

    /* However many denials there are, the next key that is read is logged. */
    for (int i = 0; i < 1000; i++)
        ck_assert_call_fails(
            fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C6\"")), SERVICE "PermissionDenied");
    ck_assert_ptr_nonnull(strstr(logged(log), "denied to user "));
    json_decref(client_call(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\""))));
    snprintf(start, sizeof(start),
        "info: GetKey of key %s with //m2m.example/in-cse/C7: read by user ", id);
    ck_assert_logged(log, start, fields);
    log_say_suppressed();
    ck_assert_ptr_nonnull(strstr(logged(log), " more of these suppressed uid="));
    close(fd);
    close(log);
}
END_TEST

START_TEST(a_revoked_key_is_gone)
{
    service_put(&service, 7);
    int fd = service_connect();
    char id[33], revoke[256];
    service_id(7, id);
    snprintf(revoke, sizeof(revoke), CALL(KEYS "RevokeKey", WITH("\"keyId\":\"%s\"")), id);
    client_send(fd, revoke);
    client_expect(fd, "{\"parameters\":{}}");
    ck_assert_call_fails(fd, revoke, KEYS "NoSuchKey");
    ck_assert_call_fails(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")), KEYS "NoSuchKey");
    close(fd);
}
END_TEST

START_TEST(the_status_is_handed_through)
{
    int fd = service_connect();
    client_send(fd, CALL(KEYS "GetStatus", ""));
    client_expect(fd, "{\"parameters\":{\"status\":{\"answer\":42}}}");
    close(fd);
}
END_TEST

/* --- lists --- */

/* How many keys a list has; none of them may carry material. */
static unsigned count_list(int fd)
{
    for (unsigned count = 1;; count++) {
        json_t *reply = client_receive(fd);
        ck_assert_ptr_nonnull(reply);
        ck_assert_ptr_null(json_object_get(reply, "error"));
        ck_assert_str_ne(text_at(reply, "key", "keyId"), "");
        ck_assert_str_eq(text_at(reply, "key", "key"), "");
        bool continues = json_is_true(json_object_get(reply, "continues"));
        json_decref(reply);
        if (!continues)
            return count;
    }
}

START_TEST(a_list_shows_what_the_caller_may_see)
{
    service_reload(&service, "[{\"allow\":[\"list\"],\"peers\":[\"//m2m.example/in-cse/C1\","
                             "\"//m2m.example/in-cse/C3\"]}]");
    for (uint32_t i = 0; i < 5; i++)
        service_put(&service, i);
    int fd = service_connect();
    client_send(fd, CALL(KEYS "ListKeys", MORE));
    ck_assert_uint_eq(count_list(fd), 2);
    client_send(fd, CALL(KEYS "ListKeys", WITH("\"peer\":\"C3\"") MORE));
    ck_assert_uint_eq(count_list(fd), 1);
    ck_assert_call_fails(
        fd, CALL(KEYS "ListKeys", WITH("\"peer\":\"C2\"") MORE), SERVICE "PermissionDenied");
    ck_assert_call_fails(
        fd, CALL(KEYS "ListKeys", WITH("\"local\":\"/mn-cse\"") MORE), KEYS "NoSuchKey");
    close(fd);
}
END_TEST

#define MANY 10000

START_TEST(a_slow_reader_stalls_only_itself)
{
    for (uint32_t i = 0; i < MANY; i++)
        service_put(&service, i);
    int slow = service_connect(), fd = service_connect();
    client_send(slow, CALL(KEYS "ListKeys", MORE)); /* more than the socket takes unread */
    client_send(slow, CALL(KEYS "GetStatus", ""));
    for (int i = 0; i < 100; i++) {
        client_send(fd, CALL(KEYS "GetStatus", ""));
        client_expect(fd, "{\"parameters\":{\"status\":{\"answer\":42}}}");
    }
    ck_assert_uint_eq(count_list(slow), MANY);
    client_expect(slow, "{\"parameters\":{\"status\":{\"answer\":42}}}");

    client_send(slow, CALL(KEYS "ListKeys", MORE));
    close(slow); /* in the middle of it */
    client_send(fd, CALL(KEYS "ListKeys", MORE));
    ck_assert_uint_eq(count_list(fd), MANY);
    close(fd);
}
END_TEST

/* --- connections --- */

/* COUNT keys asked for by peer, one after another, with calls in between that want no answer. */
static void pipeline(int fd, unsigned count)
{
    struct buffer calls AUTO_BUFFER = {.limit = 1000000};
    for (unsigned i = 0; i < count; i++) {
        char call[256];
        int size = snprintf(call, sizeof(call),
            CALL(KEYS "GetKey", WITH("\"peer\":\"C%u\"")) "%c" CALL(
                KEYS "ListKeys", ",\"more\":true,\"oneway\":true") "%c",
            i, 0, 0);
        ck_assert_int_eq(buffer_append(&calls, call, (size_t)size), RESULT_OK);
    }
    ck_assert_int_eq(send(fd, calls.data, calls.size, MSG_NOSIGNAL), (ssize_t)calls.size);
}

START_TEST(pipelined_calls_are_answered_in_order)
{
    for (uint32_t i = 0; i < 1000; i++)
        service_put(&service, i);
    int fd = service_connect();
    pipeline(fd, 1000);
    client_send(fd, CALL(KEYS "GetStatus", ""));
    for (unsigned i = 0; i < 1000; i++) {
        char peer[64];
        snprintf(peer, sizeof(peer), "//m2m.example/in-cse/C%u", i);
        json_t *reply = client_receive(fd);
        ck_assert_str_eq(text_at(reply, "key", "peer"), peer);
        json_decref(reply);
    }
    client_expect(fd, "{\"parameters\":{\"status\":{\"answer\":42}}}");
    close(fd);
}
END_TEST

START_TEST(a_caller_may_hang_up_before_it_reads)
{
    service_put(&service, 7);
    char id[33], revoke[256];
    service_id(7, id);
    snprintf(revoke, sizeof(revoke),
        CALL(KEYS "RevokeKey", WITH("\"keyId\":\"%s\"") ",\"oneway\":true"), id);
    int fd = service_connect(), half = service_connect();
    client_send(fd, revoke);
    close(fd);
    client_send(half, CALL(KEYS "GetStatus", ""));
    ck_assert_int_eq(shutdown(half, SHUT_WR), 0);
    client_expect(half, "{\"parameters\":{\"status\":{\"answer\":42}}}");
    client_expect_closed(half);
    close(half);
    fd = service_connect(); /* by now the first one has been read */
    ck_assert_call_fails(fd, CALL(KEYS "GetKey", WITH("\"peer\":\"C7\"")), KEYS "NoSuchKey");
    close(fd);
}
END_TEST

START_TEST(malformed_input_ends_its_connection_only)
{
    int good = service_connect();
    static const char *const bad[] = {"", "nonsense", "{}", "[1]", "{\"method\":3}"};
    uint64_t dropped = metrics_read(METRIC_QUERY_CLIENTS_DROPPED);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int fd = service_connect();
        client_send(fd, CALL(KEYS "GetStatus", ""));
        client_send(fd, bad[i]);
        client_expect(fd, "{\"parameters\":{\"status\":{\"answer\":42}}}");
        client_expect_closed(fd);
        close(fd);
    }
    ck_assert_uint_eq(metrics_read(METRIC_QUERY_CLIENTS_DROPPED), dropped + ARRAY_SIZE(bad));

    int fd = service_connect();
    char flood[8192];
    memset(flood, ' ', sizeof(flood));
    while (send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
        ; /* it hangs up on an endless message */
    close(fd);
    client_send(good, CALL(KEYS "GetStatus", ""));
    client_expect(good, "{\"parameters\":{\"status\":{\"answer\":42}}}");
    close(good);
}
END_TEST

/* --- what is not shown is not there --- */

enum { TIMED_CALLS = 20000 };

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* How long a call takes; its reply has to be NoSuchKey, octet for octet. */
static int64_t time_refusal(int fd, const char *method, uint32_t number)
{
    static const char wanted[] = "{\"error\":\"" KEYS "NoSuchKey\",\"parameters\":{}}";
    char call[256], reply[256], id[2 * KEY_ID_OCTETS + 1];
    service_id(number, id);
    int size = snprintf(call, sizeof(call),
        "{\"method\":\"" KEYS "%s\",\"parameters\":{\"keyId\":\"%s\"}}", method, id);
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    ck_assert_int_eq(send(fd, call, (size_t)size + 1, MSG_NOSIGNAL), size + 1);
    ssize_t got = recv(fd, reply, sizeof(reply), 0);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    ck_assert_int_eq(got, (ssize_t)sizeof(wanted));
    ck_assert_mem_eq(reply, wanted, sizeof(wanted));
    return (ended.tv_sec - began.tv_sec) * INT64_C(1000000000) + ended.tv_nsec - began.tv_nsec;
}

/* A key of a peer that the caller may not see is refused as one that does not exist, and as fast.
 */
START_TEST(hidden_and_absent_keys_are_alike)
{
    static const char *const methods[] = {"GetKey", "RevokeKey"};
    static int64_t hidden[TIMED_CALLS], absent[TIMED_CALLS];
    service_put(&service, 7);
    static char policy[65536]; /* with many patterns to compare: 16 clients with 64 each */
    size_t size = 0;
    for (int i = 0; i < 1024; i++)
        size += (size_t)snprintf(policy + size, sizeof(policy) - size,
            "%s\"//m2m.example/in-cse/C9-%d\"%s",
            i % 64 > 0 ? "," : "{\"allow\":[\"get\",\"revoke\"],\"peers\":[", i,
            i % 64 < 63 ? ""
            : i < 1023  ? "]},"
                        : "]}]");
    memmove(policy + 1, policy, size + 1);
    policy[0] = '[';
    service_reload(&service, policy);
    int fd = service_connect();
    for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
        for (int i = 0; i < TIMED_CALLS; i++) {
            hidden[i] = time_refusal(fd, methods[m], 7);
            absent[i] = time_refusal(fd, methods[m], 8);
        }
        qsort(hidden, TIMED_CALLS, sizeof(hidden[0]), compare_times);
        qsort(absent, TIMED_CALLS, sizeof(absent[0]), compare_times);
        const int64_t of_hidden = hidden[TIMED_CALLS / 2], of_absent = absent[TIMED_CALLS / 2];
        double ratio = (double)of_hidden / (double)of_absent;
        printf("# %s: hidden %lld ns, absent %lld ns\n", methods[m], (long long)of_hidden,
            (long long)of_absent);
        ck_assert_msg(ratio > 0.9 && ratio < 1.1, "%s: %.3f", methods[m], ratio);
    }
    close(fd);
}
END_TEST

/* --- the bounds on connections --- */

static bool is_served(int fd)
{
    static const char call[] = CALL(SERVICE "GetInfo", "");
    if (send(fd, call, sizeof(call), MSG_NOSIGNAL) < 0)
        return false;
    json_t *reply = client_receive(fd);
    bool served = reply != NULL;
    json_decref(reply);
    return served;
}

/* This thread alone becomes another user (glibc's setresuid would change all of them). */
static void become(uid_t uid)
{
    ck_assert_int_eq(syscall(SYS_setresuid, -1, 0, -1), 0); /* from another user to a third */
    ck_assert_int_eq(syscall(SYS_setresuid, -1, uid, -1), 0);
}

/* How many connections the server takes with our descriptors. */
static size_t count_allowed(void)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    size_t share = limit.rlim_cur / 8;
    return share < QUERY_CONNECTIONS_MAX ? share : QUERY_CONNECTIONS_MAX;
}

#define ck_assert_served(fd) ck_assert(is_served(fd))

/* A connection that is served, of user UID; of ours, where we may not be another one. */
static int connect_as(uid_t uid)
{
    bool is_root = geteuid() == 0;
    if (is_root)
        become(uid);
    int fd = service_connect();
    ck_assert_served(fd);
    if (is_root)
        become(0);
    return fd;
}

static void ck_assert_hung_up(int fd)
{
    client_expect_closed(fd);
    close(fd);
}

/* Two turns of the loop later all that came before has been read. */
static void await_turns(void)
{
    int other = service_connect();
    for (int i = 0; i < 2; i++) {
        json_decref(client_call(other, CALL(SERVICE "GetInfo", "")));
    }
    close(other);
}

static void subscribe(int fd)
{
    client_send(fd, CALL(KEYS "Subscribe", MORE));
    await_turns();
}

static void ck_assert_event(int fd, const char *event, const char *peer)
{
    json_t *reply = client_receive(fd);
    ck_assert_ptr_nonnull(reply);
    const char *got =
        json_string_value(json_object_get(json_object_get(reply, "parameters"), "event"));
    ck_assert_str_eq(got ? got : "", event);
    ck_assert_str_eq(text_at(reply, "key", "peer"), peer);
    ck_assert_str_eq(text_at(reply, "key", "key"), "");
    ck_assert(json_is_true(json_object_get(reply, "continues")));
    json_decref(reply);
}

#define WITH_NAME(number, enumerator, name, ...) ", " name

/* Clients take the flavours from the interface's definition. */
START_TEST(the_definition_names_all_flavours)
{
    static const char names[] = "" FLAVOUR_LIST(WITH_NAME);
    char line[256];
    int fd = service_connect();

    snprintf(line, sizeof(line), "\n  flavour: (%s),\n", names + strlen(", "));
    json_t *reply = client_call(
        fd, CALL(SERVICE "GetInterfaceDescription", WITH("\"interface\":\"org.e2ekeyd.Keys\"")));
    ck_assert_ptr_nonnull(strstr(
        json_string_value(json_object_get(json_object_get(reply, "parameters"), "description")),
        line));
    json_decref(reply);
    close(fd);
}
END_TEST

/* At the bound the user with the most connections gives up the one that is idle longest, and
 * neither one whose replies wait to be read nor one whose call came later. */
START_TEST(a_newcomer_takes_the_room_of_the_idlest)
{
    static const char rest[] = "\"method\":\"" SERVICE "GetInfo\"}";
    static const char description[] =
        CALL(SERVICE "GetInterfaceDescription", WITH("\"interface\":\"org.e2ekeyd.Keys\""));
    enum { UNREAD = 400 }; /* such replies are more than the kernel has room for */
    static const uid_t users[] = {65533, 0, 65532, 65534}; /* of the newcomers */
    static int fds[QUERY_CONNECTIONS_MAX];
    int newcomers[ARRAY_SIZE(users)];
    size_t most = count_allowed(), gone = geteuid() == 0 ? 6 : 5;
    ck_assert_int_eq(chmod(service.folder, 0711), 0);
    ck_assert_int_eq(chmod(service.path, 0666), 0);

    int neighbour = connect_as(65533); /* the only one of its user, and the idlest of all */
    fds[0] = connect_as(65534);
    char calls[UNREAD][sizeof(description)]; /* at once: the server may stop reading in between */
    for (int i = 0; i < UNREAD; i++)
        memcpy(calls[i], description, sizeof(description));
    ck_assert_int_eq(send(fds[0], calls, sizeof(calls), MSG_NOSIGNAL), (ssize_t)sizeof(calls));
    await_turns();
    for (size_t i = 1; i < most - 1; i++) {
        fds[i] = connect_as(65534);
        ck_assert_int_eq(send(fds[i], "{", 1, MSG_NOSIGNAL), 1); /* which is no call yet */
    }
    ck_assert_int_eq(send(fds[1], "}", 2, MSG_NOSIGNAL), 2);
    ck_assert_hung_up(fds[1]); /* that was none either, and makes room */
    json_decref(client_call(fds[2], rest));

    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        newcomers[i] = connect_as(users[i]);
    for (size_t i = 3; i < gone; i++)
        ck_assert_hung_up(fds[i]);
    for (int i = 0; i < UNREAD; i++) {
        json_t *reply = client_receive(fds[0]);
        ck_assert_msg(reply, "%d", i);
        json_decref(reply);
    }
    ck_assert_served(fds[0]);
    ck_assert_served(fds[2]);
    json_decref(client_call(fds[gone], rest)); /* it was in the middle of a call */
    if (geteuid() == 0)                        /* else it is of the same user as all others */
        ck_assert_served(neighbour);
    else
        ck_assert_hung_up(neighbour);
    for (size_t i = gone; i < most - 1; i++)
        close(fds[i]);
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        close(newcomers[i]);
}
END_TEST

/* --- events --- */

START_TEST(subscribers_hear_what_they_may)
{
    int fd = service_connect();
    subscribe(fd);
    service_put(&service, 7);
    ck_assert_event(fd, "established", "//m2m.example/in-cse/C7");
    uint8_t id[KEY_ID_OCTETS] = {7};
    ck_assert_int_eq(key_cache_revoke(service.cache, id), RESULT_OK);
    ck_assert_event(fd, "revoked", "//m2m.example/in-cse/C7");

    service_reload(
        &service, "[{\"allow\":[\"subscribe\"],\"peers\":[\"//m2m.example/in-cse/C9\"]}]");
    service_put(&service, 8);
    service_put(&service, 9);
    ck_assert_event(fd, "established", "//m2m.example/in-cse/C9");
    service_reload(&service, "[]");
    service_put(&service, 10);
    client_expect_error(fd, SERVICE "PermissionDenied");
    client_send(fd, CALL(SERVICE "GetInfo", "")); /* the stream ended, the connection goes on */
    json_decref(client_receive(fd));
    close(fd);
}
END_TEST

/* COUNT keys, from number FIRST on. */
static void put_many(uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        service_put(&service, i);
}

/* Ten thousand events in one go, to some who read and some who do not. Who reads gets all of them
 * in order; who does not, when it reads at last, those that were kept for it; and look-ups go on.
 */
START_TEST(ten_thousand_events_reach_all_who_read)
{
    enum { EVENTS = 10000, SUBSCRIBERS = 8 };
    int fds[SUBSCRIBERS], other = service_connect();
    for (int i = 0; i < SUBSCRIBERS; i++)
        subscribe(fds[i] = service_connect());
    put_many(0, EVENTS);
    for (int i = 0; i < 100; i++) {
        int64_t began_ms = clock_steady_ms();
        ck_assert_served(other);
        ck_assert_int_lt(clock_steady_ms() - began_ms, 1000);
    }
    for (int i = 0; i < SUBSCRIBERS; i++)
        for (uint32_t number = 0; number < EVENTS; number++) {
            char peer[64];
            snprintf(peer, sizeof(peer), "//m2m.example/in-cse/C%u", number);
            ck_assert_event(fds[i], "established", peer);
        }
    for (int i = 0; i < SUBSCRIBERS; i++)
        close(fds[i]);
    close(other);
}
END_TEST

START_TEST(a_subscriber_that_is_too_slow_is_told)
{
    int deaf = service_connect(), fd = service_connect();
    subscribe(deaf);
    subscribe(fd);
    for (uint32_t number = 0; number < 19000; number++) {
        char peer[64];
        snprintf(peer, sizeof(peer), "//m2m.example/in-cse/C%u", number);
        service_put(&service, number);
        ck_assert_event(fd, "established", peer);
    }
    json_t *reply = client_receive(deaf);
    unsigned count = 0;
    for (; json_is_true(json_object_get(reply, "continues")); count++) {
        json_decref(reply);
        reply = client_receive(deaf);
    }
    ck_assert_msg(reply, "hung up on after %u events", count);
    const char *error = json_string_value(json_object_get(reply, "error"));
    ck_assert_str_eq(error ? error : "", KEYS "EventsLost");
    ck_assert_uint_gt(count, 0);
    json_decref(reply);
    ck_assert_served(deaf); /* and may subscribe again */
    close(fd);
    close(deaf);
}
END_TEST

/* More events than are kept, of a peer that this caller may not see: it is not told of a loss. */
START_TEST(events_that_are_not_shown_are_not_counted)
{
    service_reload(
        &service, "[{\"allow\":[\"subscribe\"],\"peers\":[\"//m2m.example/in-cse/C19999\"]}]");
    int fd = service_connect();
    subscribe(fd);
    for (uint32_t i = 0; i < 19; i++) {
        put_many(i * 1000, 1000);
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        await_turns();
        ck_assert_int_eq(poll(&poller, 1, 0), 0);
    }
    service_put(&service, 19999);
    ck_assert_event(fd, "established", "//m2m.example/in-cse/C19999");
    close(fd);
}
END_TEST

static void start(void)
{
    service_start(&service, ALL_RIGHTS);
}

static void stop(void)
{
    service_stop(&service);
}

CHECK_MAIN_FIXTURE("query/server", start, stop, it_describes_itself,
    what_is_not_there_has_its_error, a_key_is_had_by_peer_and_by_id,
    a_key_that_is_not_there_is_no_such_key, a_wrong_parameter_is_named,
    without_a_right_everything_is_denied, the_log_says_who_got_and_who_was_denied_what,
    a_revoked_key_is_gone, the_status_is_handed_through, a_list_shows_what_the_caller_may_see,
    a_slow_reader_stalls_only_itself, pipelined_calls_are_answered_in_order,
    a_caller_may_hang_up_before_it_reads, malformed_input_ends_its_connection_only,
    a_newcomer_takes_the_room_of_the_idlest, subscribers_hear_what_they_may,
    ten_thousand_events_reach_all_who_read, a_subscriber_that_is_too_slow_is_told,
    hidden_and_absent_keys_are_alike, events_that_are_not_shown_are_not_counted,
    the_definition_names_all_flavours)
