/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where keys are while they live, in secret memory alone; and that nothing is left of them after.
 */
#include "support/check_main.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "support/foreign.h"
#include "support/run.h"
#include "support/search.h"
#include "support/varlink.h"
#include "tls/context.h"

#define KEYS          "org.e2ekeyd.Keys."
#define METERS        3
#define MASTER_OCTETS 48
#define TRUST(crls)                                                                                \
    "{\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\",\"crls\":[" crls "]}]}"
/* The arena's empty pages come into being as they are read: a small one. */
#define SMALL "\"capacity\":64"

static struct daemon daemon_;
static struct varlink events, ae;
static struct initiator_credential *meters[METERS];
static bool may_look; /* into the daemon, and not only into what the service manager has */

/* A key that was established. */
struct known {
    struct exported_key exported;
    char id[33];
    struct needles *needles;
};

/* --- the daemon, and who uses it --- */

/* The daemon has taken the subscription when a call that comes after it is answered. */
static void connect_to_daemon(void)
{
    varlink_open(&events, daemon_.socket);
    varlink_begin(&events, KEYS "Subscribe", NULL, "more");
    varlink_open(&ae, daemon_.socket);
    json_decref(varlink_call(&ae, "org.varlink.service.GetInfo", NULL));
}

static void disconnect(void)
{
    varlink_close(&events);
    varlink_close(&ae);
}

static void set_up(const char *policy)
{
    may_look = memory_may_be_read();
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){
                               .policy = policy, .meters = METERS, .inherit = true, .store = true});
    for (unsigned i = 0; i < METERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "meter-%u", i + 1);
        meters[i] = exchange_credential(&daemon_, name);
    }
    connect_to_daemon();
}

static void tear_down(void)
{
    for (unsigned i = 0; i < METERS; i++)
        initiator_credential_free(meters[i]);
    disconnect();
    daemon_stop(&daemon_);
}

static void await_event(const char *event, const struct known *known)
{
    json_t *reply = varlink_receive(&events);
    const json_t *parameters = json_object_get(reply, "parameters");
    const json_t *key = json_object_get(parameters, "key");

    ck_assert_str_eq(json_string_value(json_object_get(parameters, "event")), event);
    ck_assert_str_eq(json_string_value(json_object_get(key, "keyId")), known->id);
    json_decref(reply);
}

/* As an AE reads it, on a connection that stays. The daemon has put away what it wrote there when
 * it answers on another one: its loop is one thread. */
static void read_key(const struct known *known)
{
    char text[BASE64_OCTETS(32) + 1];
    json_t *reply = varlink_call(&ae, KEYS "GetKey", json_pack("{s:s}", "keyId", known->id));
    const json_t *key = json_object_get(json_object_get(reply, "parameters"), "key");

    base64_encode_text(bytes_of(known->exported.key, 32), text);
    ck_assert_ptr_nonnull(key);
    ck_assert(strcmp(json_string_value(json_object_get(key, "key")), text) == 0);
    json_decref(reply);
    (void)run_status_number(&daemon_, "keys", "live");
}

static void establish(unsigned meter, struct known *known)
{
    CURL *client = http_open();
    struct http_answer answer;
    char from[16];

    snprintf(from, sizeof(from), "Cmeter-%u", meter + 1);
    ck_assert_msg(
        exchange_run(client, &daemon_, meters[meter], from, &known->exported, &answer), "%s", from);
    http_close(client);
    bytes_to_hex(bytes_of(known->exported.id, 16), known->id);
    known->needles = needles_of(known->exported.key, 32);
}

/* --- looking --- */

/* How often parts of a secret are where. */
struct found {
    size_t secret, plain, stored;
};

static void look_in(const struct memory *memory, const struct needles *needles, struct found *found)
{
    for (size_t i = 0; i < memory->count; i++)
        *(memory->is_secret[i] ? &found->secret : &found->plain) +=
            needles_count(memory->region[i], needles);
}

static size_t count_in_file(int fd, const struct needles *needles)
{
    static struct memory memory;
    struct found found = {0};

    memory_read_file(fd, &memory);
    look_in(&memory, needles, &found);
    memory_release(&memory);
    return found.plain;
}

/* The daemon stands still meanwhile: a key whose time is over stays where it is. */
static struct found look_for(const struct known *known)
{
    static struct memory memory;
    struct found found = {0};
    siginfo_t stopped;

    ck_assert_int_eq(kill(daemon_.pid, SIGSTOP), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)daemon_.pid, &stopped, WSTOPPED), 0);
    if (may_look)
        ck_assert(memory_read(daemon_.pid, &memory));
    found.stored = count_in_file(daemon_.stored, known->needles);
    ck_assert_int_eq(kill(daemon_.pid, SIGCONT), 0);
    look_in(&memory, known->needles, &found);
    memory_release(&memory);
    return found;
}

static void expect_live(const struct known *known)
{
    struct found found = look_for(known);

    ck_assert_msg(found.secret > 0 || !may_look, "not in secret memory: is this a search?");
    ck_assert_msg(found.stored > 0, "not in what the service manager has: is this a search?");
    ck_assert_msg(found.plain == 0, "%zu parts of a live key in plain memory", found.plain);
}

static void expect_dead(struct known *known)
{
    struct found found = look_for(known);

    ck_assert_msg(found.secret + found.plain + found.stored == 0,
        "of a dead key: %zu parts in secret memory, %zu in plain memory, %zu with the manager",
        found.secret, found.plain, found.stored);
    free(TAKE_PTR(known->needles));
}

/* --- ways to die --- */

START_TEST(by_a_call)
{
    struct known dead, alive;

    set_up("{\"keys\":{" SMALL "}}");
    establish(0, &dead);
    establish(1, &alive);
    await_event("established", &dead);
    await_event("established", &alive);
    for (int i = 0; i < 3; i++) {
        read_key(&dead);
        read_key(&alive);
    }
    expect_live(&dead);
    expect_live(&alive);
    json_decref(varlink_call(&ae, KEYS "RevokeKey", json_pack("{s:s}", "keyId", dead.id)));
    await_event("revoked", &dead);
    expect_dead(&dead);
    expect_live(&alive);
    free(alive.needles);
    tear_down();
}
END_TEST

START_TEST(by_time)
{
    struct known dead;

    set_up("{\"keys\":{" SMALL ",\"lifetime\":2}}");
    establish(0, &dead);
    expect_live(&dead);
    await_event("established", &dead);
    await_event("expired", &dead);
    expect_dead(&dead);
    tear_down();
}
END_TEST

/* The oldest of COUNT keys, of these meters, makes room for the last. */
static void make_room(const char *policy, const unsigned *of, size_t count)
{
    struct known known[METERS];

    set_up(policy);
    for (size_t i = 0; i < count; i++) {
        establish(of[i], &known[i]);
        if (i + 1 == count)
            await_event("evicted", &known[0]);
        else
            expect_live(&known[i]);
        await_event("established", &known[i]);
        read_key(&known[i]);
    }
    expect_dead(&known[0]);
    for (size_t i = 1; i < count; i++) {
        expect_live(&known[i]);
        free(known[i].needles);
    }
    tear_down();
}

START_TEST(by_the_next_key_of_the_peer)
{
    make_room("{\"keys\":{" SMALL ",\"perPeer\":1}}", (const unsigned[]){0, 0}, 2);
}
END_TEST

START_TEST(by_the_capacity)
{
    make_room("{\"keys\":{\"capacity\":2}}", (const unsigned[]){0, 1, 2}, 3);
}
END_TEST

/* A reload with a CRL; without the rule keys stay (RELOADING in e2ekeyd-policy(5)). */
START_TEST(by_a_reload)
{
    struct known dead, alive;
    char command[2 * DAEMON_PATH_OCTETS];

    set_up("{\"keys\":{" SMALL "}}");
    establish(0, &dead);
    establish(1, &alive);
    await_event("established", &dead);
    await_event("established", &alive);
    expect_live(&dead);
    daemon_change_policy(&daemon_,
        "{\"initiators\":[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/Cother\","
        "\"trust\":\"field\"}]}");
    daemon_reload(&daemon_);
    expect_live(&dead);
    snprintf(command, sizeof(command), "tests/support/revoke %s field-ca field-ca.crl meter-1",
        daemon_.folder);
    ck_assert_int_eq(system(command), 0);
    daemon_change_policy(&daemon_, TRUST("\"field-ca.crl\""));
    daemon_reload(&daemon_);
    await_event("revoked", &dead);
    expect_dead(&dead);
    expect_live(&alive);
    free(alive.needles);
    tear_down();
}
END_TEST

/* --- the end of the daemon --- */

static void end_by(int signal)
{
    disconnect();
    ck_assert_int_eq(kill(daemon_.pid, signal), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon_), signal == SIGKILL ? 128 + signal : 0);
}

static void begin_again(void)
{
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
    connect_to_daemon();
}

/* One revoked, and one that the next daemon is to have. */
static void establish_two(struct known *dead, struct known *alive)
{
    set_up("{\"keys\":{" SMALL "}}");
    establish(0, dead);
    establish(1, alive);
    await_event("established", dead);
    await_event("established", alive);
    expect_live(dead);
    expect_live(alive);
    json_decref(varlink_call(&ae, KEYS "RevokeKey", json_pack("{s:s}", "keyId", dead->id)));
    await_event("revoked", dead);
}

/* The same memory, which does not count as kept by the service manager. */
static int look_on(void)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", daemon_.stored);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void outlive(int signal)
{
    struct known dead, alive;

    establish_two(&dead, &alive);
    end_by(signal);
    ck_assert_uint_gt(count_in_file(daemon_.stored, alive.needles), 0);
    ck_assert_uint_eq(count_in_file(daemon_.stored, dead.needles), 0);
    begin_again();
    read_key(&alive);
    expect_live(&alive);
    expect_dead(&dead);
    free(alive.needles);
    tear_down();
}

START_TEST(what_outlives_a_stop_is_alive)
{
    outlive(SIGTERM);
}
END_TEST

START_TEST(what_outlives_a_kill_is_alive)
{
    outlive(SIGKILL);
}
END_TEST

START_TEST(by_an_interrupt)
{
    struct known dead, forgotten;

    establish_two(&dead, &forgotten);
    int memory AUTO_CLOSE = dup(daemon_.stored);
    ck_assert_uint_gt(count_in_file(memory, forgotten.needles), 0);
    end_by(SIGINT);
    ck_assert_uint_eq(count_in_file(memory, forgotten.needles), 0);
    ck_assert_uint_eq(count_in_file(memory, dead.needles), 0);
    begin_again();
    expect_dead(&forgotten);
    expect_dead(&dead);
    tear_down();
}
END_TEST

START_TEST(by_a_stop_when_nobody_keeps_them)
{
    struct known dead, ended;

    establish_two(&dead, &ended);
    int memory AUTO_CLOSE = look_on();
    ck_assert_uint_gt(count_in_file(memory, ended.needles), 0);
    close(daemon_.stored);
    daemon_.stored = -1;
    end_by(SIGTERM);
    ck_assert_uint_eq(count_in_file(memory, ended.needles), 0);
    ck_assert_uint_eq(count_in_file(memory, dead.needles), 0);
    begin_again();
    expect_dead(&ended);
    expect_dead(&dead);
    tear_down();
}
END_TEST

/* The keys move into new memory, and out of the old. */
START_TEST(by_a_move)
{
    struct known dead, alive;

    establish_two(&dead, &alive);
    int memory AUTO_CLOSE = dup(daemon_.stored);
    daemon_change_policy(&daemon_, "{\"keys\":{\"capacity\":32}}");
    end_by(SIGTERM);
    ck_assert_uint_gt(count_in_file(memory, alive.needles), 0);
    begin_again();
    ck_assert_uint_eq(count_in_file(memory, alive.needles), 0);
    ck_assert_uint_eq(count_in_file(memory, dead.needles), 0);
    read_key(&alive);
    expect_live(&alive);
    expect_dead(&dead);
    free(alive.needles);
    tear_down();
}
END_TEST

/* --- what keys were made of --- */

static struct http_answer carry(
    CURL *client, const char *method, const char *type, struct foreign *foreign)
{
    struct http_answer answer;
    char *content = NULL;

    ck_assert_int_gt(
        asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(foreign)), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = method,
            .path = RUN_ENTRY,
            .from = "Cmeter",
            .request_id = method,
            .content_type = type,
            .body = content},
        &answer);
    free(content);
    ck_assert_msg(answer.status / 100 == 2, "%ld: %s", answer.status, answer.body);
    foreign_write(foreign, run_member(&answer, "eckm"));
    return answer;
}

/* GnuTLS writes lines "CLIENT_RANDOM HEX HEX" into this file, the master secret last. */
static void read_master_secret(const char *path, uint8_t secret[MASTER_OCTETS])
{
    char random[65], hex[2 * MASTER_OCTETS + 1];
    FILE *file = fopen(path, "re");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "CLIENT_RANDOM %64s %96s", random, hex), 2);
    fclose(file);
    ck_assert_uint_eq(strlen(hex), 2 * (size_t)MASTER_OCTETS);
    for (size_t i = 0; i < MASTER_OCTETS; i++)
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &secret[i]), 1);
}

/* The exchange stays, for retransmissions; its master secret, which gives the key to whoever has
 * it, does not. It never outlives a request: that the search would find it is shown here. */
START_TEST(of_the_master_secret_nothing_stays)
{
    uint8_t secret[MASTER_OCTETS];
    struct known master;
    char error[512], path[DAEMON_PATH_OCTETS];

    set_up("{\"keys\":{" SMALL "}}");
    snprintf(path, sizeof(path), "%s", daemon_file(&daemon_, "master"));
    setenv("SSLKEYLOGFILE", path, 1);
    CURL *client = http_open();
    struct foreign foreign;
    foreign_start(&foreign, &daemon_, "gnutls", "meter", NULL);
    struct http_answer answer = carry(client, "POST", "application/json;ty=30001", &foreign);
    http_answer_release(&answer);
    answer = carry(client, "PUT", "application/json", &foreign);
    ck_assert_ptr_nonnull(strstr(foreign_read(&foreign), run_member(&answer, "kid")));
    http_answer_release(&answer);
    ck_assert_int_eq(foreign_end(&foreign, error, sizeof(error)), 0);
    http_close(client);

    read_master_secret(path, secret);
    master.needles = needles_of(secret, MASTER_OCTETS);
    ck_assert_uint_ge(needles_count(bytes_of(secret, MASTER_OCTETS), master.needles), 6);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "retained"), 1);
    expect_dead(&master);
    tear_down();
}
END_TEST

/* --- who may not look --- */

/* Following /proc/PID/exe takes the right to read the memory of the process (ptrace(2)). Root gives
 * up CAP_SYS_PTRACE for its children, so that the daemon has what the shell has, which may do so
 * with a process like itself, but for one thing: PR_SET_DUMPABLE. */
START_TEST(its_own_user_may_not_look)
{
    char command[256];

    (void)prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0);
    set_up(NULL);
    ck_assert_int_eq(system("readlink /proc/$$/exe >/dev/null; exit $?"), 0);
    snprintf(command, sizeof(command), "! readlink /proc/%d/exe", (int)daemon_.pid);
    ck_assert_msg(system(command) == 0, "it is dumpable");
    tear_down();
}
END_TEST

CHECK_MAIN("integration/dead_keys", by_a_call, by_time, by_the_next_key_of_the_peer,
    by_the_capacity, by_a_reload, what_outlives_a_stop_is_alive, what_outlives_a_kill_is_alive,
    by_an_interrupt, by_a_stop_when_nobody_keeps_them, by_a_move,
    of_the_master_secret_nothing_stays, its_own_user_may_not_look)
