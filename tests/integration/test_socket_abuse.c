/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key socket of the real daemon under clients that are malformed, slow, silent or many: each
 * costs its own connection at most. */
#include "support/check_main.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define KEYS            "org.e2ekeyd.Keys."
#define SERVICE         "org.varlink.service."
#define CONNECTIONS_MAX 1024  /* of the daemon (src/query/server.h) */
#define HOSTILE         4600  /* connections */
#define MESSAGE_MAX     65536 /* octets of one call */
#define PROMPT_MS       10000 /* who was answered later has waited for another client */

static struct daemon daemon_;

static void set_up(const char *policy)
{
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy, .meters = 3});
}

/* It lives, and has complained of nothing that is its own. */
static void tear_down(void)
{
    char *log = daemon_log(&daemon_);

    ck_assert_msg(!strstr(log, "error: "), "%s", log);
    free(log);
    daemon_stop(&daemon_);
}

/* One call on a connection; false when that is refused. */
static bool is_served(struct varlink *varlink)
{
    static const char call[] = "{\"method\":\"" SERVICE "GetInfo\"}";
    json_t *reply = varlink_send(varlink, call, sizeof(call)) ? varlink_receive(varlink) : NULL;
    bool good = reply && strcmp(varlink_error(reply), "") == 0;

    json_decref(reply);
    return good;
}

static void expect_prompt_service(void)
{
    int64_t started = clock_steady_ms();

    for (int i = 0; i < 50; i++) {
        struct varlink varlink;
        varlink_open(&varlink, daemon_.socket);
        ck_assert(is_served(&varlink));
        json_t *reply =
            varlink_call(&varlink, KEYS "GetKey", json_pack("{s:s}", "peer", "Cnobody"));
        ck_assert_str_eq(varlink_error(reply), KEYS "NoSuchKey");
        json_decref(reply);
        varlink_close(&varlink);
    }
    ck_assert_int_lt(clock_steady_ms() - started, PROMPT_MS);
}

/* The daemon hangs up without a reply. */
static void expect_end(struct varlink *varlink)
{
    json_t *reply = varlink_receive(varlink);
    char *text = json_dumps(reply, JSON_COMPACT);

    ck_assert_msg(!reply, "a reply: %s", text);
    varlink_close(varlink);
}

/* --- malformed --- */

START_TEST(malformed_calls_end_their_connection)
{
    static const char *const calls[] = {"", "{", "null", "[]", "7", "\"method\"", "nonsense",
        "{\"method\":7}", "{\"parameters\":{}}", "{\"method\":\"a.b\",\"method\":\"a.b\"}",
        "{\"method\":\"a.b\",\"parameters\":[]}", "{\"method\":\"a.b\",\"more\":1}",
        "{\"method\":\"a.b\\u0000\"}", "{\"method\":\"\xff\xfe\"}", "{\"method\":\"a.b\"} {}"};

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct varlink varlink;
        varlink_open(&varlink, daemon_.socket);
        ck_assert(is_served(&varlink));
        ck_assert(varlink_send(&varlink, calls[i], strlen(calls[i]) + 1));
        expect_end(&varlink);
    }
    expect_prompt_service();
    tear_down();
}
END_TEST

START_TEST(a_call_has_a_bound)
{
    static const char fillers[] = {' ', 'x', '[', '"'};
    static char octets[2 * MESSAGE_MAX];

    set_up(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(fillers); i++) {
        struct varlink varlink;
        varlink_open(&varlink, daemon_.socket);
        memset(octets, fillers[i], sizeof(octets)); /* and no NUL */
        (void)varlink_send(&varlink, octets, sizeof(octets));
        expect_end(&varlink);

        /* Within the bound, it is but no call. */
        varlink_open(&varlink, daemon_.socket);
        octets[MESSAGE_MAX - 1] = '\0';
        ck_assert(varlink_send(&varlink, octets, MESSAGE_MAX));
        expect_end(&varlink);
    }
    expect_prompt_service();
    tear_down();
}
END_TEST

/* --- many calls at once --- */

START_TEST(pipelined_calls_are_answered_in_order)
{
    static char calls[1000 * 48];
    struct varlink varlink;
    size_t size = 0;

    set_up(NULL);
    for (int i = 0; i < 1000; i++)
        size += (size_t)sprintf(calls + size, "{\"method\":\"i%d.Method\"}", i) + 1;
    varlink_open(&varlink, daemon_.socket);
    ck_assert(varlink_send(&varlink, calls, size));
    ck_assert_int_eq(
        shutdown(varlink.fd, SHUT_WR), 0); /* what was asked is answered all the same */
    for (int i = 0; i < 1000; i++) {
        json_t *reply = varlink_receive(&varlink);
        const char *interface = NULL;
        char expected[16];
        snprintf(expected, sizeof(expected), "i%d", i);
        ck_assert_str_eq(varlink_error(reply), SERVICE "InterfaceNotFound");
        ck_assert_int_eq(json_unpack(reply, "{s:{s:s}}", "parameters", "interface", &interface), 0);
        ck_assert_str_eq(interface, expected);
        json_decref(reply);
    }
    expect_end(&varlink);
    tear_down();
}
END_TEST

START_TEST(clients_hang_up_before_the_answer)
{
    static const char call[] =
        "{\"method\":\"" KEYS "ListKeys\",\"more\":true}\0{\"method\":\"" KEYS
        "Subscribe\",\"more\":true}";

    set_up(NULL);
    for (size_t cut = 1; cut <= sizeof(call); cut++) {
        struct varlink varlink;
        varlink_open(&varlink, daemon_.socket);
        ck_assert(varlink_send(&varlink, call, cut));
        varlink_close(&varlink);
    }
    expect_prompt_service();
    tear_down();
}
END_TEST

/* --- who never reads --- */

/* COUNT keys with each of four peers. */
static void establish_many(unsigned count)
{
    static const char *const names[][2] = {{"meter", "Cmeter"}, {"meter-1", "Cmeter-1"},
        {"meter-2", "Cmeter-2"}, {"meter-3", "Cmeter-3"}};
    CURL *client = http_open();

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    for (size_t peer = 0; peer < ARRAY_SIZE(names); peer++) {
        struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) =
            exchange_credential(&daemon_, names[peer][0]);
        for (unsigned i = 0; i < count; i++) {
            struct exported_key exported;
            struct http_answer answer;
            ck_assert_msg(
                exchange_run(client, &daemon_, credential, names[peer][1], &exported, &answer),
                "%ld %s", answer.status, answer.body);
        }
    }
    http_close(client);
}

/* Sends CALL over and over until the daemon takes no more; how many that were. */
static unsigned stuff(struct varlink *varlink, const char *call, size_t size, unsigned most)
{
    unsigned count = 0;

    for (; count < most; count++) {
        ssize_t sent = send(varlink->fd, call, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        ck_assert_int_eq(sent, (ssize_t)size); /* such a small piece goes whole or not at all */
    }
    return count;
}

/* More than the kernel keeps for a client that does not read: it waits, with all that it asked for,
 * and no one else does. */
START_TEST(who_never_reads_a_list_stops_no_one)
{
    static const char call[] = "{\"method\":\"" KEYS "ListKeys\",\"more\":true}";
    enum { PEERS = 4, KEYS_EACH = 64, LISTS = 40 };
    struct varlink lazy[4];

    set_up("{\"keys\":{\"perPeer\":64}}");
    establish_many(KEYS_EACH);
    for (size_t i = 0; i < ARRAY_SIZE(lazy); i++) {
        varlink_open(&lazy[i], daemon_.socket);
        ck_assert_uint_eq(stuff(&lazy[i], call, sizeof(call), LISTS), LISTS);
    }
    expect_prompt_service();
    for (size_t i = 1; i < ARRAY_SIZE(lazy); i++)
        varlink_close(&lazy[i]);
    for (int i = 0; i < LISTS * KEYS_EACH * PEERS; i++) {
        json_t *reply = varlink_receive(&lazy[0]);
        bool is_last = i % (KEYS_EACH * PEERS) == KEYS_EACH * PEERS - 1;
        ck_assert_int_eq(json_is_true(json_object_get(reply, "continues")), !is_last);
        json_decref(reply);
    }
    ck_assert(is_served(&lazy[0]));
    varlink_close(&lazy[0]);
    tear_down();
}
END_TEST

START_TEST(who_never_reads_replies_is_read_no_more)
{
    static const char call[] =
        "{\"method\":\"" SERVICE "GetInterfaceDescription\",\"parameters\":{\"interface\":"
        "\"org.e2ekeyd.Keys\"}}";
    enum { MANY = 1000000 };
    struct varlink lazy;
    unsigned count = 0, more;

    set_up(NULL);
    varlink_open(&lazy, daemon_.socket);
    while ((more = stuff(&lazy, call, sizeof(call), MANY - count)) > 0) {
        count += more;
        ck_assert_uint_lt(count, MANY); /* else it has room for them all */
        expect_prompt_service();        /* and time to take what it will take */
    }
    for (unsigned i = 0; i < count; i++) {
        json_t *reply = varlink_receive(&lazy);
        ck_assert_str_eq(varlink_error(reply), "");
        json_decref(reply);
    }
    varlink_close(&lazy);
    tear_down();
}
END_TEST

/* --- many connections --- */

/* All the descriptors that we may have, here and, as the daemon inherits that, there: how many
 * connections that lets the daemon have. */
static size_t take_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    size_t share = limit.rlim_cur / 8;
    return share < CONNECTIONS_MAX ? share : CONNECTIONS_MAX;
}

static void close_all(struct varlink *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        varlink_close(&all[i]);
}

static const char *const starts[] = {"", "{", "{\"method\":\"" KEYS "Subscribe\",\"more\":true}"};

static void expect_key(void)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, KEYS "GetKey", json_pack("{s:s}", "peer", "Cmeter"));
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
}

START_TEST(silent_connections_stop_no_one)
{
    static struct varlink silent[500];

    size_t count = ARRAY_SIZE(silent);
    (void)take_descriptors();
    set_up(NULL);
    for (size_t i = 0; i < count; i++) {
        const char *start = starts[i % ARRAY_SIZE(starts)];
        varlink_open(&silent[i], daemon_.socket);
        ck_assert(varlink_send(&silent[i], start, strlen(start) + (strlen(start) > 1)));
    }
    expect_prompt_service();
    close_all(silent, count);
    tear_down();
}
END_TEST

/* Far more than there is room for, of which some are silent, some drip, and some wait for events:
 * who comes later gets its key all the same, every time, and those that made room have been told.
 */
START_TEST(hostile_connections_stop_no_one)
{
    static struct varlink all[HOSTILE];
    size_t most = take_descriptors(), ended = 0;

    set_up(NULL);
    establish_many(1);
    for (size_t i = 0; i < HOSTILE; i++) {
        const char *start = starts[i % ARRAY_SIZE(starts)];
        varlink_open(&all[i], daemon_.socket);
        (void)varlink_send(&all[i], start, strlen(start) + (strlen(start) > 1));
        if (i % 100 == 99)
            expect_key();
    }
    expect_prompt_service();
    for (size_t i = 0; i < HOSTILE; i++)
        ended += poll(&(struct pollfd){.fd = all[i].fd, .events = POLLRDHUP}, 1, 0) == 1;
    ck_assert_uint_ge(ended, HOSTILE - most);
    close_all(all, HOSTILE);
    expect_prompt_service();
    tear_down();
}
END_TEST

/* A call that drips in, an octet in a second, has the time of one call. */
START_TEST(a_call_that_drips_in_is_cut_off)
{
    struct varlink drip, idle;
    static const char call[] = "{\"method\":\"" SERVICE "GetInfo\"}";

    set_up(NULL);
    varlink_open(&idle, daemon_.socket);
    varlink_open(&drip, daemon_.socket);
    int64_t started = clock_steady_ms();
    for (size_t i = 0; i < sizeof(call) - 1 && varlink_send(&drip, call + i, 1); i++)
        if (poll(&(struct pollfd){.fd = drip.fd, .events = POLLIN | POLLRDHUP}, 1, 1000) != 0)
            break;
    ck_assert_int_lt(clock_steady_ms() - started, 20000);
    expect_end(&drip);
    ck_assert(is_served(&idle));
    varlink_close(&idle);
    tear_down();
}
END_TEST

/* Its log is a file, which nothing wakes us for. */
static void await_log(const char *text)
{
    bool said = false;

    for (int64_t end = clock_steady_ms() + DAEMON_TIMEOUT_MS; !said && clock_steady_ms() < end;) {
        char *log = daemon_log(&daemon_);
        said = strstr(log, text) != NULL;
        free(log);
        sched_yield();
    }
    ck_assert_msg(said, "the log does not say: %s", text);
}

static void run_out_of_descriptors(rlim_t most)
{
    static struct varlink all[100];
    struct varlink late;

    set_up("{\"http\":{\"threads\":1}}"); /* each thread has descriptors of its own */
    ck_assert_int_eq(prlimit(daemon_.pid, RLIMIT_NOFILE, &(struct rlimit){most, most}, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        varlink_open(&all[i], daemon_.socket);
    ck_assert(is_served(&all[0]));
    varlink_open(&late, daemon_.socket);
    await_log("key socket: cannot accept a connection: ");
    close_all(all, ARRAY_SIZE(all));
    ck_assert(is_served(&late));
    varlink_close(&late);
    daemon_stop(&daemon_);
}

/* A connection takes two: there is none for the connection, or none for its process. */
START_TEST(out_of_descriptors_it_serves_later)
{
    run_out_of_descriptors(64);
    run_out_of_descriptors(65);
}
END_TEST

CHECK_MAIN("integration/socket_abuse", malformed_calls_end_their_connection, a_call_has_a_bound,
    pipelined_calls_are_answered_in_order, clients_hang_up_before_the_answer,
    who_never_reads_a_list_stops_no_one, who_never_reads_replies_is_read_no_more,
    silent_connections_stop_no_one, hostile_connections_stop_no_one,
    a_call_that_drips_in_is_cut_off, out_of_descriptors_it_serves_later)
